import { z } from "zod";
import { isId } from "../../../core/events/id.ts";
import type { CallFilter } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { isOfKey, narrowToKey } from "../cursors/own-number.ts";
import { requireCursor } from "../cursors/read-cursor.ts";
import { pageCursor, pageLimit, pageOf } from "../pages.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { callIdSchema } from "./call-id.ts";
import { callSchema, toCallResource } from "./call-resource.ts";

const listQuery = z.strictObject({
  state: z.enum(["ringing", "connecting", "active", "ended"]).optional(),
  direction: z.enum(["inbound", "outbound"]).optional(),
  phone_number_id: z
    .string()
    .regex(/^\d{1,32}$/, "must be digits")
    .optional(),
  end_reason: z
    .string()
    .regex(/^[a-z_]{1,64}$/, "must be a reason such as caller_hangup")
    .optional(),
  number: z
    .string()
    .regex(/^\d{3,20}$/, "must be the digits of a phone number, with its country code")
    .optional()
    .describe("Digits of the other side's number."),
  created_from: z.iso.datetime({ offset: true }).optional().describe("ISO 8601; calls from then on."),
  created_before: z.iso.datetime({ offset: true }).optional().describe("ISO 8601; calls before then."),
  cursor: pageCursor,
  limit: pageLimit,
});

export function callRoutes({ store }: ApiContext): readonly RouteDefinition[] {
  const list = defineRoute({
    method: "GET",
    path: "/v1/calls",
    operationId: "listCalls",
    tag: "Calls",
    summary: "Lists calls, the newest first.",
    access: "calls:read",
    query: listQuery,
    responses: { 200: { description: "A page of calls.", schema: pageOf(callSchema) } },
    problems: ["invalid_cursor"],
    handle: async ({ query, key }) => {
      const after = query.cursor === undefined ? {} : { after: requireCursor(readCursor(query.cursor)) };
      const filter = toFilter(query, narrowToKey(key, query.phone_number_id));
      const { items, next } = await store.calls.list(filter, { ...after, limit: query.limit });
      const cursor = next === null ? null : Buffer.from(String(next)).toString("base64url");
      return { status: 200, body: { items: items.map(toCallResource), next: cursor } };
    },
  });
  const get = defineRoute({
    method: "GET",
    path: "/v1/calls/{id}",
    operationId: "getCall",
    tag: "Calls",
    summary: "Gives one call.",
    access: "calls:read",
    params: z.strictObject({ id: callIdSchema }),
    responses: { 200: { description: "The call.", schema: callSchema } },
    problems: ["not_found"],
    handle: async ({ params, key }) => {
      const call = await store.calls.get(params.id);
      if (call === null || !isOfKey(key, call.phoneNumberId)) throw noSuchCall();
      return { status: 200, body: toCallResource(call) };
    },
  });
  return [list, get];
}

export function noSuchCall(): ApiProblem {
  return new ApiProblem("not_found", "There is no such call.");
}

function toFilter(query: z.infer<typeof listQuery>, phoneNumberId: string | undefined): CallFilter {
  const {
    state,
    direction,
    end_reason: endReason,
    number,
    created_from: from,
    created_before: before,
  } = query;
  return {
    ...(phoneNumberId !== undefined && { phoneNumberId }),
    ...(state !== undefined && { state }),
    ...(direction !== undefined && { direction }),
    ...(endReason !== undefined && { endReason: endReason.replaceAll("_", "-") }),
    ...(number !== undefined && { number }),
    ...(from !== undefined && { createdFrom: Date.parse(from) }),
    ...(before !== undefined && { createdBefore: Date.parse(before) }),
  };
}

/** The id of the last call of the page before: it tells nothing but what the page has told. */
function readCursor(cursor: string): string | null {
  const id = Buffer.from(cursor, "base64url").toString("latin1");
  return isId("call", id) ? id : null;
}
