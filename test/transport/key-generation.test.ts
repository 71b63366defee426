import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const HOOKS = new URL("../support/typescript-hooks.mjs", import.meta.url).href;
const SOURCE = new URL("../../src/core/transport/dtls/key-exchange.ts", import.meta.url).href;

/**
 * Node 20's own key generation stops the thread for ever, once in some hundred thousand keys: `generateKeyPairSync` leaves a
 * finished job that locks its key when it is collected, and `export` collects garbage with the key locked. A small heap and
 * many keys show it within seconds; a process of its own, for nothing could end it in ours.
 */
test("ephemeral keys by the hundred thousand do not stop the process", { timeout: 120_000 }, () => {
  const program = `
    (await import("node:module")).register(${JSON.stringify(HOOKS)});
    const { EphemeralKey } = await import(${JSON.stringify(SOURCE)});
    for (let i = 0; i < 200_000; i += 1) EphemeralKey.create("x25519");
    console.log("done");
  `;
  const flags = ["--max-semi-space-size=1", "--input-type=module", "--eval", program];
  const { stdout } = spawnSync(process.execPath, flags, { encoding: "utf8", timeout: 60_000 });
  expect(stdout).toContain("done");
});
