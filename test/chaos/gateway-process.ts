import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ChildOptions } from "./gateway-child.ts";

const CHILD = fileURLToPath(new URL("./gateway-child.mjs", import.meta.url));
const START_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 30_000;

/** One life of the gateway. */
export class GatewayProcess {
  readonly life: number;
  /** The webhook's URL; rejects when it ends before it listens. */
  readonly ready: Promise<string>;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #isGone = false;
  #wasReady = false;

  constructor(life: number, options: ChildOptions) {
    this.life = life;
    this.#child = fork(CHILD, [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.exited = once(this.#child, "exit").then(() => {
      this.#isGone = true;
    });
    this.ready = this.#firstMessage();
    // Who kills it before it is ready does not ask.
    this.ready.catch(() => {});
  }

  /** It has listened. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** As an operator stops it. Rejects when it does not end. */
  async close(): Promise<void> {
    this.#child.send({ close: true });
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_LIMIT_MS);
    await this.exited;
    clearTimeout(limit);
    if (this.#child.signalCode !== null)
      throw new Error(`the gateway did not close within ${CLOSE_LIMIT_MS} ms`);
  }

  async #firstMessage(): Promise<string> {
    const timeout = AbortSignal.timeout(START_LIMIT_MS);
    const exited = this.exited.then(() => {
      throw new Error(
        `life ${this.life} of the gateway ended before it listened; its log is in the folder of the run`,
      );
    });
    const [message] = await Promise.race([once(this.#child, "message", { signal: timeout }), exited]);
    this.#wasReady = true;
    return (message as { url: string }).url;
  }
}
