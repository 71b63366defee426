import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { until } from "./fixture.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder = "";

/** A build of its own, so that no other test's build changes the files under the running program. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-serve-"));
  const dist = join(folder, "dist");
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  // Types are checked elsewhere; without them a build takes two seconds.
  const options = ["--noCheck", "--outDir", dist, "--tsBuildInfoFile", join(dist, ".tsbuildinfo")];
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", ...options], { cwd: ROOT });
  for (const each of ["package.json", "assets"])
    cpSync(join(ROOT, each), join(folder, each), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly url?: string;
  readonly worker?: number;
  readonly udpPort?: number;
  readonly addresses?: readonly string[];
}

/** `ringback serve` as an operator runs it. */
class Program {
  readonly log: LogLine[] = [];
  stderr = "";
  readonly #process: ChildProcess;
  readonly exitCode: Promise<number | null>;

  constructor(settings: Record<string, string>, args: readonly string[] = []) {
    const main = join(folder, "dist", "cli", "main.js");
    const data = mkdtempSync(join(folder, "data-"));
    const env = { PATH: process.env["PATH"] ?? "", API_PORT: "0", DATA_DIR: data, ...settings };
    this.#process = spawn(process.execPath, [main, "serve", ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: this.#process.stdout! }).on("line", (line) => this.log.push(JSON.parse(line)));
    this.#process.stderr!.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.exitCode = once(this.#process, "close").then(([code]: (number | null)[]) => code ?? null);
  }

  /** The webhook's URL, when it is open. */
  async url(): Promise<string> {
    await until(() => this.log.some((line) => line.msg === "waiting for calls"), 15_000);
    return this.log.find((line) => line.url !== undefined)?.url ?? "";
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  signal(name: "SIGTERM" | "SIGKILL"): void {
    this.#process.kill(name);
  }
}

/** The UDP ports that a process has open, by what Linux says of it. */
function udpPortsOf(pid: number): Set<number> {
  const inodes = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    } catch {
      // Closed meanwhile.
      return undefined;
    }
  });
  const sockets = ["udp", "udp6"].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, "utf8").split("\n"),
  );
  const own = sockets
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.includes(fields[9] ?? ""));
  return new Set(own.map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16)));
}

const running: (Program | Simulator)[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) {
    if (each instanceof Program) {
      each.signal("SIGKILL");
      await each.exitCode;
    } else await each.close();
  }
});

async function startBoth(args: readonly string[]): Promise<{ simulator: Simulator; program: Program }> {
  const simulator = createSimulator({ webhook: { retryDelaysMs: [50] } });
  running.push(simulator);
  await simulator.start();
  const program = new Program(settingsFor(simulator), args);
  running.push(program);
  simulator.webhookUrl = await program.url();
  return { simulator, program };
}

function settingsFor(simulator: Simulator): Record<string, string> {
  return {
    WHATSAPP_TOKEN: simulator.token,
    WHATSAPP_APP_SECRET: simulator.appSecret,
    WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: simulator.verifyToken,
    WHATSAPP_PHONE_NUMBER_ID: simulator.phoneNumbers.map((number) => number.id).join(","),
    GRAPH_API_URL: simulator.graphUrl,
    PORT: "0",
  };
}

describe("ringback serve", () => {
  test("answers a call and plays; at SIGTERM it takes no new one, lets the caller finish, and exits with 0", async () => {
    const { simulator, program } = await startBoth(["--loop"]);
    await simulator.verifyWebhook();
    const phone = await simulator.call();
    expect(await phone.accepted).toBe(true);
    expect(await phone.media.firstRtp).not.toBeNull();
    program.signal("SIGTERM");
    await until(() => program.log.some((line) => line.msg.startsWith("draining")));
    const late = await simulator.call({ from: "15550001002" });
    expect((await late.ended).endedBy).toBe("rejected");
    expect(phone.phase).toBe("active");
    expect(program.isRunning).toBe(true);
    phone.hangUp();
    expect((await phone.ended).status).toBe("COMPLETED");
    expect(await program.exitCode).toBe(0);
    expect(program.stderr).toBe("");
  }, 40_000);

  test("ends the running call at the second SIGTERM, tells WhatsApp, and exits with 0", async () => {
    const { simulator, program } = await startBoth(["--loop"]);
    const phone = await simulator.call();
    expect(await phone.accepted).toBe(true);
    program.signal("SIGTERM");
    await until(() => program.log.some((line) => line.msg.startsWith("draining")));
    const signalledMs = performance.now();
    program.signal("SIGTERM");
    expect(await program.exitCode).toBe(0);
    expect(performance.now() - signalledMs).toBeLessThan(5_000);
    const report = await phone.ended;
    expect(report.endedBy).toBe("business");
    expect(report.graphRequests.at(-1)).toMatchObject({ action: "terminate", status: 200 });
  }, 40_000);

  test("uses one UDP port per worker, says which, and which address it announces", async () => {
    const settings = { MEDIA_WORKERS: "2", MEDIA_PUBLIC_ADDRESS: "203.0.113.7" };
    const program = new Program({ ...COMPLETE, ...settings, PORT: "0" });
    running.push(program);
    await program.url();
    const lines = program.log.filter((line) => line.msg === "media port");
    expect(lines.map((line) => line.worker)).toEqual([1, 2]);
    for (const { addresses } of lines) expect(addresses).toContain("203.0.113.7");
    const ports = new Set(lines.map((line) => line.udpPort));
    expect(ports.size).toBe(2);
    if (process.platform === "linux") expect(udpPortsOf(program.pid)).toEqual(ports);
    program.signal("SIGTERM");
    expect(await program.exitCode).toBe(0);
  }, 40_000);

  test("hangs up after the file when it is not told to hold", async () => {
    const { simulator, program } = await startBoth(["--then", "hangup"]);
    const phone = await simulator.call();
    const report = await phone.ended;
    expect(report).toMatchObject({ endedBy: "business", status: "COMPLETED" });
    expect(report.durationSeconds).toBeGreaterThanOrEqual(9);
    program.signal("SIGTERM");
    expect(await program.exitCode).toBe(0);
  }, 40_000);

  test("takes each call through a flow, whose files lie beside it", async () => {
    const file = join(folder, "flow.json");
    const steps = [
      { verb: "gather", prompt: "assets/sample.mp3", on: { 1: [{ verb: "hangup" }], timeout: "end" } },
      { verb: "play", source: "missing.mp3" },
    ];
    writeFileSync(file, JSON.stringify(steps));
    const { simulator, program } = await startBoth(["--flow", file]);
    await until(() => program.log.some((line) => line.msg === "a sound of the flow cannot be played"));
    const phone = await simulator.call();
    await phone.media.firstRtp;
    await phone.sendDigits("1");
    expect((await phone.ended).endedBy).toBe("business");
    await until(() => program.log.some((line) => line.msg === "a flow ended"));
    expect(program.log.find((line) => line.msg === "a flow ended")).toMatchObject({
      reason: "completed",
      steps: 2,
    });
    program.signal("SIGTERM");
    expect(await program.exitCode).toBe(0);
  }, 40_000);

  test("does not start with a flow that has mistakes, or with a flow and a file", async () => {
    const file = join(folder, "wrong.json");
    writeFileSync(file, '[{"verb": "answr"}]');
    const simulator = createSimulator();
    running.push(simulator);
    await simulator.start();
    const settings = settingsFor(simulator);
    const wrong = new Program(settings, ["--flow", file]);
    expect(await wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain("line 1, column 3: steps[0].verb: unknown verb; did you mean answer?");
    const both = new Program(settings, ["--flow", file, "--play", file]);
    expect(await both.exitCode).toBe(1);
    expect(both.stderr).toContain("cannot be used with");
  });

  test("names every setting that is missing, at once", async () => {
    const program = new Program({});
    expect(await program.exitCode).toBe(1);
    const names = ["TOKEN", "PHONE_NUMBER_ID", "APP_SECRET", "WEBHOOK_VERIFICATION_TOKEN"];
    for (const name of names) expect(program.stderr).toContain(`\n  WHATSAPP_${name} is missing\n`);
  });

  test.each([
    [
      "a port that is taken",
      (port: number) => [{ PORT: String(port) }, []],
      /^ringback: port is taken.* Setting: PORT\.$/,
    ],
    [
      "a media port that is taken",
      (_: number, port: number) => [{ MEDIA_PORT: String(port) }, []],
      /^ringback: Could not bind UDP port.* Setting: MEDIA_PORT\.$/,
    ],
    [
      "an address that is not this machine's",
      () => [{ HOST: "203.0.113.7" }, []],
      /^ringback: host must be.* Setting: HOST\.$/,
    ],
    ["a file that is not there", () => [{}, ["--play", "/nowhere.mp3"]], /^ringback: .*nowhere/],
  ] satisfies [string, (tcp: number, udp: number) => [Record<string, string>, string[]], RegExp][])(
    "says in one line that it cannot start with %s",
    async (_name, using, message) => {
      const [tcp, udp] = [createServer(), createSocket("udp4")];
      await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => udp.bind(0, "0.0.0.0", resolve));
      const [settings, args] = using((tcp.address() as AddressInfo).port, udp.address().port);
      const program = new Program({ ...COMPLETE, PORT: "0", ...settings }, args);
      running.push(program);
      expect(await program.exitCode).toBe(1);
      expect(program.stderr.trim()).toMatch(message);
      expect(program.stderr.trim().split("\n")).toHaveLength(1);
      udp.close();
      await new Promise((resolve) => tcp.close(resolve));
    },
  );
});

const COMPLETE = {
  WHATSAPP_TOKEN: "a-token",
  WHATSAPP_APP_SECRET: "a-secret",
  WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: "a-verify-token",
  WHATSAPP_PHONE_NUMBER_ID: "100000000000001",
  GRAPH_API_URL: "http://127.0.0.1:9",
};
