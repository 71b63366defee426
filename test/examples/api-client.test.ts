import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { openAdminStore } from "../../src/gateway/admin-store.ts";
import { createKey } from "../../src/gateway/api/keys/key-admin.ts";
import { createGateway } from "../../src/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { createSimulator, type PhoneCall } from "../../src/simulator/index.ts";

vi.setConfig({ testTimeout: 60_000 });

interface Rig {
  readonly apiUrl: string;
  readonly key: string;
  /** A phone that calls. */
  dial(): Promise<PhoneCall>;
}

/** A gateway whose program does nothing: its calls are the API's. */
async function startRig(): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), "ringback-api-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const simulator = createSimulator();
  await simulator.start();
  onTestFinished(() => simulator.close());
  const gateway = createGateway({
    token: simulator.token,
    appSecret: simulator.appSecret,
    verifyToken: simulator.verifyToken,
    phoneNumbers: simulator.phoneNumbers.map(({ id }) => id),
    graph: { url: simulator.graphUrl },
    media: { bindAddress: "127.0.0.1" },
    store: { folder },
  }).onCall(() => {});
  onTestFinished(() => gateway.close());
  const { url, apiUrl } = await gateway.listen({ port: 0, api: { port: 0 } });
  simulator.webhookUrl = url;
  return {
    apiUrl: apiUrl ?? "",
    key: await makeKey(folder),
    dial: () => simulator.call({ from: "15550001234", voice: { type: "silence" } }),
  };
}

/** As `ringback keys create` does it, while the gateway runs. */
async function makeKey(folder: string): Promise<string> {
  const store = await openAdminStore({ folder });
  const deps = { store, clock: systemClock, random: systemRandom };
  const scopes = ["calls:write", "events:read"] as const;
  const { token } = await createKey(
    deps,
    { name: "example", scopes, phoneNumberId: null, expiresAt: null },
    "cli",
  );
  await store.close();
  return token;
}

/** Runs an example to its end. @param onReady When it waits for a call. */
function run(rig: Rig, command: string, args: readonly string[], onReady: () => void): Promise<string> {
  const env = { ...process.env, RINGBACK_API: rig.apiUrl, RINGBACK_KEY: rig.key };
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    let text = "";
    let isReady = false;
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (isReady || !text.includes("waiting for a call")) return;
      isReady = true;
      onReady();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`exit code ${code}: ${text}`)),
    );
  });
}

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

test.each([
  ["Python", "python3", [example("api_client.py")]],
  ["curl", "sh", [example("api-answer.sh")]],
])("a client in %s answers a call over the API and follows its events", async (name, command, args) => {
  if (!isInstalled(name === "curl" ? "curl" : command))
    throw new Error(`${name} is not installed: apt-get install it`);
  const rig = await startRig();
  let phone: Promise<PhoneCall> | null = null;
  const printed = await run(rig, command, args, () => {
    phone = rig.dial();
  });
  const types = [...printed.matchAll(/\b(call|playback)\.[a-z_]+\b/g)].map(([type]) => type);
  const expected = [
    "call.incoming",
    "call.connecting",
    "call.answered",
    "call.command_completed",
    "call.ended",
  ];
  expect(types).toEqual(expect.arrayContaining(expected));
  expect(types[0]).toBe("call.incoming");
  const report = await (await (phone as unknown as Promise<PhoneCall>)).ended;
  expect(report.endedBy).toBe("business");
  expect(printed).toContain("local_hangup");
});

test("the Python client is as short as it is said to be", async () => {
  const { readFileSync } = await import("node:fs");
  const lines = readFileSync(example("api_client.py"), "utf8").split("\n");
  expect(lines.filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(30);
});
