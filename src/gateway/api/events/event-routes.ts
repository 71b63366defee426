import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { toEnvelope } from "../../../core/events/envelope.ts";
import { eventEnvelope } from "../../../core/events/schemas.ts";
import type { ApiKeyRecord, EventFilter } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { InstanceKeys } from "../cursors/instance-keys.ts";
import { isOfKey } from "../cursors/own-number.ts";
import { pageLimit } from "../pages.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { type EventQuery, eventCursor, eventQuery, filterFor } from "./event-query.ts";
import { EventStreams } from "./event-streams.ts";
import { SseTransport } from "./sse-transport.ts";
import { WsServer } from "./ws-server.ts";

const EVENT_STREAM = "text/event-stream";

const eventPage: z.ZodType = z.object({
  items: z.array(eventEnvelope),
  next: z
    .string()
    .describe("`after` of the following page. It is always there: ask with it again for what comes later."),
  has_more: z.boolean().describe("Whether the following page has something already."),
});

/** Everything about events, as lists and as streams. */
export function eventRoutes(context: ApiContext): readonly RouteDefinition[] {
  const streams = new EventStreams(context, new InstanceKeys(context.store), context.streams);
  return [
    listEvents(context, streams),
    listEventsOfCall(context, streams),
    streamEvents(new WsServer(context, streams), streams),
  ];
}

function listEvents(context: ApiContext, streams: EventStreams): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/events",
    operationId: "listEvents",
    tag: "Events",
    summary: "Read events, or have them sent as they happen",
    description: [
      "A page of events, oldest first. Hand `next` back as `after` to go on, as long as you like: it does not run out before the",
      "events do. With `Accept: text/event-stream` the answer does not end: events come as server-sent events, `id` being the",
      "cursor. After a cut a client goes on with `Last-Event-ID`, or `after`, and misses nothing. A stream begins with what comes",
      "from now on, unless it is told where.",
    ].join(" "),
    access: "events:read",
    isStream: true,
    query: eventQuery(pageLimit),
    responses: {
      200: { description: "A page of events, or the stream of them.", schema: eventPage },
    },
    problems: ["invalid_cursor", "cursor_expired", "too_many_streams"],
    raw: async (request, reply, { key, query }) => {
      const filter = filterFor(key, query);
      if (wantsStream(request)) return openStream(request, reply, key, filter, query, streams);
      return reply.send(await readPage(context, streams, filter, query));
    },
  });
}

function listEventsOfCall(context: ApiContext, streams: EventStreams): RouteDefinition {
  const query: z.ZodType<Pick<EventQuery, "after" | "limit">> = z.strictObject({
    after: eventCursor,
    limit: pageLimit,
  });
  return defineRoute({
    method: "GET",
    path: "/v1/calls/{id}/events",
    operationId: "listEventsOfCall",
    tag: "Events",
    summary: "Read the events of a call",
    description: "Oldest first. Their `seq` counts from 1 without a gap.",
    access: "events:read",
    params: z.object({ id: z.string().max(100) }),
    query,
    responses: { 200: { description: "A page of the call's events.", schema: eventPage } },
    problems: ["not_found", "invalid_cursor", "cursor_expired"],
    handle: async ({ key, params, query: asked }) => {
      const call = await context.store.calls.get(params.id);
      if (call === null || !isOfKey(key, call.phoneNumberId)) {
        throw new ApiProblem("not_found", "There is no such call.");
      }
      return { status: 200, body: await readPage(context, streams, { callId: call.id }, asked) };
    },
  });
}

function streamEvents(server: WsServer, streams: EventStreams): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/events/stream",
    operationId: "streamEvents",
    tag: "Events",
    summary: "Have events sent over a WebSocket",
    description: [
      "Subprotocol `ringback.v1`. Who cannot set headers sends the key as a second subprotocol, `ringback.key.<key>`. First say",
      '`{"type":"subscribe"}`, if you like with `after` (a cursor, `oldest` or `now`), `filter` (`call_id`, `phone_number_id`,',
      '`type`, a list) and `window`. Then come `{"type":"ready","cursor":…}` and `{"type":"event","cursor":…,"event":…}`.',
      'With a `window`, so many events come before you say `{"type":"ack","cursor":…}`. docs/asyncapi.json has all of it.',
    ].join(" "),
    access: "events:read",
    isStream: true,
    responses: { 101: { description: "From here on it is a WebSocket." } },
    problems: ["upgrade_required", "origin_refused", "too_many_streams"],
    handle: () => {
      const headers = { upgrade: "websocket", connection: "upgrade" };
      throw new ApiProblem("upgrade_required", "Open this as a WebSocket, or read GET /v1/events.", {
        headers,
      });
    },
    upgrade: (upgrade, { key }) => server.accept(upgrade, key),
    onClose: () => streams.close(),
  });
}

async function readPage(
  context: ApiContext,
  streams: EventStreams,
  filter: EventFilter,
  { after, limit }: Pick<EventQuery, "after" | "limit">,
): Promise<object> {
  const position = await streams.positionOf(after, "oldest");
  // One more than asked for tells whether there is a following page.
  const found = await context.store.events.read(filter, { after: position, limit: limit + 1 });
  const events = found.slice(0, limit);
  const cursors = await streams.keys.cursors();
  return {
    items: events.map((event) => toEnvelope(event, 1)),
    next: cursors.write("events", events.at(-1)?.position ?? position),
    has_more: found.length > limit,
  };
}

async function openStream(
  request: FastifyRequest,
  reply: FastifyReply,
  key: ApiKeyRecord,
  filter: EventFilter,
  query: EventQuery,
  streams: EventStreams,
): Promise<void> {
  const lastId = request.headers["last-event-id"];
  const after = typeof lastId === "string" && lastId !== "" ? lastId : query.after;
  const giveBack = streams.takeSlot(key);
  reply.raw.once("close", giveBack);
  try {
    const position = await streams.positionOf(after, "now");
    const cursor = (await streams.keys.cursors()).write("events", position);
    const transport = new SseTransport(reply.raw);
    const session = await streams.open(key, filter, position, transport);
    reply.raw.once("close", () => streams.forget(session));
    reply.hijack();
    transport.open(
      { ...plainHeaders(reply), "content-type": EVENT_STREAM, "x-accel-buffering": "no" },
      cursor,
    );
    if (reply.raw.destroyed) streams.forget(session);
    else session.start();
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** What fastify would have sent. */
function plainHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** Listed in any place: who can read a stream, and asks for it by name, gets it. */
function wantsStream(request: FastifyRequest): boolean {
  const { accept = "" } = request.headers;
  return accept.split(",").some((range) => range.split(";")[0]?.trim().toLowerCase() === EVENT_STREAM);
}
