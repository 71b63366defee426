// Before all tests: what threads run is compiled, so that no test waits for the compiler.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileCached } from "./typescript-cache.mjs";

const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));

export default async function setup() {
  const files = readdirSync(SOURCES, { recursive: true }).filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"),
  );
  await Promise.all(files.map((path) => compileCached(join(SOURCES, path))));
}
