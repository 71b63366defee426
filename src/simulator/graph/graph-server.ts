import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { CallRegistry } from "../call-registry.ts";
import type { SimulatorSettings } from "../simulator-options.ts";
import { handleCallsRequest } from "./calls-endpoint.ts";
import { type CallsRequest, type GraphAction, parseCallsRequest } from "./calls-request.ts";
import {
  callingFailure,
  detailsOf,
  type GraphFailure,
  internalFailure,
  invalidParameter,
  invalidToken,
  toErrorBody,
  unknownObject,
  unknownPath,
  unreadableBody,
} from "./graph-failure.ts";
import type { GraphFault, GraphFaults } from "./graph-faults.ts";
import type { NumberSettings } from "./number-settings.ts";

export interface GraphServerOptions {
  readonly settings: SimulatorSettings;
  readonly registry: CallRegistry;
  readonly faults: GraphFaults;
  /** By phone number id. */
  readonly numbers: ReadonlyMap<string, NumberSettings>;
}

interface NumberRoute {
  Params: { readonly version: string; readonly phoneNumberId: string };
}

const BODY_LIMIT_BYTES = 262_144;

/** The routes of the Graph API that calls need, for any `vN.N`. Does not listen yet. */
export function createGraphServer(options: GraphServerOptions): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true, logger: false });
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.setNotFoundHandler((_request, reply) => sendFailure(reply, unknownPath));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return sendFailure(reply, status < 500 ? unreadableBody(status === 413 ? 413 : 400) : internalFailure);
  });
  const prefix = "/:version(^v\\d{1,3}\\.\\d{1,2}$)/:phoneNumberId";
  app.post<NumberRoute>(`${prefix}/calls`, (request, reply) =>
    serveCalls(options, closing.signal, request, reply),
  );
  app.get<NumberRoute>(`${prefix}/settings`, (request, reply) => serveSettings(options, request, reply));
  app.post<NumberRoute>(`${prefix}/settings`, (request, reply) => serveSettings(options, request, reply));
  return app;
}

async function serveCalls(
  options: GraphServerOptions,
  closing: AbortSignal,
  request: FastifyRequest<NumberRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const number = authorize(options, request);
  if ("failure" in number) return sendFailure(reply, number.failure);
  const parsed = parseCallsRequest(request.body);
  if (!parsed.ok) return sendFailure(reply, parsed.failure);
  const { action } = parsed.request;
  const fault = options.faults.take(action);
  if (fault?.kind === "delay") await delay(fault.ms, undefined, { signal: closing });
  else if (fault !== null) {
    record(options, parsed.request, statusOf(fault), fault.kind === "refuse" ? fault.details : null);
    return applyFault(fault, reply);
  }
  const failure = handleCallsRequest(
    {
      registry: options.registry,
      phoneNumberId: request.params.phoneNumberId,
      isCallingEnabled: number.settings.isCallingEnabled,
    },
    parsed.request,
  );
  record(options, parsed.request, failure?.status ?? 200, failure === null ? null : detailsOf(failure));
  logRequest(options, action, failure);
  if (failure !== null) return sendFailure(reply, failure);
  return reply.send({ messaging_product: "whatsapp", success: true });
}

async function serveSettings(
  options: GraphServerOptions,
  request: FastifyRequest<NumberRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const number = authorize(options, request);
  if ("failure" in number) return sendFailure(reply, number.failure);
  if (request.method === "GET") return reply.send(number.settings.toBody());
  const problem = number.settings.update(request.body, options.settings.clock.wallMs());
  return problem === null ? reply.send({ success: true }) : sendFailure(reply, invalidParameter(problem));
}

function authorize(
  { settings, numbers }: GraphServerOptions,
  request: FastifyRequest<NumberRoute>,
): { readonly settings: NumberSettings } | { readonly failure: GraphFailure } {
  const [, token] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (token === undefined || !isSameToken(token, settings.token)) return { failure: invalidToken };
  const number = numbers.get(request.params.phoneNumberId);
  return number === undefined ? { failure: unknownObject } : { settings: number };
}

/** Compares digests: of equal length, and in constant time. */
function isSameToken(left: string, right: string): boolean {
  const [leftDigest, rightDigest] = [left, right].map((text) => createHash("sha256").update(text).digest());
  return leftDigest !== undefined && rightDigest !== undefined && timingSafeEqual(leftDigest, rightDigest);
}

function applyFault(fault: Exclude<GraphFault, { kind: "delay" }>, reply: FastifyReply): FastifyReply {
  switch (fault.kind) {
    case "refuse":
      return sendFailure(reply, refusalOf(fault.status, fault.code, fault.details));
    case "server-error":
      return sendFailure(reply, internalFailure);
    case "garbage":
      return reply.code(200).type("text/html").send("<!DOCTYPE html><title>Sorry</title>");
    case "hang":
      // The connection ends with the client's patience, or with the server.
      return reply.hijack();
    case "disconnect":
      reply.hijack();
      reply.raw.destroy();
      return reply;
  }
}

function refusalOf(status: number, code: number, details: string): GraphFailure {
  if (code === 100) return { ...invalidParameter(details), status };
  return callingFailure(status, code, "Refused by a fault of the simulator", details);
}

function statusOf(fault: GraphFault): number | null {
  switch (fault.kind) {
    case "refuse":
      return fault.status;
    case "server-error":
      return 500;
    case "garbage":
      return 200;
    case "hang":
    case "disconnect":
    case "delay":
      return null;
  }
}

function record(
  { registry }: GraphServerOptions,
  request: CallsRequest,
  status: number | null,
  details: string | null,
): void {
  if (request.action === "connect") return;
  const session = registry.find(request.callId);
  if (session !== null && session !== "ended") session.markRequest(request.action, status, details);
}

function logRequest(options: GraphServerOptions, action: GraphAction, failure: GraphFailure | null): void {
  const fields = { action, status: failure?.status ?? 200, code: failure?.error["code"] ?? null };
  options.settings.logger.debug(fields, "request to the Graph API");
}

function sendFailure(reply: FastifyReply, failure: GraphFailure): FastifyReply {
  return reply.code(failure.status).send(toErrorBody(failure));
}
