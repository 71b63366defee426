import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Upgrades } from "../../platform/http-upgrade.ts";
import { NO_SCHEMAS } from "../no-schemas.ts";
import type { ApiContext } from "./context.ts";
import { answerClientError } from "./http/client-errors.ts";
import { Gate, type GatedRoute } from "./http/gate.ts";
import { InFlight } from "./http/in-flight.ts";
import { addJsonParser } from "./http/json-body.ts";
import { sendProblem, toProblem } from "./http/problem-reply.ts";
import { type RouteDeps, registerRoute } from "./http/register-route.ts";
import { type ApiLimits, DEFAULT_API_LIMITS } from "./limits/api-limits.ts";
import { ApiProblem } from "./problems.ts";
import type { RouteDefinition } from "./route.ts";
import { apiRoutes } from "./routes.ts";

/** Of ids in paths. */
const MAX_PARAM_CHARS = 200;
const MAX_HEADER_BYTES = 16_384;
/** How often slow requests are looked for, in ms. */
const TIMEOUT_CHECK_MS = 500;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** What is not there is hidden from those without a key. */
const UNKNOWN_ROUTE: GatedRoute = { access: "any-key", upgrade: null };

/**
 * The control API, ready for `listenOn`. It has a listener of its own, apart from the webhook's. Close it before the store.
 * Without a key, nothing but `/healthz` and `/readyz` answers.
 */
export function createApiServer(context: ApiContext): FastifyInstance {
  const limits: ApiLimits = { ...DEFAULT_API_LIMITS, ...context.limits };
  const server = openServer(context, limits);
  const { clock, logger, store } = context;
  const gate = new Gate({ apiKeys: store.apiKeys, clock, logger, limits });
  let upgrades: Upgrades | null = null;
  const deps: RouteDeps = {
    gate,
    inFlight: new InFlight(limits.maxInFlight),
    idempotency: store.idempotency,
    clock,
    logger,
    upgrades: () => upgrades,
  };
  addJsonParser(server);
  addHeaders(server);
  addRequestLog(server, context);
  server.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error, logger)));
  const routes = apiRoutes(context);
  for (const route of routes) registerRoute(server, route, deps);
  addOtherMethods(server, routes, gate);
  server.addHook("preClose", async () => {
    for (const route of routes) route.onClose?.();
  });
  server.setNotFoundHandler(async (request, reply) => {
    await gate.admit(request, reply, UNKNOWN_ROUTE);
    throw new ApiProblem("not_found", "There is nothing at this path.");
  });
  server.server.maxConnections = limits.maxConnections;
  upgrades = new Upgrades(server.server, (request, response) => server.routing(request, response));
  return server;
}

function openServer(context: ApiContext, limits: ApiLimits): FastifyInstance {
  const { trustedProxies = [], logger } = context;
  return fastify({
    logger: false,
    schemaController: NO_SCHEMAS,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(reply, toProblem(error, logger));
    },
  });
}

/** A path that is there, asked with a method that is not. */
function addOtherMethods(server: FastifyInstance, routes: readonly RouteDefinition[], gate: Gate): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path).map((route) => route.method);
    server.route({
      method: METHODS.filter((method) => !known.includes(method)),
      url: path.replace(/\{(\w+)\}/g, ":$1"),
      onRequest: async (request, reply) => {
        await gate.admit(request, reply, UNKNOWN_ROUTE);
        const allowed = known.join(", ");
        throw new ApiProblem("method_not_allowed", `It takes ${allowed}.`, { headers: { allow: allowed } });
      },
      handler: (_request, reply) => reply.send(),
    });
  }
}

/** Answers hold call data: nobody between may keep them, and no browser may take them for another thing. */
function addHeaders(server: FastifyInstance): void {
  server.addHook("onRequest", (request, reply, done) => {
    void reply.headers({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    if (countHosts(request.raw.rawHeaders) <= 1) return done();
    // Node takes the first one (RFC 9112, section 3.2, wants it refused): a proxy before it may have taken the other.
    void reply.header("connection", "close");
    return done(new ApiProblem("malformed_request", "Send one Host."));
  });
}

function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length;
}

/** Route, not URL: the query of a signed URL is a key. */
function addRequestLog(server: FastifyInstance, { logger, observer }: ApiContext): void {
  server.addHook("onResponse", (request, reply, done) => {
    const { method, routeOptions } = request;
    const fields = {
      method,
      route: routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    observer?.apiRequest?.(method, fields.route ?? "unknown", reply.statusCode, reply.elapsedTime);
    if (reply.statusCode >= 400) logger.info(fields, "API request refused");
    else logger.debug(fields, "API request answered");
    done();
  });
}
