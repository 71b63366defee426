// The program under test as a child of the load: JSON lines on its stdin and stdout, so that nothing stands between
// the offer and its answer.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const STOP_TIMEOUT_MS = 5_000;

export class Program {
  #child;
  #waiting = new Map();
  #nextId = 1;
  #onReady = null;
  #exited;

  /** Resolves with the program and what it says of itself, once it is ready. */
  static async start({ command, args, env }) {
    const program = new Program(command, args, env);
    const facts = await program.#ready();
    return { program, facts };
  }

  constructor(command, args, env) {
    this.#child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    this.#exited = once(this.#child, "exit").then(([code, signal]) =>
      this.#fail(`ended (${code ?? signal})`),
    );
    this.#child.on("error", (error) => this.#fail(error.message));
    this.#child.stdin.on("error", () => {
      // Its end is told by `exit`.
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#onLine(line));
  }

  get pid() {
    return this.#child.pid;
  }

  request(message) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, ...message })}\n`);
    });
  }

  async stop() {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    this.#child.stdin.end(`${JSON.stringify({ id: 0, do: "stop" })}\n`);
    await this.#exited;
    clearTimeout(timer);
  }

  #ready() {
    return new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#waiting.set(0, { resolve, reject });
    });
  }

  #onLine(line) {
    const message = JSON.parse(line);
    if (message.ready) {
      this.#waiting.delete(0);
      this.#onReady(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting?.reject(new Error(`the program: ${message.error}`));
    else waiting?.resolve(message);
  }

  #fail(reason) {
    for (const { reject } of this.#waiting.values()) reject(new Error(`the program ${reason}`));
    this.#waiting.clear();
  }
}
