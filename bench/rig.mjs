import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { coreBusyMs, LOAD_CORE, PROGRAM_CORE, pinned, processCpuMs, processRssBytes } from "./machine.mjs";
import { SAMPLE } from "./programs.mjs";
import { speechPackets } from "./speech.mjs";

/** By the names of `--srtp`. */
export const SRTP_PROFILES = { gcm: "SRTP_AEAD_AES_128_GCM", cm: "SRTP_AES128_CM_HMAC_SHA1_80" };

const LOAD = fileURLToPath(new URL("./load.mjs", import.meta.url));
/** Calls that make the program and the load warm: compiled code, caches, buffers. */
const WARM_UP_CALLS = 200;
const WARM_UP_SPACING_MS = 12;
const SETTLE_MS = 1_500;
/** Beside the time that what is asked takes by itself. */
const ANSWER_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const COLLECTION_MS = 300;
/** V8 gives memory back to the system when nothing has happened for some seconds. */
const IDLE_MS = 5_000;

/** Encoded once for all loads. */
let speech = null;

async function encodeSpeech() {
  const packets = await speechPackets(SAMPLE);
  return packets.map((packet) => Buffer.from(packet).toString("base64"));
}

/** One program under test with the load that calls it. */
export class Rig {
  #load;
  #waiting = new Map();
  #nextId = 1;
  #pid = 0;
  facts = null;

  static async start(program) {
    const rig = new Rig();
    try {
      await rig.#start(program);
      await rig.churn({ count: WARM_UP_CALLS, spacingMs: WARM_UP_SPACING_MS });
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  constructor() {
    const [command, args] = pinned(LOAD_CORE, process.execPath, []);
    this.#load = fork(LOAD, { execPath: command, execArgv: args });
    this.#load.on("message", ({ id, result, error }) => {
      const waiting = this.#take(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    this.#load.on("exit", () => {
      for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new Error("the load ended"));
    });
  }

  get loadPid() {
    return this.#load.pid;
  }

  get programPid() {
    return this.#pid;
  }

  async #start({ command, args, env = {}, srtp = "gcm" }) {
    const [pinnedCommand, pinnedArgs] = pinned(PROGRAM_CORE, command, args);
    speech ??= encodeSpeech();
    const { pid, facts } = await this.#ask("start", {
      command: pinnedCommand,
      args: pinnedArgs,
      env,
      profiles: [SRTP_PROFILES[srtp]],
      speech: await speech,
    });
    this.#pid = pid;
    this.facts = facts;
  }

  /** Calls that stay up. Resolves when all have audio. */
  async place({ count, spacingMs }) {
    const placed = await this.#ask("place", { count, spacingMs });
    await delay(SETTLE_MS);
    return placed;
  }

  /** Calls that are hung up at their first packet, or `holdMs` after it; with the CPU time that one took. */
  async churn(options) {
    const { count } = options;
    const before = processCpuMs(this.#pid);
    const churned = await this.#ask("churn", options);
    return { ...churned, cpuMsPerCall: (processCpuMs(this.#pid) - before) / count };
  }

  /** What the calls that are up cost and get. */
  async window({ seconds, calls }) {
    const before = this.#cpu();
    const measured = await this.#ask("window", { ms: seconds * 1_000 });
    const after = this.#cpu();
    const wallMs = after.wallMs - before.wallMs;
    const share = (name) => (after[name] - before[name]) / wallMs;
    const cpuMsPerCallSecond = (after.programMs - before.programMs) / ((wallMs / 1_000) * calls);
    return {
      ...measured,
      cpuMsPerCallSecond,
      callsPerCore: 1_000 / cpuMsPerCallSecond,
      programShare: share("programMs"),
      loadShare: share("loadMs"),
      programCoreShare: share("programCoreMs"),
      loadCoreShare: share("loadCoreMs"),
      lossShare: lossShare(measured, calls),
      inboundLossShare: measured.programLost / measured.sent,
    };
  }

  /** Memory of the program before it has calls that stay. */
  async idleRssBytes() {
    await this.sample({ gc: true });
    await delay(IDLE_MS);
    return (await this.rssBytes()).rssBytes;
  }

  /** Memory of the program, its garbage collected where it has any. */
  async rssBytes() {
    // Finalizers run between collections, and pages go back to the system a moment after them.
    await this.sample({ gc: true });
    await delay(COLLECTION_MS);
    const sample = await this.sample({ gc: true });
    await delay(COLLECTION_MS);
    return { rssBytes: processRssBytes(this.#pid), sample };
  }

  sample({ gc }) {
    return this.#ask("sample", { gc });
  }

  hangUp() {
    return this.#ask("hangUp");
  }

  forge(perSecond) {
    return this.#ask("forge", { perSecond });
  }

  async stop() {
    if (this.#load.exitCode !== null || this.#load.signalCode !== null) return;
    const exited = once(this.#load, "exit");
    this.#ask("stop").catch(() => {
      // It may be gone before its answer.
    });
    const timer = setTimeout(() => this.#kill(), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  #kill() {
    this.#load.kill("SIGKILL");
    if (this.#pid === 0) return;
    try {
      process.kill(this.#pid, "SIGKILL");
    } catch {
      // It ended with its input.
    }
  }

  #cpu() {
    return {
      wallMs: performance.now(),
      programMs: processCpuMs(this.#pid),
      loadMs: processCpuMs(this.#load.pid),
      programCoreMs: coreBusyMs(PROGRAM_CORE),
      loadCoreMs: coreBusyMs(LOAD_CORE),
    };
  }

  #ask(name, options = {}) {
    const id = this.#nextId++;
    const { count = 0, spacingMs = 0, ms = 0 } = options;
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`the load does not answer to "${name}"`));
      const timer = setTimeout(fail, ANSWER_TIMEOUT_MS + count * spacingMs + ms);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#load.send({ id, do: name, ...options });
    });
  }

  #take(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

/** Packets that did not come, be it that they were lost or that the program skipped their slot. */
function lossShare({ seconds, received, expected }, calls) {
  const due = Math.max(expected, Math.floor(seconds * 50 * calls) - calls);
  return Math.max(0, 1 - received / due);
}

export function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
