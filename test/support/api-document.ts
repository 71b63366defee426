import type { ApiContext } from "../../src/gateway/api/context.ts";
import { type OpenApiDocument, openApiDocument } from "../../src/gateway/api/openapi/document.ts";
import type { RouteDefinition } from "../../src/gateway/api/route.ts";
import { apiRoutes } from "../../src/gateway/api/routes.ts";
import { silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createRequestPolicy } from "../../src/platform/outgoing-request.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore } from "../../src/store/index.ts";

/** The routes of an API that nobody asks anything. */
export async function describedRoutes(): Promise<readonly RouteDefinition[]> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: ":memory:", node: null }, deps);
  const context: ApiContext = {
    store,
    liveCalls: { find: () => null },
    ...deps,
    recordingsFolder: "recordings",
    soundsFolder: null,
    requests: {},
    requestPolicy: createRequestPolicy(),
    publicUrl: null,
    health: () => ({ status: "ok", calls: 0 }),
    readiness: () => ({ ready: true, reasons: [] }),
    drain: () => {},
  };
  const routes = apiRoutes(context);
  for (const route of routes) route.onClose?.();
  await store.close();
  return routes;
}

/** What `docs/openapi.json` has to be. */
export async function apiDocument(): Promise<OpenApiDocument> {
  return openApiDocument(await describedRoutes());
}
