import type { ApiContext } from "./context.ts";
import type { RouteDefinition } from "./route.ts";

/** Every route that the API has. */
export function apiRoutes(_context: ApiContext): readonly RouteDefinition[] {
  return [];
}
