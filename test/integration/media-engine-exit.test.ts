import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Prints how long the process lives on after its last leg. */
function program(create: string, file: string): string {
  return `
  import { ${create} } from "./media/${file}.js";
  const offer = {
    mid: "audio", iceUfrag: "SJJXJHYPhhGFGPyd", icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==", iceLite: true,
    fingerprints: [{ algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") }],
    setup: "actpass", candidates: [], opus: { payloadType: 111, parameters: "" }, telephoneEvent: null, ssrc: null,
  };
  const engine = await ${create}({ bindAddress: "127.0.0.1" });
  const leg = await engine.openLeg(offer, { onIceConnected() {}, onState() {}, onRtp() {}, onRtcp() {} });
  leg.connect();
  leg.close();
  await engine.close();
  const closedMs = performance.now();
  process.on("exit", () => console.log(performance.now() - closedMs));
`;
}

/** Compiles the engine and what it needs, without a look at types, into a folder of its own. */
function compileEngine(folder: string, file: string): void {
  const compiler = createRequire(import.meta.url).resolve("typescript/lib/tsc.js");
  const options =
    "--noCheck --rewriteRelativeImportExtensions --module nodenext --target es2022 --types node";
  const files = [join(ROOT, `src/media/${file}.ts`), "--rootDir", join(ROOT, "src")];
  execFileSync(process.execPath, [compiler, ...options.split(" "), ...files, "--outDir", folder], {
    cwd: ROOT,
  });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
}

test.each([
  ["createDatachannelEngine", "datachannel-engine"],
  ["createTransportEngine", "transport-engine"],
])("a process ends with its last call: nothing of %s keeps it alive", (create, file) => {
  const folder = mkdtempSync(join(tmpdir(), "ringback-exit-"));
  try {
    compileEngine(folder, file);
    writeFileSync(join(folder, "program.js"), program(create, file));
    const printed = execFileSync(process.execPath, ["program.js"], { cwd: folder, encoding: "utf8" });
    // A listener that libdatachannel's binding keeps holds the process for 8 s.
    expect(Number(printed)).toBeLessThan(2_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
