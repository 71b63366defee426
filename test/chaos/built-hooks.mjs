// Module hooks: TypeScript of the tests runs as it stands, and what it takes from src/ is what was built of it: a process that is
// started again and again has no time to compile.
import { load as loadTypescript } from "../support/typescript-hooks.mjs";

const SOURCES = new URL("../../src/", import.meta.url).href;
const BUILT = new URL("../../dist/", import.meta.url).href;

export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  if (!resolved.url.startsWith(SOURCES)) return resolved;
  return { ...resolved, url: resolved.url.replace(SOURCES, BUILT).replace(/\.ts$/, ".js"), format: "module" };
}

export const load = loadTypescript;
