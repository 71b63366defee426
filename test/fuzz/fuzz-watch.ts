import { fork } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { caseOf, type FuzzRunResult } from "./fuzz-run.ts";

const CHILD = fileURLToPath(new URL("./fuzz-child.mjs", import.meta.url));
const PROGRESS_FD = 4;
const PROGRESS_BYTES = 8;

/** A case that takes this long never ends. Long lives and shrinking take some seconds. */
const HANG_MS = 60_000;

/** Fuzzes one target in a process of its own, which may die of what it meets. */
export function watchTarget(target: string, seed: number, seconds: number): Promise<FuzzRunResult> {
  const child = fork(CHILD, [target, String(seed), String(seconds)], {
    stdio: ["ignore", "inherit", "inherit", "ipc", "pipe"],
  });
  const progress = new CaseProgress();
  return new Promise((resolve, reject) => {
    let result: FuzzRunResult | null = null;
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        result = progress.failAt(target, `no end after ${HANG_MS} ms`);
        child.kill("SIGKILL");
      }, HANG_MS);
    };
    watch();
    (child.stdio[PROGRESS_FD] as Readable).on("data", (bytes: Buffer) => {
      progress.read(bytes);
      watch();
    });
    child.on("message", (message) => {
      result = message as FuzzRunResult;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(result ?? progress.failAt(target, `the process ended: ${signal ?? code}`));
    });
  });
}

/** Which case a process is at. */
class CaseProgress {
  #unread = Buffer.alloc(0);
  #last = Buffer.alloc(PROGRESS_BYTES);
  #cases = 0;

  read(bytes: Buffer): void {
    const all = Buffer.concat([this.#unread, bytes]);
    const whole = Math.floor(all.length / PROGRESS_BYTES);
    this.#unread = all.subarray(whole * PROGRESS_BYTES);
    this.#cases += whole;
    if (whole > 0) this.#last = all.subarray((whole - 1) * PROGRESS_BYTES, whole * PROGRESS_BYTES);
  }

  /** The process cannot say what it was at, but the case's number can. */
  failAt(target: string, problem: string): FuzzRunResult {
    const steps = caseOf(this.#last.readInt32BE(0), this.#last.readInt32BE(4));
    return { cases: this.#cases, memoryBytes: 0, finding: { target, problem, steps } };
  }
}
