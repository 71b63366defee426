import { z } from "zod";
import { createId } from "../../../core/events/id.ts";
import type { DeliveryState } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { InstanceKeys } from "../cursors/instance-keys.ts";
import { requireCursor } from "../cursors/read-cursor.ts";
import { pageCursor, pageLimit, pageOf } from "../pages.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { deliverySchema, toDeliveryResource } from "./endpoint-resource.ts";
import { findEndpoint } from "./endpoint-store.ts";

const TAG = "Webhooks";
const idParams = z.object({ id: z.string().max(100) });

export function deliveryRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [listDeliveries(context, new InstanceKeys(context.store)), testEndpoint(context), replay(context)];
}

function listDeliveries(context: ApiContext, keys: InstanceKeys): RouteDefinition {
  const query: z.ZodType<{ state?: DeliveryState | undefined; cursor?: string | undefined; limit: number }> =
    z.strictObject({
      state: z.enum(["pending", "delivered", "dead"]).optional().describe("Only those."),
      cursor: pageCursor,
      limit: pageLimit,
    });
  return defineRoute({
    method: "GET",
    path: "/v1/webhooks/{id}/deliveries",
    operationId: "listDeliveries",
    tag: TAG,
    summary: "List what was, is being or could not be delivered",
    description: "Newest first.",
    access: "webhooks:admin",
    params: idParams,
    query,
    responses: { 200: { description: "A page of deliveries.", schema: pageOf(deliverySchema) } },
    problems: ["not_found", "invalid_cursor"],
    handle: async ({ key, params, query: { state, cursor, limit } }) => {
      const endpoint = await findEndpoint(context, params.id, key);
      const cursors = await keys.cursors();
      const after = cursor === undefined ? null : requireCursor(cursors.readText("deliveries", cursor));
      const { items, next } = await context.store.outbox.list(
        { endpointId: endpoint.id, ...(state !== undefined && { state }) },
        { limit, ...(after !== null && { after }) },
      );
      const following = next === null ? null : cursors.write("deliveries", String(next));
      return { status: 200, body: { items: items.map(toDeliveryResource), next: following } };
    },
  });
}

function testEndpoint(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "POST",
    path: "/v1/webhooks/{id}/test",
    operationId: "testWebhook",
    tag: TAG,
    summary: "Deliver a test",
    description:
      "An event `webhook.test` to this endpoint alone, signed and tried as any other. The deliveries tell what came of it.",
    access: "webhooks:admin",
    params: idParams,
    responses: { 202: { description: "It is on its way.", schema: deliverySchema } },
    problems: ["not_found", "endpoint_disabled"],
    handle: async ({ key, params }) => {
      const { id, state } = await findEndpoint(context, params.id, key);
      if (state === "disabled")
        throw new ApiProblem("endpoint_disabled", "Enable the endpoint before you test it.");
      const at = Math.round(context.clock.wallMs());
      const delivery = await context.store.outbox.enqueueTest(id, {
        id: createId("evt", at, context.random),
        type: "webhook.test",
        at,
        data: { endpoint_id: id },
        personal: null,
      });
      return { status: 202, body: toDeliveryResource(delivery) };
    },
  });
}

function replay(context: ApiContext): RouteDefinition {
  const body: z.ZodType<{ delivery_id?: string | undefined }> = z.strictObject({
    delivery_id: z
      .string()
      .max(100)
      .optional()
      .describe("This one, whatever its state. Default: all that are dead."),
  });
  return defineRoute({
    method: "POST",
    path: "/v1/webhooks/{id}/replay",
    operationId: "replayDeliveries",
    tag: TAG,
    summary: "Deliver once more",
    description: "They are tried anew, from the beginning. Receivers know a repetition by the event's id.",
    access: "webhooks:admin",
    params: idParams,
    body,
    responses: {
      202: { description: "They are on their way.", schema: z.object({ replayed: z.number() }) },
    },
    problems: ["not_found"],
    handle: async ({ key, params, body: { delivery_id } }) => {
      const { id } = await findEndpoint(context, params.id, key);
      const at = Math.round(context.clock.wallMs());
      const filter = { endpointId: id, ...(delivery_id !== undefined && { deliveryId: delivery_id }) };
      const replayed = await context.store.outbox.replay(filter, at);
      if (delivery_id !== undefined && replayed === 0) {
        throw new ApiProblem("not_found", "There is no such delivery of this endpoint.");
      }
      await context.store.audit.add({
        at,
        actor: key.id,
        action: "webhook.replayed",
        target: id,
        detail: { replayed },
      });
      return { status: 202, body: { replayed } };
    },
  });
}
