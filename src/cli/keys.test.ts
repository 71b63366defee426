import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, onTestFinished, test } from "vitest";
import { parseToken } from "../gateway/api/auth/api-token.ts";
import { silentLogger } from "../logger.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { systemTimers } from "../platform/timers.ts";
import { openStore } from "../store/index.ts";
import type { CliIo } from "./io.ts";
import { addKeyCommands } from "./keys.ts";

interface Ran {
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly exitCode: number;
}

async function openFolder(): Promise<{
  readonly folder: string;
  readonly run: (...args: string[]) => Promise<Ran>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-keys-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = async (...args: string[]): Promise<Ran> => {
    const ran = { out: [] as string[], err: [] as string[], exitCode: 0 };
    const io: CliIo = {
      readFile: async () => JSON.stringify({ DATA_DIR: folder }),
      out: (line) => ran.out.push(line),
      write: (text) => ran.out.push(text),
      err: (line) => ran.err.push(line),
      setExitCode: (code) => {
        ran.exitCode = code;
      },
    };
    const program = new Command().exitOverride().configureOutput({ writeErr: (text) => ran.err.push(text) });
    addKeyCommands(program, io);
    await program.parseAsync(["keys", ...args, "--config", "settings.json"], { from: "user" });
    return ran;
  };
  return { folder, run };
}

test("a key is made, listed and revoked while a gateway has the store, and its secret is stored nowhere", async () => {
  const { folder, run } = await openFolder();
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: join(folder, "ringback.db"), node: "ringback" }, deps);
  onTestFinished(() => store.close());
  const made = await run(
    "create",
    "--name",
    "crm",
    "--scope",
    "calls:read",
    "events:read",
    "--expires",
    "30d",
  );
  const { keyId, secret } = parseToken(made.out[0] ?? "") ?? { keyId: "", secret: "" };
  expect(made.out).toHaveLength(1);
  const key = await store.apiKeys.get(keyId);
  expect(key).toMatchObject({ name: "crm", scopes: ["calls:read", "events:read"], phoneNumberId: null });
  expect((key?.expiresAt ?? 0) - (key?.createdAt ?? 0)).toBeGreaterThanOrEqual(30 * 86_400_000 - 1_000);
  expect(JSON.stringify(key)).not.toContain(secret);

  const listed = await run("list");
  expect(listed.out.join("\n")).toContain(`${keyId}  crm   active`);
  expect(listed.out.join("\n")).not.toContain(secret);
  expect((await run("revoke", keyId)).exitCode).toBe(0);
  expect((await run("revoke", keyId)).exitCode).toBe(1);
  expect((await run("list")).out.join("\n")).toContain("revoked");
  const { items } = await store.audit.list({ limit: 10 });
  expect(items.map(({ actor, action, target }) => [actor, action, target])).toEqual([
    ["cli", "key.revoked", keyId],
    ["cli", "key.created", keyId],
  ]);
});

test("a key may have all scopes, and one number", async () => {
  const { run } = await openFolder();
  await run("create", "--name", "admin", "--scope", "all", "--phone-number-id", "106540352242922");
  const [key] = JSON.parse((await run("list", "--json")).out.join("\n")) as Record<string, unknown>[];
  expect(key).toMatchObject({ phone_number_id: "106540352242922", expires_at: null, state: "active" });
  expect(key?.["scopes"]).toContain("node:admin");
});

test.each([
  [["create", "--name", "a", "--scope", "calls:reed"], "calls:read"],
  [["create", "--name", " ", "--scope", "all"], "1 to 100 characters"],
  [["create", "--name", "a", "--scope", "all", "--expires", "soon"], "30d"],
  [["create", "--name", "a", "--scope", "all", "--phone-number-id", "+49151"], "phone number id"],
  [["create", "--name", "a"], "--scope"],
])("a mistake in %j is explained", async (args, hint) => {
  const { run } = await openFolder();
  const failure = await run(...args).catch((error: unknown) => error);
  expect(String((failure as Error).message)).toContain(hint);
});
