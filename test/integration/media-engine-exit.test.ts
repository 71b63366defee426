import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const ENGINE = `
  import { createTransportEngine } from "./media/transport-engine.js";
  const engine = await createTransportEngine({ bindAddress: "127.0.0.1" });
  const leg = await engine.openLeg(offer, listener);
  leg.connect();
  leg.close();
  await engine.close();
`;

const WORKERS = `
  import { createMediaWorkerPool } from "./media/worker/media-worker-pool.js";
  const host = await createMediaWorkerPool({ bindAddress: "127.0.0.1", workers: 2 });
  const session = await host.openSession(offer, listener);
  session.connect();
  session.close();
  await host.close();
`;

/** Prints how long the process lives on after its last leg. */
const PROGRAM_START = `
  const listener = { onIceConnected() {}, onState() {}, onRtp() {}, onRtcp() {} };
  const offer = {
    mid: "audio", iceUfrag: "SJJXJHYPhhGFGPyd", icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==", iceLite: true,
    fingerprints: [{ algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") }],
    setup: "actpass", candidates: [], opus: { payloadType: 111, parameters: "" }, telephoneEvent: null, ssrc: null,
  };
`;
const PROGRAM_END = `
  const closedMs = performance.now();
  process.on("exit", () => console.log(performance.now() - closedMs));
`;

/** Compiles media and what it needs, without a look at types, into a folder of its own. */
function compileMedia(folder: string): void {
  const compiler = createRequire(import.meta.url).resolve("typescript/lib/tsc.js");
  const options =
    "--noCheck --rewriteRelativeImportExtensions --module nodenext --target es2022 --types node";
  const files = ["media-worker-pool.ts", "entry.ts"].map((name) => join(ROOT, "src/media/worker", name));
  const args = [...options.split(" "), ...files, "--rootDir", join(ROOT, "src"), "--outDir", folder];
  execFileSync(process.execPath, [compiler, ...args], { cwd: ROOT });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-exit-"));
  compileMedia(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

// A busy machine may take a second for an end that is one.
test.each([
  ["the engine", ENGINE],
  ["the media workers", WORKERS],
])("a process ends with its last call: nothing of %s keeps it alive", { retry: 2 }, (_, program) => {
  writeFileSync(join(folder, "program.js"), PROGRAM_START + program + PROGRAM_END);
  const printed = execFileSync(process.execPath, ["program.js"], { cwd: folder, encoding: "utf8" });
  expect(Number(printed)).toBeLessThan(1_000);
});
