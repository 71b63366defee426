import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { isRingbackError } from "../errors.ts";
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
  const server = fastify({ logger: false, bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true });
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
      return refuseWebhook(reply, error);
    }
  });
}

/** An error that belongs to no call, such as a missing payment method. */
function logWebhookError(logger: Logger, code: number): void {
  const { meaning, nextStep } = explainCode(code);
  logger.warn({ code, meaning, nextStep }, "WhatsApp reports an error");
}

function refuseWebhook(reply: FastifyReply, error: unknown): FastifyReply {
  if (isRingbackError(error, "WEBHOOK_SIGNATURE_INVALID")) return refuse(reply, 401, error.message);
  if (isRingbackError(error, "WEBHOOK_BODY_INVALID")) return refuse(reply, 400, error.message);
  throw error;
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
