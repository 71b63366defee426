import { z } from "zod";
import { isId } from "../../../core/events/id.ts";
import type { ApiKeyRecord } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { isOfKey } from "../cursors/own-number.ts";
import { isoTime, isoTimeOrNull } from "../pages.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { SCOPES } from "../scopes.ts";
import { createKey, keyState, type NewKey, revokeKey } from "./key-admin.ts";

/** Ten years, in s: what is longer is meant as `never`. */
const MAX_LIFE_S = 315_360_000;

const time = z.iso.datetime({ precision: 3 });

const keyFields = {
  id: z.string().describe("`key_…`"),
  name: z.string(),
  state: z.enum(["active", "expired", "revoked"]),
  scopes: z.array(z.enum(SCOPES)),
  phone_number_id: z.string().nullable().describe("The only number that it sees and touches; null: all."),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable().describe("Up to a minute late."),
  revoked_at: time.nullable(),
};

const keySchema = z.object(keyFields).meta({ id: "ApiKey" });
const newKeySchema = z
  .object({
    ...keyFields,
    key: z
      .string()
      .nullable()
      .describe("`rbk_…`: shown here alone. Null in the answer to a repeated `Idempotency-Key`."),
  })
  .meta({ id: "NewApiKey" });

const createBody = z
  .strictObject({
    name: z.string().trim().min(1).max(100).describe("For people. Nothing personal, no secret."),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).describe("What it may do."),
    phone_number_id: z
      .string()
      .regex(/^\d{1,32}$/, "must be digits: the phone number id")
      .nullable()
      .optional()
      .describe("The only number that it sees and touches. Default: that of the key that makes it."),
    expires_in_s: z
      .int()
      .min(60)
      .max(MAX_LIFE_S)
      .optional()
      .describe("Default: never, or with the key that makes it."),
  })
  .meta({ id: "CreateApiKey" });

export function keyRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [createRoute(context), listRoute(context), revokeRoute(context)];
}

function createRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "POST",
    path: "/v1/keys",
    operationId: "createKey",
    tag: "Keys",
    summary: "Makes an API key.",
    description: "It can have no more scopes, no other number and no longer life than the key that makes it.",
    access: "keys:admin",
    body: createBody,
    responses: { 201: { description: "The key, and its secret this once.", schema: newKeySchema } },
    problems: ["grant_too_wide"],
    forReplay: (body) => ({ ...(body as object), key: null }),
    handle: async ({ body, key }) => {
      const wallMs = context.clock.wallMs();
      const { key: made, token } = await createKey(context, granted(body, key, wallMs), key.id);
      return { status: 201, body: { ...toKeyResource(made, wallMs), key: token } };
    },
  });
}

function listRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/keys",
    operationId: "listKeys",
    tag: "Keys",
    summary: "Lists the API keys, without their secrets.",
    access: "keys:admin",
    responses: { 200: { description: "All keys.", schema: z.object({ items: z.array(keySchema) }) } },
    handle: async ({ key }) => {
      const wallMs = context.clock.wallMs();
      const keys = (await context.store.apiKeys.list()).filter((one) => isOfKey(key, one.phoneNumberId));
      return { status: 200, body: { items: keys.map((one) => toKeyResource(one, wallMs)) } };
    },
  });
}

function revokeRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "DELETE",
    path: "/v1/keys/{id}",
    operationId: "revokeKey",
    tag: "Keys",
    summary: "Revokes an API key, from its next request on.",
    access: "keys:admin",
    params: z.strictObject({
      id: z.string().refine((text) => isId("key", text), "must be the id of a key: key_ and 32 hex digits"),
    }),
    responses: { 204: { description: "It is revoked." } },
    problems: ["not_found"],
    handle: async ({ params: { id }, key }) => {
      const found = await context.store.apiKeys.get(id);
      const isRevoked =
        found !== null && isOfKey(key, found.phoneNumberId) && (await revokeKey(context, id, key.id));
      if (!isRevoked) throw new ApiProblem("not_found", "There is no such key, or it is revoked already.");
      return { status: 204 };
    },
  });
}

/** Nothing that its maker does not have. */
function granted(body: z.output<typeof createBody>, maker: ApiKeyRecord, wallMs: number): NewKey {
  const missing = body.scopes.filter((scope) => !maker.scopes.includes(scope));
  if (missing.length > 0)
    throw new ApiProblem("grant_too_wide", `The key that asks does not have ${missing.join(", ")}.`);
  const phoneNumberId = body.phone_number_id ?? maker.phoneNumberId;
  if (!isOfKey(maker, phoneNumberId))
    throw new ApiProblem("grant_too_wide", "The key that asks is for another phone number.");
  const expiresAt =
    body.expires_in_s === undefined ? maker.expiresAt : Math.round(wallMs) + body.expires_in_s * 1_000;
  if (maker.expiresAt !== null && (expiresAt ?? Number.POSITIVE_INFINITY) > maker.expiresAt)
    throw new ApiProblem("grant_too_wide", "The key that asks expires before.");
  return { name: body.name, scopes: body.scopes, phoneNumberId, expiresAt };
}

function toKeyResource(key: ApiKeyRecord, wallMs: number): object {
  return {
    id: key.id,
    name: key.name,
    state: keyState(key, wallMs),
    scopes: key.scopes,
    phone_number_id: key.phoneNumberId,
    created_at: isoTime(key.createdAt),
    expires_at: isoTimeOrNull(key.expiresAt),
    last_used_at: isoTimeOrNull(key.lastUsedAt),
    revoked_at: isoTimeOrNull(key.revokedAt),
  };
}
