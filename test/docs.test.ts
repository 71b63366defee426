import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

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

test("every setting that the configuration reads is in the README", () => {
  const names = new Set(
    [...read("src/gateway/config.ts").matchAll(/(?:reader\.\w+\(|name = )"([A-Z_]+)"/g)].map(
      (match) => match[1] ?? "",
    ),
  );
  expect(names.size).toBeGreaterThan(8);
  const readme = read("README.md");
  expect([...names].filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
