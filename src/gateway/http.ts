import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { isRingbackError, RingbackError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import { explainCode } from "../whatsapp/error-catalogue.ts";
import { verifySubscription, verifyWebhookSignature } from "../whatsapp/signature.ts";
import { parseWebhook } from "../whatsapp/webhook.ts";
import type { Readiness } from "./api/context.ts";
import type { Intake } from "./intake/intake.ts";
import { NO_SCHEMAS } from "./no-schemas.ts";
import type { GatewayObserver } from "./observer.ts";

/** WhatsApp's webhooks are a few kilobytes; a batch of them stays far below this. */
const MAX_BODY_BYTES = 1_048_576;
/** Meta gives a webhook up after about 20 s (Meta Calling API, "FAQ", read 2026-11-22). */
const REQUEST_TIMEOUT_MS = 20_000;

export interface HttpOptions {
  readonly appSecrets: readonly string[];
  readonly verifyTokens: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keeps the events of one webhook; `act` is called when the 200 has left. */
  readonly take: Intake["take"];
  readonly health: () => GatewayHealth;
  readonly readiness: () => Promise<Readiness>;
  readonly observer: GatewayObserver;
}

/** Is the process well? It is, while it drains, too. */
export interface GatewayHealth {
  readonly status: "ok" | "draining";
  readonly calls: number;
}

/** The gateway's HTTP side: `GET|POST /webhook` for WhatsApp, `GET /healthz` and `/readyz` for whoever runs it. */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const server = fastify({
    logger: false,
    schemaController: NO_SCHEMAS,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  // Signatures are over the bytes that came in: no parser may touch them before.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  addRequestLog(server, options.logger);

  server.get("/healthz", (_request, reply) => reply.send(options.health()));
  server.get("/readyz", async (_request, reply) => {
    const readiness = await options.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  server.get("/webhook", (request, reply) => {
    const challenge = verifySubscription(request.query as Record<string, unknown>, options.verifyTokens);
    if (challenge === null)
      return refuse(reply, 403, "hub.verify_token is not the one that this gateway expects");
    return reply.type("text/plain").send(challenge);
  });
  addWebhookInlet(server, options);
  return server;
}

/**
 * Opens the server's port and resolves with its origin, `http://127.0.0.1:3000`.
 * @param prefix Of the names that host and port have as options.
 * @throws {RingbackError} `OPTION_INVALID` when the port or the address cannot be had.
 */
export async function listenOn(
  server: FastifyInstance,
  host: string,
  port: number,
  prefix: "" | "api." = "",
): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const fault = LISTEN_FAULTS[code];
    if (fault === undefined) throw error;
    const option = prefix + fault.option;
    throw new RingbackError("OPTION_INVALID", `${option} ${fault.problem} (${host}, port ${port}).`, {
      details: { option },
      retryable: code === "EADDRINUSE",
      cause: error,
    });
  }
}

const LISTEN_FAULTS: Readonly<Record<string, { readonly option: string; readonly problem: string }>> = {
  EADDRINUSE: { option: "port", problem: "is taken by another program; choose another one" },
  EACCES: { option: "port", problem: "needs rights that this program does not have; choose one above 1023" },
  ERR_SOCKET_BAD_PORT: { option: "port", problem: "must be a whole number from 0 to 65535" },
  EADDRNOTAVAIL: { option: "host", problem: "must be an address of this machine, or 0.0.0.0 for all" },
  ENOTFOUND: { option: "host", problem: "must be an address of this machine, or 0.0.0.0 for all" },
};

function addWebhookInlet(server: FastifyInstance, options: HttpOptions): void {
  const { clock, logger, appSecrets, take, observer } = options;
  server.post("/webhook", async (request, reply) => {
    const receivedAtMs = clock.nowMs();
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const header = request.headers["x-hub-signature-256"];
    const answered = (): void => observer.webhookAnswered?.(reply.statusCode, clock.nowMs() - receivedAtMs);
    try {
      verifyWebhookSignature(body, typeof header === "string" ? header : undefined, appSecrets);
      const { events, errors } = parseWebhook(body);
      for (const { code } of errors) logWebhookError(logger, code);
      const taken = await take(body, events, receivedAtMs);
      if (taken.outcome === "refused") {
        return refuse(reply, 503, "the webhook cannot be kept now; send it again later");
      }
      void reply.code(200).send();
      // The 200 leaves first: WhatsApp counts a slow answer as a failed delivery and repeats it.
      setImmediate(taken.act);
      return reply;
    } catch (error) {
      return refuseWebhook(reply, error, logger);
    } finally {
      answered();
    }
  });
}

/** An error that belongs to no call, such as a missing payment method. */
function logWebhookError(logger: Logger, code: number): void {
  const { meaning, nextStep } = explainCode(code);
  logger.warn({ code, meaning, nextStep }, "WhatsApp reports an error");
}

function refuseWebhook(reply: FastifyReply, error: unknown, logger: Logger): FastifyReply {
  const isForged = isRingbackError(error, "WEBHOOK_SIGNATURE_INVALID");
  if (!isForged && !isRingbackError(error, "WEBHOOK_BODY_INVALID")) throw error;
  const { code, details } = error;
  logger.warn({ code, reason: details.reason }, "webhook refused");
  return refuse(reply, isForged ? 401 : 400, error.message);
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: message });
}

/** Route, not URL: the query of a verification carries the verify token. */
function addRequestLog(server: FastifyInstance, logger: Logger): void {
  server.addHook("onResponse", (request, reply, done) => {
    const fields = {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (reply.statusCode >= 400) logger.warn(fields, "HTTP request refused");
    else logger.debug(fields, "HTTP request answered");
    done();
  });
}
