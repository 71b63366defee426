import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Caller, InteropPeer } from "./peer.ts";
import { measureTone, PEER_TONE } from "./tone.ts";

/** Debian's interpreter: the one that Debian's modules belong to. */
const PYTHON = "/usr/bin/python3";

export interface ScriptPeerOptions extends Pick<InteropPeer, "name" | "srtpProfiles"> {
  /** In this folder. */
  readonly script: string;
  /** Python statements that fail where something is not installed. */
  readonly probe: string;
  readonly debianPackages: string;
}

/**
 * A peer that is a Python program. It writes its offer as one JSON object on a line, reads our answer in the same way,
 * and records what it hears as raw 16-bit mono at 48 kHz, until its input ends.
 */
export function scriptPeer({
  name,
  srtpProfiles,
  script,
  probe,
  debianPackages,
}: ScriptPeerOptions): InteropPeer {
  const isInstalled = spawnSync(PYTHON, ["-c", probe]).status === 0;
  const missing = isInstalled ? null : `not installed (Debian packages ${debianPackages})`;
  return { name, srtpProfiles, missing, call: () => call(script) };
}

async function call(script: string): Promise<Caller> {
  const folder = mkdtempSync(join(tmpdir(), "ringback-"));
  const recording = join(folder, "heard.raw");
  const path = fileURLToPath(new URL(script, import.meta.url));
  const tone = [String(PEER_TONE.hz), String(PEER_TONE.level)];
  const program = spawn(PYTHON, [path, recording, ...tone], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const { offer } = JSON.parse((await lines.next()).value ?? "{}") as { readonly offer?: string };
  return {
    offer: offer ?? "",
    take: async (answer) => {
      program.stdin.write(`${JSON.stringify({ answer })}\n`);
    },
    heard: async () => ({ ...measureTone(readPcm(recording)), packetsLost: null }),
    press: null,
    [Symbol.asyncDispose]: async () => {
      if (program.exitCode === null && program.signalCode === null) {
        const closed = once(program, "close");
        program.kill("SIGKILL");
        await closed;
      }
      rmSync(folder, { recursive: true });
    },
  };
}

function readPcm(path: string): Int16Array {
  const bytes = readFileSync(path);
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
}
