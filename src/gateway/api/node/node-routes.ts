import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { requireAllNumbers } from "../cursors/own-number.ts";
import { ApiProblem } from "../problems.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";

const healthSchema = z
  .object({ status: z.enum(["ok", "draining"]), calls: z.number().int() })
  .meta({ id: "Health" });
const readinessSchema = z
  .object({ ready: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: "Readiness" });

/** For those who run the gateway. */
export function nodeRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [healthRoute(context), readinessRoute(context), drainRoute(context), metricsRoute(context)];
}

function healthRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/healthz",
    operationId: "getHealth",
    tag: "Node",
    summary: "Tells whether the process is alive.",
    access: "public",
    description: "200 also while it drains: `/readyz` tells whether it takes calls.",
    responses: { 200: { description: "It is.", schema: healthSchema } },
    handle: () => ({ status: 200, body: context.health() }),
  });
}

function readinessRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/readyz",
    operationId: "getReadiness",
    tag: "Node",
    summary: "Tells whether the gateway can take calls now, and why not.",
    access: "public",
    responses: {
      200: { description: "It can.", schema: readinessSchema },
      503: { description: "It cannot.", schema: readinessSchema },
    },
    handle: async () => {
      const { ready, reasons } = await context.readiness();
      return { status: ready ? 200 : 503, body: { ready, reasons } };
    },
  });
}

function drainRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "POST",
    path: "/v1/node/drain",
    operationId: "drainNode",
    tag: "Node",
    summary: "Takes no new call from now on; the running ones go on.",
    description: "For a deployment: watch `calls` of `/healthz`, then stop the process. It cannot be undone.",
    access: "node:admin",
    responses: { 202: { description: "It drains.", schema: healthSchema } },
    handle: async ({ key }) => {
      requireAllNumbers(key, "Draining");
      context.drain();
      const at = Math.round(context.clock.wallMs());
      await context.store.audit.add({ at, actor: key.id, action: "node.drained", target: null, detail: {} });
      return { status: 202, body: context.health() };
    },
  });
}

function metricsRoute(context: ApiContext): RouteDefinition {
  return defineRoute({
    method: "GET",
    path: "/metrics",
    operationId: "getMetrics",
    tag: "Node",
    summary: "Gives the metrics, for Prometheus.",
    access: "metrics:read",
    responses: { 200: { description: "Prometheus text.", contentType: "text/plain" } },
    problems: ["not_found"],
    handle: async ({ key }) => {
      requireAllNumbers(key, "What is measured");
      if (context.metricsText === undefined)
        throw new ApiProblem("not_found", "This gateway gives no metrics.");
      const { contentType, text } = await context.metricsText();
      return { status: 200, body: text, contentType };
    },
  });
}
