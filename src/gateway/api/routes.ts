import { auditRoutes } from "./audit/audit-routes.ts";
import { callRoutes } from "./calls/call-routes.ts";
import { commandRoutes } from "./commands/command-routes.ts";
import type { ApiContext } from "./context.ts";
import { endpointRoutes } from "./endpoints/endpoint-routes.ts";
import { eventRoutes } from "./events/event-routes.ts";
import { keyRoutes } from "./keys/key-routes.ts";
import { nodeRoutes } from "./node/node-routes.ts";
import { docsRoutes } from "./openapi/docs-routes.ts";
import { recordingRoutes } from "./recordings/recording-routes.ts";
import type { RouteDefinition } from "./route.ts";
import { subjectRoutes } from "./subjects/subject-routes.ts";

/** Every route that the API has, in the order that its documents have them. */
export function apiRoutes(context: ApiContext): readonly RouteDefinition[] {
  const routes = [
    ...callRoutes(context),
    ...commandRoutes(context),
    ...eventRoutes(context),
    ...recordingRoutes(context),
    ...endpointRoutes(context),
    ...subjectRoutes(context),
    ...auditRoutes(context),
    ...keyRoutes(context),
    ...nodeRoutes(context),
  ];
  return [...routes, ...docsRoutes(routes)];
}
