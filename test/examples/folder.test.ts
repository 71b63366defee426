import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkFlowText } from "../../src/index.ts";

const FOLDER = new URL("../../examples/", import.meta.url);
const SCHEMA = new URL("../../docs/flow.schema.json", import.meta.url);

const names = readdirSync(FOLDER);
const flows = names.filter((name) => name.endsWith(".flow.json"));
const programs = names.filter((name) => name.endsWith(".ts"));
const textOf = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");

/** A validator that is not ours. It comes with Fastify, as a dependency of its own; null when it does not. */
async function loadValidator(): Promise<((document: unknown) => boolean) | null> {
  const ajv = await import("ajv/dist/2020.js").catch(() => null);
  if (ajv === null) console.warn("skipped: flows of the examples in the schema: ajv is not there");
  return (
    ajv && new ajv.Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, "utf8")) as object)
  );
}

const validate = await loadValidator();

test("the README has every example", () => {
  const readme = textOf("README.md");
  expect([flows.length, programs.length]).toEqual([2, 9]);
  expect([...flows, ...programs].filter((name) => !readme.includes(`[${name}](${name})`))).toEqual([]);
});

test("the links of the README lead to files", () => {
  const links = [...textOf("README.md").matchAll(/\]\(([^)#:]+)[^)]*\)/g)];
  expect(links.length).toBeGreaterThan(10);
  for (const [, path = ""] of links) expect(() => readFileSync(new URL(path, FOLDER))).not.toThrow();
});

test.each(programs)("%s needs nothing but Ringback, Node and program.ts", (name) => {
  const modules = [...textOf(name).matchAll(/ from "([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(modules.filter((module) => !/^(ringback|node:.+|\.\/program\.ts)$/.test(module))).toEqual([]);
});

describe.each(flows)("%s", (name) => {
  test("has no mistakes", () => {
    expect(checkFlowText(textOf(name)).mistakes).toEqual([]);
  });

  test.skipIf(validate === null)("keeps to the schema that it names", () => {
    const document = JSON.parse(textOf(name)) as { readonly $schema: string };
    expect(new URL(document.$schema, new URL(name, FOLDER)).href).toBe(SCHEMA.href);
    expect(validate?.(document)).toBe(true);
    // Which does not take everything.
    expect(validate?.({ ...document, steps: [{ verb: "plya", source: "a.mp3" }] })).toBe(false);
  });
});
