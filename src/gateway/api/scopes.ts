/** What a key may do. Each route asks for one of them. */
export const SCOPES = [
  "calls:read",
  "calls:write",
  "events:read",
  "recordings:read",
  "recordings:delete",
  "webhooks:admin",
  "keys:admin",
  "subjects:erase",
  "audit:read",
  "metrics:read",
  "node:admin",
] as const;

export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
