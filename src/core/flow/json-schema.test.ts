import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { flowJsonSchema } from "./json-schema.ts";
import { FLOW_LIMITS } from "./limits.ts";

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

test("docs/flow.schema.json is what the schema says; npm run flow-schema writes it anew", () => {
  expect(JSON.parse(read("docs/flow.schema.json"))).toEqual(JSON.parse(JSON.stringify(flowJsonSchema())));
});

test("docs/flows.md has every limit, with its number", () => {
  const rows = [...read("docs/flows.md").matchAll(/^\| `(\w+)` \| .* \| ([\d,]+)/gm)];
  const documented = Object.fromEntries(
    rows.map(([, name, value]) => [name, Number(value?.replaceAll(",", ""))]),
  );
  expect(documented).toEqual(FLOW_LIMITS);
});
