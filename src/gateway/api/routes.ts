import type { ApiContext } from "./context.ts";
import { eventRoutes } from "./events/event-routes.ts";
import type { RouteDefinition } from "./route.ts";

/** Every route that the API has. */
export function apiRoutes(context: ApiContext): readonly RouteDefinition[] {
  return [...eventRoutes(context)];
}
