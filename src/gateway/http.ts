import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { isRingbackError, RingbackError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import type { CallEvent } from "../whatsapp/call-event.ts";
import { explainCode } from "../whatsapp/error-catalogue.ts";
import { verifySubscription, verifyWebhookSignature } from "../whatsapp/signature.ts";
import { parseWebhook } from "../whatsapp/webhook.ts";

/** WhatsApp's webhooks are a few kilobytes; a batch of them stays far below this. */
const MAX_BODY_BYTES = 1_048_576;
/** Events that wait for their turn after the 200. Above it the webhook is refused, and WhatsApp repeats it. */
const MAX_WAITING_EVENTS = 10_000;
/** Meta gives a webhook up after about 20 s (Meta Calling API, "FAQ", read 2026-11-22). */
const REQUEST_TIMEOUT_MS = 20_000;

export interface HttpOptions {
  readonly appSecrets: readonly string[];
  readonly verifyTokens: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes the events of one webhook, after the 200 has left. */
  readonly onEvents: (events: readonly CallEvent[], receivedAtMs: number) => void;
  readonly health: () => { readonly status: "ok" | "draining"; readonly calls: number };
}

/** The gateway's HTTP side: `GET|POST /webhook` for WhatsApp and `GET /healthz` for whoever runs it. */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  // Signatures are over the bytes that came in: no parser may touch them before.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  addRequestLog(server, options.logger);

  server.get("/healthz", (_request, reply) => {
    const health = options.health();
    return reply.code(health.status === "ok" ? 200 : 503).send(health);
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
 * @throws {RingbackError} `OPTION_INVALID` when the port or the address cannot be had.
 */
export async function listenOn(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const fault = LISTEN_FAULTS[code];
    if (fault === undefined) throw error;
    throw new RingbackError("OPTION_INVALID", `${fault.option} ${fault.problem} (${host}, port ${port}).`, {
      details: { option: fault.option },
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
  let waitingEvents = 0;
  server.post("/webhook", (request, reply) => {
    const receivedAtMs = options.clock.nowMs();
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const header = request.headers["x-hub-signature-256"];
    try {
      verifyWebhookSignature(body, typeof header === "string" ? header : undefined, options.appSecrets);
      const { events, errors } = parseWebhook(body);
      for (const { code } of errors) logWebhookError(options.logger, code);
      if (waitingEvents + events.length > MAX_WAITING_EVENTS) {
        return refuse(reply, 503, "too many webhooks at once; send it again later");
      }
      waitingEvents += events.length;
      void reply.code(200).send();
      // The 200 leaves first: WhatsApp counts a slow answer as a failed delivery and repeats it.
      setImmediate(() => {
        waitingEvents -= events.length;
        options.onEvents(events, receivedAtMs);
      });
      return reply;
    } catch (error) {
      return refuseWebhook(reply, error, options.logger);
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
