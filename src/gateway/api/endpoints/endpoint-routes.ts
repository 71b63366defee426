import { z } from "zod";
import { createWebhookSecret } from "../../../core/delivery/webhook-secret.ts";
import { EVENT_TYPES, type EventType } from "../../../core/events/event-types.ts";
import { createId } from "../../../core/events/id.ts";
import type { WebhookEndpoint } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { isOfKey, narrowToKey } from "../cursors/own-number.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { deliveryRoutes } from "./delivery-routes.ts";
import { endpointSchema, newEndpointSchema, toEndpointResource, withoutSecret } from "./endpoint-resource.ts";
import { findEndpoint, notFound, requireRoom, rotate } from "./endpoint-store.ts";
import { judgeEndpoint } from "./judge-endpoint.ts";

const TAG = "Webhooks";
const MAX_DESCRIPTION = 200;
const DEFAULT_OVERLAP_S = 86_400;
const MAX_OVERLAP_S = 7 * 86_400;

const idParams = z.object({ id: z.string().max(100) });
const url = z
  .string()
  .max(8_192)
  .describe("Where events are posted to: https, unless the gateway allows http.");
const types = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .max(EVENT_TYPES.length)
  .nullable()
  .describe("Types to deliver; null: all.");
const description = z.string().max(MAX_DESCRIPTION).describe("For people. Nothing personal belongs here.");

export function endpointRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [
    listEndpoints(context),
    createEndpoint(context),
    getEndpoint(context),
    changeEndpoint(context),
    removeEndpoint(context),
    rotateSecret(context),
    ...deliveryRoutes(context),
  ];
}

function listEndpoints({ store, clock }: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/webhooks",
    operationId: "listWebhooks",
    tag: TAG,
    summary: "List webhook endpoints",
    access: "webhooks:admin",
    responses: { 200: { description: "All of them.", schema: z.object({ items: z.array(endpointSchema) }) } },
    handle: async ({ key }) => {
      const endpoints = await store.endpoints.list();
      const own = endpoints.filter(({ phoneNumberId }) => isOfKey(key, phoneNumberId));
      return { status: 200, body: { items: own.map((one) => toEndpointResource(one, clock.wallMs())) } };
    },
  });
}

interface NewEndpointBody {
  readonly url: string;
  readonly types: readonly EventType[] | null;
  readonly phone_number_id?: string | undefined;
  readonly description: string;
}

function createEndpoint(context: ApiContext): RouteDefinition {
  const body: z.ZodType<NewEndpointBody> = z.strictObject({
    url,
    types: types.default(null),
    phone_number_id: z
      .string()
      .regex(/^\d{1,32}$/)
      .optional()
      .describe("Events of this number only."),
    description: description.default(""),
  });
  const { store, clock, random, requestPolicy } = context;
  return defineRoute({
    method: "POST",
    path: "/v1/webhooks",
    operationId: "createWebhook",
    tag: TAG,
    summary: "Have events delivered to an endpoint",
    description:
      "From now on. Deliveries are signed by Standard Webhooks with the secret, which is shown once.",
    access: "webhooks:admin",
    body,
    responses: { 201: { description: "The endpoint, with its secret.", schema: newEndpointSchema } },
    problems: ["url_refused", "too_many_endpoints"],
    forReplay: withoutSecret,
    handle: async ({ key, body: asked, signal }) => {
      await requireRoom(context);
      const now = Math.round(clock.wallMs());
      const secret = createWebhookSecret(random);
      const endpoint: WebhookEndpoint = {
        id: createId("whe", now, random),
        url: await judgeEndpoint(asked.url, requestPolicy, signal),
        types: asked.types,
        phoneNumberId: narrowToKey(key, asked.phone_number_id) ?? null,
        secrets: [{ secret, expiresAt: null }],
        state: "enabled",
        disabledReason: null,
        description: asked.description,
        createdAt: now,
      };
      await store.endpoints.create(endpoint);
      await note(context, key.id, "webhook.created", endpoint.id);
      return { status: 201, body: { ...toEndpointResource(endpoint, now), secret } };
    },
  });
}

function getEndpoint(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/v1/webhooks/{id}",
    operationId: "getWebhook",
    tag: TAG,
    summary: "Fetch a webhook endpoint",
    access: "webhooks:admin",
    params: idParams,
    responses: { 200: { description: "The endpoint.", schema: endpointSchema } },
    problems: ["not_found"],
    handle: async ({ key, params }) => {
      const endpoint = await findEndpoint(context, params.id, key);
      return { status: 200, body: toEndpointResource(endpoint, context.clock.wallMs()) };
    },
  });
}

interface ChangeBody {
  readonly url?: string | undefined;
  readonly types?: readonly EventType[] | null | undefined;
  readonly state?: "enabled" | "disabled" | undefined;
  readonly description?: string | undefined;
}

function changeEndpoint(context: ApiContext): RouteDefinition {
  const body: z.ZodType<ChangeBody> = z.strictObject({
    url: url.optional(),
    types: types.optional(),
    state: z
      .enum(["enabled", "disabled"])
      .optional()
      .describe("`enabled` also takes one up again that was `gone`."),
    description: description.optional(),
  });
  return defineRoute({
    method: "PATCH",
    path: "/v1/webhooks/{id}",
    operationId: "changeWebhook",
    tag: TAG,
    summary: "Change a webhook endpoint",
    description: "What is not named stays as it is.",
    access: "webhooks:admin",
    params: idParams,
    body,
    responses: { 200: { description: "The endpoint as it is now.", schema: endpointSchema } },
    problems: ["not_found", "url_refused"],
    handle: async ({ key, params, body: asked, signal }) => {
      const { id } = await findEndpoint(context, params.id, key);
      const { url: newUrl, types: newTypes, state, description: text } = asked;
      const changed = await context.store.endpoints.update(id, {
        ...(newUrl !== undefined && { url: await judgeEndpoint(newUrl, context.requestPolicy, signal) }),
        ...(newTypes !== undefined && { types: newTypes }),
        ...(text !== undefined && { description: text }),
        ...(state !== undefined && { state, disabledReason: state === "disabled" ? "operator" : null }),
      });
      if (changed === null) throw notFound();
      await note(context, key.id, "webhook.changed", id, { fields: Object.keys(asked) });
      return { status: 200, body: toEndpointResource(changed, context.clock.wallMs()) };
    },
  });
}

function removeEndpoint(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "DELETE",
    path: "/v1/webhooks/{id}",
    operationId: "deleteWebhook",
    tag: TAG,
    summary: "Remove a webhook endpoint",
    description: "What was to be delivered to it is dropped.",
    access: "webhooks:admin",
    params: idParams,
    responses: { 204: { description: "It is removed." } },
    problems: ["not_found"],
    handle: async ({ key, params }) => {
      const { id } = await findEndpoint(context, params.id, key);
      if (!(await context.store.endpoints.remove(id))) throw notFound();
      await note(context, key.id, "webhook.deleted", id);
      return { status: 204 };
    },
  });
}

function rotateSecret(context: ApiContext): RouteDefinition {
  const body: z.ZodType<{ overlap_s: number }> = z.strictObject({
    overlap_s: z
      .number()
      .int()
      .min(0)
      .max(MAX_OVERLAP_S)
      .default(DEFAULT_OVERLAP_S)
      .describe("How long the old secret goes on signing beside the new one, in seconds."),
  });
  const { store, clock, random } = context;
  return defineRoute({
    method: "POST",
    path: "/v1/webhooks/{id}/rotate-secret",
    operationId: "rotateWebhookSecret",
    tag: TAG,
    summary: "Make a new signing secret",
    description:
      "Deliveries are signed with both until the overlap is over, so that receivers can change in between.",
    access: "webhooks:admin",
    params: idParams,
    body,
    responses: { 200: { description: "The endpoint, with its new secret.", schema: newEndpointSchema } },
    problems: ["not_found"],
    forReplay: withoutSecret,
    handle: async ({ key, params, body: { overlap_s } }) => {
      const endpoint = await findEndpoint(context, params.id, key);
      const now = Math.round(clock.wallMs());
      const secret = createWebhookSecret(random);
      const secrets = rotate(endpoint.secrets, secret, now + overlap_s * 1_000, now);
      const changed = await store.endpoints.update(endpoint.id, { secrets });
      if (changed === null) throw notFound();
      await note(context, key.id, "webhook.secret_rotated", endpoint.id, { overlap_s });
      return { status: 200, body: { ...toEndpointResource(changed, now), secret } };
    },
  });
}

function note(
  { store, clock }: ApiContext,
  actor: string,
  action: string,
  target: string,
  detail: Readonly<Record<string, number | readonly string[]>> = {},
): Promise<void> {
  return store.audit.add({ at: Math.round(clock.wallMs()), actor, action, target, detail });
}
