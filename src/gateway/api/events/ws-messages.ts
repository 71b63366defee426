import { z } from "zod";
import type { StreamSchemas } from "../../../core/events/asyncapi.ts";
import { type AskedEvents, eventCursor, eventFilterMessage } from "./event-query.ts";

/** Events that are sent ahead of what the client has acknowledged, when it asks for such a window. */
export const MAX_WINDOW = 1_000;

export interface SubscribeMessage {
  readonly type: "subscribe";
  readonly after?: string | undefined;
  readonly filter?: AskedEvents | undefined;
  readonly window?: number | undefined;
}

export interface AckMessage {
  readonly type: "ack";
  readonly cursor: string;
}

const subscribeMessage = z
  .strictObject({
    type: z.literal("subscribe"),
    after: eventCursor,
    filter: eventFilterMessage.optional(),
    window: z
      .number()
      .int()
      .min(1)
      .max(MAX_WINDOW)
      .optional()
      .describe("So many events are sent before the client has to acknowledge. Default: no limit."),
  })
  .describe("Said once, within 10 s.");

const ackMessage = z
  .strictObject({
    type: z.literal("ack"),
    cursor: z.string().max(200).describe("Of the last event that is done with, and so all before it."),
  })
  .describe("Makes room in the window.");

const clientMessage: z.ZodType<SubscribeMessage | AckMessage> = z.discriminatedUnion("type", [
  subscribeMessage,
  ackMessage,
]);

/** What is said over the socket beside events: for the document. */
export const STREAM_SCHEMAS: StreamSchemas = {
  client: { subscribe: subscribeMessage, ack: ackMessage },
  server: {
    ready: z.object({ type: z.literal("ready"), cursor: z.string() }).describe("Where the stream begins."),
    error: z
      .object({ type: z.literal("error"), code: z.string(), detail: z.string() })
      .describe("Why the connection is closed after this."),
  },
};

/** Null for what is no message of a client. */
export function readClientMessage(text: string): SubscribeMessage | AckMessage | null {
  try {
    const result = clientMessage.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

export function readyText(cursor: string): string {
  return JSON.stringify({ type: "ready", cursor });
}

/** @param envelope JSON already: it is sent to many, and not read here. */
export function eventText(cursor: string, envelope: string): string {
  return `{"type":"event","cursor":"${cursor}","event":${envelope}}`;
}

/** What a client gets before its connection is closed for a reason. */
export function errorText(code: string, detail: string): string {
  return JSON.stringify({ type: "error", code, detail });
}
