import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The examples run the sources as they stand, not what was built last.
  resolve: {
    alias: [{ find: /^ringback$/, replacement: fileURLToPath(new URL("./src/index.ts", import.meta.url)) }],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    sequence: { shuffle: true },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores are the smallest machine that the suite runs on; calls in real time starve beyond that.
    maxWorkers: 2,
    // The threads that the gateway starts run the sources, too.
    globalSetup: ["./test/support/compile-for-threads.mjs"],
    execArgv: ["--import", "./test/support/typescript-loader.mjs"],
  },
});
