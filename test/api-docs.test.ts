import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { problemsOf } from "../src/gateway/api/openapi/document.ts";
import { PROBLEMS } from "../src/gateway/api/problems.ts";
import { SCOPES } from "../src/gateway/api/scopes.ts";
import { apiDocument, describedRoutes } from "./support/api-document.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("docs/openapi.json is what the routes are; `npm run api-docs` writes it", async () => {
  expect(JSON.parse(read("docs/openapi.json"))).toEqual(JSON.parse(JSON.stringify(await apiDocument())));
});

test("docs/api.md has every problem with its status, and no other", () => {
  const rows = [...read("docs/api.md").matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)];
  const listed = rows.map(([, code, status]) => [code, Number(status)]);
  expect(listed).toEqual(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]));
});

test("docs/api.md has every route with its scope, and no other", async () => {
  const rows = [...read("docs/api.md").matchAll(/^\| `([A-Z]+ \/\S*)` \| (\S+|any key) \|/gm)];
  const listed = rows.map(([, route, scope]) => `${route} ${scope}`);
  const routes = (await describedRoutes()).map(({ method, path, access }) => {
    const scope = access === "public" ? "none" : access === "any-key" ? "any key" : `\`${access}\``;
    return `${method} ${path} ${scope}`;
  });
  expect(listed.sort()).toEqual(routes.sort());
});

test("every reference in the document leads to something, and operation ids are unique", async () => {
  const document = await apiDocument();
  const schemas = Object.keys(document.components["schemas"] as object);
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(50);
  expect(references.filter(([, name = ""]) => !schemas.includes(name))).toEqual([]);
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("every scope is asked for by a route, and every problem can be had from one or from the connection", async () => {
  const routes = await describedRoutes();
  expect(SCOPES.filter((scope) => !routes.some(({ access }) => access === scope))).toEqual([]);
  const ofAll = ["malformed_request", "method_not_allowed", "not_found", "headers_too_large"];
  const had = new Set([...routes.flatMap((route) => problemsOf(route)), ...ofAll]);
  expect(Object.keys(PROBLEMS).filter((code) => !had.has(code as keyof typeof PROBLEMS))).toEqual([]);
});
