import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { CallRegistry } from "../call-registry.ts";
import type { GraphRequestRecord } from "../phone-call.ts";
import type { SimulatorSettings } from "../simulator-options.ts";
import { handleCallsRequest } from "./calls-endpoint.ts";
import { identifyRequest, parseCallsRequest } from "./calls-request.ts";
import {
  callingFailure,
  type GraphFailure,
  internalFailure,
  invalidParameter,
  invalidToken,
  reasonOf,
  toErrorBody,
  unknownObject,
  unknownPath,
  unreadableBody,
} from "./graph-failure.ts";
import type { GraphFault, GraphFaultKind, GraphFaults } from "./graph-faults.ts";
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
  const answer = (failure: GraphFailure | null, fault: GraphFault | null): FastifyReply => {
    record(options, request.body, { ...outcomeOf(failure), fault: fault?.kind ?? null });
    if (failure !== null) return sendFailure(reply, failure);
    return reply.send({ messaging_product: "whatsapp", success: true });
  };
  const number = authorize(options, request);
  if ("failure" in number) return answer(number.failure, null);
  const parsed = parseCallsRequest(request.body);
  if (!parsed.ok) return answer(parsed.failure, null);
  const fault = options.faults.take(parsed.request.action);
  if (fault?.kind === "refuse") return answer(refusalOf(fault), fault);
  if (fault?.kind === "server-error") return answer(internalFailure, fault);
  if (fault?.kind === "delay") await delay(fault.ms, undefined, { signal: closing });
  else if (fault !== null) {
    const status = fault.kind === "garbage" ? 200 : null;
    record(options, request.body, { status, details: null, fault: fault.kind });
    return breakAnswer(fault.kind, reply);
  }
  const { registry } = options;
  const { phoneNumberId } = request.params;
  const { isCallingEnabled } = number.settings;
  return answer(handleCallsRequest({ registry, phoneNumberId, isCallingEnabled }, parsed.request), fault);
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

function breakAnswer(kind: "garbage" | "hang" | "disconnect", reply: FastifyReply): FastifyReply {
  switch (kind) {
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

function refusalOf({
  status,
  code,
  details,
}: Extract<GraphFaultKind, { readonly kind: "refuse" }>): GraphFailure {
  if (code === 100) return { ...invalidParameter(details), status };
  return callingFailure(status, code, "Refused by a fault of the simulator", details);
}

function outcomeOf(failure: GraphFailure | null): Pick<GraphRequestRecord, "status" | "details"> {
  return failure === null
    ? { status: 200, details: null }
    : { status: failure.status, details: reasonOf(failure) };
}

/** Notes the answer with the call that the request names, be the request well-formed or not. */
function record(
  { registry, settings }: GraphServerOptions,
  body: unknown,
  outcome: Pick<GraphRequestRecord, "status" | "details" | "fault">,
): void {
  const { action, callId } = identifyRequest(body);
  settings.logger.debug({ action, ...outcome }, "request to the Graph API");
  const session = callId === null ? null : registry.find(callId);
  if (session !== null && session !== "ended") session.markRequest({ action, ...outcome });
}

function sendFailure(reply: FastifyReply, failure: GraphFailure): FastifyReply {
  return reply.code(failure.status).send(toErrorBody(failure));
}
