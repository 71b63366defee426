// Lets threads that tests start run the TypeScript sources as they stand; Node 20 does not load .ts itself.
// Given to every test process with --import, which its threads inherit; vitest's own imports do not come this way.
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (!isMainThread) register("./typescript-hooks.mjs", import.meta.url);
