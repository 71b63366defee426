// Module hooks: .ts files run as they stand.
import { fileURLToPath } from "node:url";
import { compileCached } from "./typescript-cache.mjs";

export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  return { format: "module", shortCircuit: true, source: await compileCached(fileURLToPath(url)) };
}
