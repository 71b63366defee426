// The programs under test: how each is started, and what keeps one from running here.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPromptCache } from "../dist/media/index.js";
import { output } from "./machine.mjs";

export const SAMPLE = fileURLToPath(new URL("../assets/sample.mp3", import.meta.url));
export const PROGRAM_NAMES = ["ringback", "node-datachannel", "pion"];

/** Where Debian's Go libraries are. */
const GOPATH = "/usr/share/gocode";
const PION = join(GOPATH, "src/github.com/pion/webrtc");
/** dpkg-query's own syntax. */
const VERSION_FIELD = "\u0024{Version}";

/** Makes what the programs need. `missing` says why one cannot run. */
export async function preparePrograms({ programs: names, srtp = "gcm", profileDirectory = null }) {
  const directory = await mkdtemp(join(tmpdir(), "ringback-bench-"));
  const profiling = profileDirectory === null ? [] : ["--cpu-prof", "--cpu-prof-dir", profileDirectory];
  const programs = [];
  for (const name of names) {
    const program = name === "pion" ? await preparePion(directory) : nodeProgram(name, profiling);
    programs.push({ ...program, srtp });
  }
  return { programs, dispose: () => rm(directory, { recursive: true, force: true }) };
}

export function nodeProgram(name, nodeArguments = []) {
  const file = { ringback: "sut-ringback.mjs", "node-datachannel": "sut-datachannel.mjs" }[name];
  const probe = new URL("./thread-probe.mjs", import.meta.url).href;
  return {
    name,
    command: process.execPath,
    args: ["--expose-gc", "--import", probe, ...nodeArguments, path(file), "--file", SAMPLE],
  };
}

async function preparePion(directory) {
  const missing = (reason) => ({ name: "pion", missing: reason });
  if (output("go", ["version"]) === null) return missing("Go is not installed");
  if (!existsSync(PION)) return missing("Debian's golang-github-pion-webrtc.v3-dev is not installed");
  const program = join(directory, "pion");
  const env = { ...process.env, GO111MODULE: "off", GOPATH };
  if (output("go", ["build", "-o", program, "."], { cwd: path("pion"), env }) === null) {
    return missing(
      "it does not build here: cd bench/pion && GO111MODULE=off GOPATH=/usr/share/gocode go build",
    );
  }
  const packets = join(directory, "prompt.opus-packets");
  await writeFile(packets, await encodePrompt());
  return {
    name: "pion",
    version: output("dpkg-query", ["-W", "-f", VERSION_FIELD, "golang-github-pion-webrtc.v3-dev"]),
    command: program,
    args: ["-prompt", packets],
  };
}

/** The packets that the Node programs send, each after its length in two bytes. */
async function encodePrompt() {
  const prompt = await createPromptCache().load(SAMPLE);
  const parts = [];
  for (let i = 0; i < prompt.packetCount; i++) {
    const packet = prompt.packet(i);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.length);
    parts.push(length, packet);
  }
  return Buffer.concat(parts);
}

function path(name) {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
