import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** Debian's; nothing is ever downloaded for the test. */
const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  "--allow-loopback-in-peer-connection",
  "--remote-debugging-pipe",
];

interface Reply {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Waiter {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

export function isChromiumInstalled(): boolean {
  return existsSync(CHROMIUM);
}

/** A headless Chromium with one empty page, driven over its DevTools pipe: JSON messages that end with NUL. */
export class ChromiumPipe implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #toBrowser: Writable;
  readonly #profile: string;
  readonly #waiters = new Map<number, Waiter>();
  #sessionId: string | null = null;
  #unread = "";
  #sent = 0;

  private constructor(profile: string) {
    this.#profile = profile;
    this.#process = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // A group of its own: its helpers outlive it for a moment and go on writing into the profile.
      detached: true,
    });
    // The browser reads commands from descriptor 3 and writes replies to 4.
    this.#toBrowser = this.#process.stdio[3] as Writable;
    const fromBrowser = this.#process.stdio[4] as Readable;
    fromBrowser.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.#toBrowser.on("error", () => this.#failAll());
    this.#process.on("error", () => this.#failAll());
    this.#process.on("exit", () => this.#failAll());
  }

  static async launch(): Promise<ChromiumPipe> {
    const browser = new ChromiumPipe(mkdtempSync(join(tmpdir(), "ringback-chromium-")));
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#sessionId = String(sessionId);
    return browser;
  }

  /** Evaluates an expression in the page. @returns Its value, awaited, as JSON carries it. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { readonly value?: unknown }).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#process;
    if (pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = new Promise((resolve) => this.#process.once("exit", resolve));
      process.kill(-pid, "SIGKILL");
      await exited;
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  #send(method: string, params: object): Promise<Record<string, unknown>> {
    this.#sent += 1;
    const id = this.#sent;
    const session = this.#sessionId === null ? {} : { sessionId: this.#sessionId };
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#toBrowser.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  #read(text: string): void {
    const messages = (this.#unread + text).split("\0");
    this.#unread = messages.pop() ?? "";
    for (const message of messages) {
      const { id, result, error }: Reply = JSON.parse(message);
      const waiter = id === undefined ? undefined : this.#waiters.get(id);
      if (id === undefined || waiter === undefined) continue;
      this.#waiters.delete(id);
      if (error === undefined) waiter.resolve(result ?? {});
      else waiter.reject(new Error(error.message));
    }
  }

  #failAll(): void {
    for (const waiter of this.#waiters.values()) waiter.reject(new Error("Chromium has ended."));
    this.#waiters.clear();
  }
}
