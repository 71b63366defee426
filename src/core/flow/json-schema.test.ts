import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkFlow } from "./check-flow.ts";
import { flowJsonSchema } from "./json-schema.ts";
import { FLOW_LIMITS } from "./limits.ts";

interface PropertySchema {
  readonly const?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface StepSchema {
  readonly properties: Readonly<Record<"verb" | "id" | "when" | "on", PropertySchema>>;
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

test("docs/flow.schema.json is what the schema says; npm run flow-schema writes it anew", () => {
  expect(JSON.parse(read("docs/flow.schema.json"))).toEqual(JSON.parse(JSON.stringify(flowJsonSchema())));
});

test("docs/flows.md has every verb with its fields and outcomes", () => {
  const rows = new Map(
    [...read("docs/flows.md").matchAll(/^\| `(\w+)` \| (.*)$/gm)].map(([, verb = "", row = ""]) => [
      verb,
      row,
    ]),
  );
  const { $defs } = flowJsonSchema() as {
    readonly $defs: { readonly step: { readonly oneOf: readonly StepSchema[] } };
  };
  for (const { properties } of $defs.step.oneOf) {
    const { verb, id: _id, when: _when, on, ...fields } = properties;
    const outcomes = Object.keys(on.properties ?? {}).filter((outcome) => outcome !== "skipped");
    for (const name of [...Object.keys(fields), ...outcomes])
      expect(rows.get(verb.const ?? "")).toContain(`\`${name}\``);
  }
});

test("the flows in docs/flows.md have no mistakes", () => {
  const blocks = [...read("docs/flows.md").matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) =>
    JSON.parse(text ?? ""),
  );
  const flows = blocks.flatMap((block) => ("steps" in block ? [block] : "verb" in block ? [[block]] : []));
  expect(flows).toHaveLength(2);
  for (const flow of flows) expect(checkFlow(flow)).toMatchObject({ mistakes: [], warnings: [] });
});

test("docs/flows.md has every limit, with its number", () => {
  const rows = [...read("docs/flows.md").matchAll(/^\| `(\w+)` \| .* \| ([\d,]+)/gm)];
  const documented = Object.fromEntries(
    rows.map(([, name, value]) => [name, Number(value?.replaceAll(",", ""))]),
  );
  expect(documented).toEqual(FLOW_LIMITS);
});
