import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

/** Calls that last as long as they do in life, and mostly wait. */
const CALLS = ["test/{integration,interop,simulator}/**/*.test.ts"];
const EXAMPLES = ["test/examples/**/*.test.ts"];
/** Protocol logic: no file leaves anything behind for the next one. */
const CORE = ["src/core/**/*.test.ts"];

export default defineConfig({
  // The examples run the sources as they stand, not what was built last.
  resolve: {
    alias: [{ find: /^ringback$/, replacement: fileURLToPath(new URL("./src/index.ts", import.meta.url)) }],
  },
  test: {
    sequence: { shuffle: true },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // The threads that the gateway starts run the sources, too.
    globalSetup: ["./test/support/compile-for-threads.mjs"],
    execArgv: ["--import", "./test/support/typescript-loader.mjs"],
    // Two cores are the smallest machine that the suite runs on. What computes comes first and fills them; calls in real
    // time would starve beside it, so they come after it, three at once because they wait more than they compute.
    projects: [
      {
        extends: true,
        // Isolation costs more than the tests do.
        test: { name: "core", include: CORE, isolate: false, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "parts",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...CORE, ...CALLS, ...EXAMPLES],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "calls", include: CALLS, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        // What is heard of a call is measured in each: a process that is held up for a moment has holes in it.
        test: { name: "examples", include: EXAMPLES, maxWorkers: 3, retry: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
