import { z } from "zod";
import { EVENT_TYPES, type EventType } from "./event-types.ts";
import { EVENT_DATA, eventEnvelope } from "./schemas.ts";

type JsonSchema = { readonly [key: string]: unknown };

/** Messages of the WebSocket, as the gateway's own schemas have them. */
export interface StreamSchemas {
  /** What a client sends, by the name of the message. */
  readonly client: Readonly<Record<string, z.ZodType>>;
  /** What it gets beside events. */
  readonly server: Readonly<Record<string, z.ZodType>>;
}

const PAYLOAD = "#/components/schemas/";
const MESSAGE = "#/components/messages/";

/**
 * The document of all events (AsyncAPI 3.0.0): what they hold, and the three ways that they take.
 *
 * @param version Of Ringback.
 */
export function asyncApiDocument(version: string, stream: StreamSchemas): JsonSchema {
  const clientNames = Object.keys(stream.client);
  const serverNames = Object.keys(stream.server);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Ringback events",
      version,
      description: [
        "What happens in calls, in order per call, at least once: know a repetition by the event's `id`.",
        "docs/events.md tells how to receive them, docs/api.md how to ask for them.",
      ].join(" "),
    },
    defaultContentType: "application/json",
    servers: {
      api: {
        host: "127.0.0.1:3001",
        protocol: "http",
        description: "The control API of a gateway: its address is a setting.",
        security: [{ $ref: "#/components/securitySchemes/key" }],
      },
    },
    channels: {
      webhook: {
        address: null,
        title: "Webhook endpoints",
        description:
          "A POST to the URL of each endpoint that was made with `POST /v1/webhooks`, signed by Standard Webhooks.",
        messages: refs(EVENT_TYPES.map(webhookName)),
      },
      serverSentEvents: {
        address: "/v1/events",
        title: "Server-sent events",
        description:
          "`GET` with `Accept: text/event-stream`. `id` is the cursor, `data` the event. Last-Event-ID, or `after`, goes on.",
        servers: [{ $ref: "#/servers/api" }],
        messages: refs(streamTypes()),
      },
      webSocket: {
        address: "/v1/events/stream",
        title: "WebSocket",
        description: "Subprotocol `ringback.v1`. The client subscribes once.",
        servers: [{ $ref: "#/servers/api" }],
        messages: refs([...clientNames, ...serverNames, "event"]),
      },
    },
    operations: {
      deliver: operation("send", "webhook", EVENT_TYPES.map(webhookName)),
      stream: operation("send", "serverSentEvents", streamTypes()),
      tell: operation("send", "webSocket", [...serverNames, "event"]),
      listen: operation("receive", "webSocket", clientNames),
    },
    components: {
      messages: {
        ...Object.fromEntries(streamTypes().map((type) => [type, eventMessage(type)])),
        ...Object.fromEntries(EVENT_TYPES.map((type) => [webhookName(type), webhookMessage(type)])),
        ...Object.fromEntries([...clientNames, ...serverNames].map((name) => [name, plainMessage(name)])),
        event: plainMessage("event"),
      },
      schemas: {
        ...Object.fromEntries(EVENT_TYPES.map((type) => [type, eventSchema(type)])),
        ...Object.fromEntries(
          Object.entries({ ...stream.client, ...stream.server }).map(([name, schema]) => [
            name,
            toJson(schema),
          ]),
        ),
        event: socketEvent(),
        webhookHeaders: WEBHOOK_HEADERS,
      },
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "A key of this gateway with the scope `events:read`.",
        },
      },
    },
  };
}

/** Tests of endpoints come to endpoints alone. */
function streamTypes(): readonly EventType[] {
  return EVENT_TYPES.filter((type) => type !== "webhook.test");
}

function webhookName(type: EventType): string {
  return `delivery.${type}`;
}

function refs(names: readonly string[]): JsonSchema {
  return Object.fromEntries(names.map((name) => [name, { $ref: MESSAGE + name }]));
}

function operation(action: "send" | "receive", channel: string, names: readonly string[]): JsonSchema {
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  };
}

function eventMessage(type: EventType): JsonSchema {
  const { description } = z.toJSONSchema(EVENT_DATA[type]);
  return { name: type, summary: description, payload: { $ref: PAYLOAD + type } };
}

function webhookMessage(type: EventType): JsonSchema {
  return { ...eventMessage(type), headers: { $ref: `${PAYLOAD}webhookHeaders` } };
}

function plainMessage(name: string): JsonSchema {
  return { name, payload: { $ref: PAYLOAD + name } };
}

/** The envelope, with the one type and its data. */
function eventSchema(type: EventType): JsonSchema {
  const envelope = toJson(eventEnvelope) as { readonly properties: JsonSchema };
  const properties = { ...envelope.properties, type: { const: type }, data: toJson(EVENT_DATA[type]) };
  return { ...envelope, properties };
}

function socketEvent(): JsonSchema {
  return {
    type: "object",
    properties: {
      type: { const: "event" },
      cursor: { type: "string", description: "Where to go on behind this event." },
      event: { oneOf: streamTypes().map((type) => ({ $ref: PAYLOAD + type })) },
    },
    required: ["type", "cursor", "event"],
  };
}

const WEBHOOK_HEADERS: JsonSchema = {
  type: "object",
  properties: {
    "webhook-id": { type: "string", description: "The event's id: the same in each attempt." },
    "webhook-timestamp": { type: "string", description: "Of the attempt, in seconds since 1970." },
    "webhook-signature": {
      type: "string",
      description: "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; several with spaces between.",
    },
  },
  required: ["webhook-id", "webhook-timestamp", "webhook-signature"],
};

/** Readers get what is sent, and ignore what they do not know: nothing is closed for additions. */
function toJson(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return json;
}
