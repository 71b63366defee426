import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { InstanceKeys } from "../cursors/instance-keys.ts";
import { requireAllNumbers } from "../cursors/own-number.ts";
import { requireCursor } from "../cursors/read-cursor.ts";
import { isoTime, pageCursor, pageLimit, pageOf } from "../pages.ts";
import { defineRoute, type RouteDefinition } from "../route.ts";

const entrySchema: z.ZodType = z.object({
  at: z.string(),
  actor: z.string().describe("A key's id, `cli`, `retention` or `gateway`."),
  action: z.string().describe("Such as `key.created`, `recording.deleted`, `subject.erased`."),
  target: z.string().nullable().describe("An id; of persons, a keyed hash."),
  detail: z.record(z.string(), z.unknown()),
});

export function auditRoutes({ store }: ApiContext): readonly RouteDefinition[] {
  const keys = new InstanceKeys(store);
  const query: z.ZodType<{ cursor?: string | undefined; limit: number }> = z.strictObject({
    cursor: pageCursor,
    limit: pageLimit,
  });
  return [
    defineRoute({
      method: "GET",
      path: "/v1/audit",
      operationId: "listAudit",
      tag: "Audit",
      summary: "Read who did what",
      description: "Newest first. Nothing personal is in it.",
      access: "audit:read",
      query,
      responses: { 200: { description: "A page of the audit.", schema: pageOf(entrySchema) } },
      problems: ["invalid_cursor"],
      handle: async ({ key, query: { cursor, limit } }) => {
        requireAllNumbers(key, "The audit");
        const cursors = await keys.cursors();
        const after = cursor === undefined ? null : requireCursor(cursors.readNumber("audit", cursor));
        const { items, next } = await store.audit.list({ limit, ...(after !== null && { after }) });
        const entries = items.map(({ at, actor, action, target, detail }) => {
          return { at: isoTime(at), actor, action, target, detail };
        });
        const following = next === null ? null : cursors.write("audit", Number(next));
        return { status: 200, body: { items: entries, next: following } };
      },
    }),
  ];
}
