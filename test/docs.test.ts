import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isSecret, SETTINGS } from "../src/gateway/config-catalogue.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("every error code has a heading in docs/errors.md, and every heading is a code", () => {
  const details = /interface ErrorDetails \{([\s\S]*?)\n\}/.exec(read("src/errors.ts"))?.[1] ?? "";
  const codes = [...details.matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1]);
  const headings = [...read("docs/errors.md").matchAll(/^## ([A-Z_]+)$/gm)].map((match) => match[1]);
  expect(codes.length).toBeGreaterThan(5);
  expect(new Set(headings)).toEqual(new Set(codes));
});

test("every dependency has its reason in docs/dependencies.md, and no other is listed", () => {
  const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  const names = [
    ...Object.keys(manifest["dependencies"] ?? {}),
    ...Object.keys(manifest["devDependencies"] ?? {}),
  ];
  const listed = [...read("docs/dependencies.md").matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  expect(new Set(listed)).toEqual(new Set(names));
});

test("every setting that the configuration reads is in the README and in the catalogue, and no other is", () => {
  const readers = ["config", "api-settings", "media-settings", "speech-settings", "store-settings"];
  const files = readers.map((name) => read(`src/gateway/${name}.ts`));
  const names = new Set([...files.join("\n").matchAll(/"([A-Z][A-Z_]+)"/g)].map((match) => match[1] ?? ""));
  expect(names.size).toBeGreaterThan(35);
  expect(new Set(SETTINGS.map(({ name }) => name))).toEqual(names);
  const readme = read("README.md");
  expect([...names].filter((name) => !readme.includes(`\`${name}`))).toEqual([]);
});

test("every setting that is read as a secret is masked, and no other is", () => {
  const readers = ["config", "api-settings", "speech-settings", "store-settings"];
  const source = readers.map((name) => read(`src/gateway/${name}.ts`)).join("\n");
  const direct = [...source.matchAll(/\.secret\("([A-Z_]+)"/g)].map((match) => match[1] ?? "");
  const masked = new Set(SETTINGS.filter(isSecret).map(({ name }) => name));
  expect(direct.length).toBeGreaterThan(1);
  expect(direct.filter((name) => !masked.has(name))).toEqual([]);
  const readme = read("README.md");
  const listed = /Secrets \(([^)]+)\)/.exec(readme)?.[1] ?? "";
  expect(new Set([...listed.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]))).toEqual(masked);
});

test("every option of a verb is in docs/verbs.md", () => {
  const types = read("src/gateway/verbs/types.ts");
  const interfaces = [...types.matchAll(/^export interface (?:\w+Options|SayVoice)\b[^{]*\{([\s\S]*?)^\}/gm)];
  const options = new Set(
    interfaces.flatMap(([, body = ""]) => {
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1] ?? "");
    }),
  );
  expect(options.size).toBeGreaterThan(25);
  const verbs = read("docs/verbs.md");
  expect([...options].filter((option) => !verbs.includes(`\`${option}\``))).toEqual([]);
});

test("every method of a call is in docs/verbs.md", () => {
  const body = /^export interface Call \{([\s\S]*?)^\}/m.exec(read("src/gateway/call.ts"))?.[1] ?? "";
  const methods = [...body.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1] ?? "");
  expect(methods.length).toBeGreaterThan(14);
  const verbs = read("docs/verbs.md");
  const known = new Set(["stats"]);
  expect(methods.filter((method) => !known.has(method) && !verbs.includes(`\`${method}`))).toEqual([]);
});
