import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type CommandRequest, runCommand } from "./run-command.ts";
import { WorkLimit } from "./work-limit.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-command-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function runNode(script: string, request: Partial<CommandRequest> = {}): Promise<string> {
  const args = ["-e", script, "--", ...(request.args ?? [])];
  const output = await runCommand({ command: process.execPath, ...request, args });
  return Buffer.from(output).toString();
}

const ECHO = "process.stdin.pipe(process.stdout)";
const ARGUMENTS = "console.log(JSON.stringify(process.argv.slice(1)))";
const ENDLESS = "setInterval(() => {}, 1000)";

describe("a program", () => {
  test("gets its input and gives its output", async () => {
    expect(await runNode(ECHO, { input: "grüße" })).toBe("grüße");
    const large = new Uint8Array(1_000_000).fill(65);
    expect(await runNode(ECHO, { input: large })).toHaveLength(1_000_000);
    expect(await runNode(ECHO)).toBe("");
  });

  test("gets its arguments as they are: no shell reads them", async () => {
    const args = ["$HOME", "`id`", "a b", "; exit 1", "*", "\"'\\", "", "-v", "\n"];
    expect(JSON.parse(await runNode(ARGUMENTS, { args }))).toEqual(args);
  });

  test("may end without reading its input", async () => {
    expect(await runNode("console.log(1)", { input: new Uint8Array(10_000_000) })).toBe("1\n");
  });

  test("is told no setting of ours", async () => {
    vi.stubEnv("WHATSAPP_TOKEN", "a-secret");
    vi.stubEnv("LC_ALL", "C");
    const names = await runNode("console.log(Object.keys(process.env).join())", {
      environment: { MINE: "1" },
    });
    expect(names).not.toContain("WHATSAPP_TOKEN");
    expect(names.trim().split(",")).toEqual(expect.arrayContaining(["PATH", "LC_ALL", "MINE"]));
  });

  test("tells what it wrote to standard error to who asks for it, in success and failure", async () => {
    const tails: string[] = [];
    const onErrorOutput = (tail: string): void => void tails.push(tail);
    await runNode("console.error('x'.repeat(10000) + 'end')", { onErrorOutput });
    await runNode("console.error('why'); process.exitCode = 3", { onErrorOutput }).catch(() => {});
    await runNode("", { onErrorOutput });
    expect(tails).toEqual([`${"x".repeat(2_044)}end\n`, "why\n"]);
  });
});

describe("a program fails", () => {
  test("when there is none of its name", async () => {
    const work = runCommand({ command: "ringback-no-such-program", args: [] });
    await expect(work).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      details: { command: "ringback-no-such-program", reason: "not-found", exitCode: null },
      message: 'The program "ringback-no-such-program" was not found: install it, or give its full path.',
    });
    const spaced = runCommand({ command: "espeak-ng --stdout", args: [] });
    await expect(spaced).rejects.toThrow("arguments do not belong into its name");
  });

  test("when it may not be run", async () => {
    const path = join(folder, "program");
    await writeFile(path, "#!/bin/sh\n");
    await chmod(path, 0o600);
    const work = runCommand({ command: path, args: [] });
    await expect(work).rejects.toMatchObject({ details: { reason: "not-permitted" } });
  });

  test("with its exit code, and without what it was given", async () => {
    const work = runNode("console.error('text'); process.exit(3)", { args: ["text"], input: "text" });
    const error: unknown = await work.catch((failure: unknown) => failure);
    expect(error).toMatchObject({ details: { reason: "exit-code", exitCode: 3 }, retryable: false });
    expect((error as Error).message).not.toContain("text");
  });

  test("when a signal ends it", async () => {
    const work = runNode("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)");
    await expect(work).rejects.toMatchObject({ details: { reason: "killed", exitCode: null } });
  });

  test("when it writes without end, after as much as it may", async () => {
    const script =
      "const write = () => { while (process.stdout.write('x'.repeat(65536))); }; process.stdout.on('drain', write); write();";
    const work = runNode(script, { maxOutputBytes: 1_000_000 });
    await expect(work).rejects.toMatchObject({ details: { reason: "too-much-output" } });
    expect(await runNode("process.stdout.write('x'.repeat(1000))", { maxOutputBytes: 1_000 })).toHaveLength(
      1_000,
    );
  });

  test("when an argument cannot be given", async () => {
    const work = runNode("", { args: ["a\0b"] });
    await expect(work).rejects.toMatchObject({ details: { reason: "not-started" } });
  });

  test("when too many wait for it", async () => {
    const limit = new WorkLimit(1, 0);
    const ending = new AbortController();
    const request = { command: process.execPath, args: ["-e", ENDLESS], signal: ending.signal };
    const running = runCommand(request, limit);
    await expect(runCommand(request, limit)).rejects.toMatchObject({
      details: { reason: "busy" },
      retryable: true,
    });
    ending.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });
});

describe("a program that does not end", () => {
  test("is ended when its time is over", async () => {
    await expect(runNode(ENDLESS, { timeoutMs: 100 })).rejects.toMatchObject({
      details: { reason: "timeout" },
      message: expect.stringContaining("did not end within 100 ms"),
    });
  });

  test("is ended when the signal aborts, with the signal's reason", async () => {
    const ending = new AbortController();
    const work = runNode(ENDLESS, { signal: ending.signal });
    ending.abort(new Error("hung up"));
    await expect(work).rejects.toThrow("hung up");
    await expect(runNode(ENDLESS, { signal: ending.signal })).rejects.toThrow("hung up");
  });

  test("is ended with all that it has started", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const grandchild = `require("node:net").connect(${port}, "127.0.0.1").on("error", () => {})`;
    const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { stdio: "inherit" })`;
    const ending = new AbortController();
    const work = runNode(child, { signal: ending.signal });
    const [socket] = await once(server, "connection");
    socket.on("error", () => {}).resume();
    const closed = once(socket, "close");
    ending.abort(new Error("hung up"));
    await expect(work).rejects.toThrow("hung up");
    await closed;
    server.close();
  });

  test("but has let go of a child that holds its output is not waited for longer than its time", async () => {
    const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(ENDLESS)}], { stdio: "inherit" }).unref()`;
    await expect(runNode(child, { timeoutMs: 500 })).rejects.toMatchObject({
      details: { reason: "timeout" },
    });
  });
});
