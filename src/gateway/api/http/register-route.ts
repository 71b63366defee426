import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Upgrades } from "../../../platform/http-upgrade.ts";
import type { ApiKeyRecord } from "../../../store/types.ts";
import { ApiProblem, toProblemDocument } from "../problems.ts";
import type { RouteDefinition, RouteInput, RouteResult } from "../route.ts";
import { checkInput } from "./check-input.ts";
import type { Gate } from "./gate.ts";
import {
  type Answer,
  answerOnce,
  type IdempotencyDeps,
  idempotencyKeyOf,
  REPLAYED_HEADER,
} from "./idempotency.ts";
import type { InFlight } from "./in-flight.ts";

export interface RouteDeps extends IdempotencyDeps {
  readonly gate: Gate;
  readonly inFlight: InFlight;
  readonly upgrades: () => Upgrades | null;
}

/** Who asks, from when they were let in. */
const keys = new WeakMap<FastifyRequest, ApiKeyRecord>();

/** The key is asked for before a byte of the body is read. */
export function registerRoute(server: FastifyInstance, route: RouteDefinition, deps: RouteDeps): void {
  server.route({
    method: route.method,
    url: route.path.replace(/\{(\w+)\}/g, ":$1"),
    onRequest: async (request, reply) => {
      if (route.isStream !== true) deps.inFlight.enter(reply);
      keys.set(request, await deps.gate.admit(request, reply, route));
      // No parser sees a body that comes with an upgrade.
      if (request.method !== "GET" && deps.upgrades()?.isUpgrade(request.raw) === true)
        throw new ApiProblem("malformed_request", "Send no Upgrade header with this request.");
    },
    handler: (request, reply) => answer(request, reply, route, deps),
  });
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  route: RouteDefinition,
  deps: RouteDeps,
): Promise<unknown> {
  const key = keys.get(request);
  if (key === undefined) throw new Error("a request came past the gate");
  const input = { ...checkInput(route, request), key, headers: request.headers, signal: goneSignal(reply) };
  if (route.upgrade !== null && isWebSocket(request)) {
    const upgrade = deps.upgrades()?.take(request.raw) ?? null;
    if (upgrade !== null) {
      reply.hijack();
      return route.upgrade(upgrade, { ...input, body: undefined });
    }
  }
  if (route.raw !== null) return route.raw(request, reply, input);
  return answerJson(request, reply, route, deps, input);
}

async function answerJson(
  request: FastifyRequest,
  reply: FastifyReply,
  route: RouteDefinition,
  deps: RouteDeps,
  input: RouteInput,
): Promise<FastifyReply> {
  const idempotencyKey =
    route.method === "POST" && route.idempotent !== false ? idempotencyKeyOf(request.headers) : null;
  if (idempotencyKey === null) {
    return sendResult(reply, await handle(route, input));
  }
  let result: RouteResult | null = null;
  const done = await answerOnce(deps, request, input.key, idempotencyKey, async () => {
    result = await handleToEnd(route, input);
    return toAnswer(route, result);
  });
  if (result !== null) return sendResult(reply, result);
  void reply.header(REPLAYED_HEADER, "true");
  return sendResult(reply, {
    status: done.status,
    body: done.body,
    contentType: done.status < 400 ? "application/json" : "application/problem+json",
  });
}

function handle(route: RouteDefinition, input: RouteInput): RouteResult | Promise<RouteResult> {
  if (route.handle === null) throw new Error(`${route.operationId} has no handler`);
  return route.handle(input);
}

/** Problems that are the answer to a request, and no accident, are kept as answers are. */
async function handleToEnd(route: RouteDefinition, input: RouteInput): Promise<RouteResult> {
  try {
    return await handle(route, input);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status >= 500) throw error;
    return {
      status: error.status,
      body: toProblemDocument(error),
      contentType: "application/problem+json",
      headers: error.headers,
    };
  }
}

function toAnswer(route: RouteDefinition, { status, body }: RouteResult): Answer {
  const kept = status < 400 && route.forReplay !== undefined ? route.forReplay(body) : body;
  return { status, body: toText(body), kept: toText(kept) };
}

function sendResult(reply: FastifyReply, { status, body, contentType, headers }: RouteResult): FastifyReply {
  void reply.code(status).headers(headers ?? {});
  if (body === undefined || status === 204) return reply.send();
  return reply.type(contentType ?? "application/json").send(toText(body));
}

function toText(body: unknown): string {
  return typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
}

function isWebSocket(request: FastifyRequest): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
