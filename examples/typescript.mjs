// Given to Node with --import: lets Node 20 run TypeScript. Node 22.18 and newer do it by themselves.
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread && !process.features.typescript) {
  register("../test/support/typescript-hooks.mjs", import.meta.url);
}
