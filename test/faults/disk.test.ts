import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  connect,
  databaseIn,
  type FaultRig,
  makeFolder,
  nextStepOf,
  readiness,
  startRig,
  storyOf,
  terminate,
  until,
  withStore,
} from "./fault-rig.ts";

const MIB = 1_048_576;
const NO_MOUNTS = mountsProblem();

/** A file system of its own, as only root may make it. */
async function mountIn(
  folder: string,
  options: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = join(folder, "disk");
  await mkdir(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      execFileSync("umount", ["-l", path]);
    },
  };
}

function mountsProblem(): string | null {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return null;
  } catch {
    return "file systems can be mounted by root alone";
  }
}

function fillUp(file: string): void {
  const handle = openSync(file, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (let i = 0; i < (16 * MIB) / block.length; i += 1) writeSync(handle, block);
    throw new Error("the disk did not become full");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(handle);
  }
}

/** Webhooks until one is refused: what the log of changes has reserved is used up first. Resolves with the one. */
async function untilRefused(rig: FaultRig): Promise<Uint8Array> {
  for (let i = 0; i < 3_000; i += 1) {
    const body = terminate(`wacid.filler${i}`);
    const status = await rig.post(body);
    if (status === 503) return body;
    expect(status).toBe(200);
  }
  throw new Error("no webhook was refused");
}

/**
 * Another program writes to the database, brings its log into the file, and then overwrites all pages but the first: what SQLite had in
 * memory is void, and it reads them again. In a process of its own, as closing a file gives up this one's locks on it.
 */
function damageFromOutside(file: string): void {
  const script = `
    import { openSync, fstatSync, writeSync } from "node:fs";
    import Database from "libsql";
    const file = process.argv[1];
    const db = new Database(file, { timeout: 5000 });
    db.exec("create table other (value text)");
    db.pragma("wal_checkpoint(truncate)");
    const handle = openSync(file, "r+");
    const { size } = fstatSync(handle);
    writeSync(handle, Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
  `;
  execFileSync(process.execPath, ["--input-type=module", "-e", script, file]);
}

function nextSteps(rig: FaultRig): readonly string[] {
  return rig.log
    .filter(({ level }) => level === "error")
    .map(({ fields, message }) => `${message}: ${nextStepOf(fields)}`);
}

test.skipIf(NO_MOUNTS !== null)(
  `with a full disk calls go on, webhooks get 503, and nothing is lost when there is room again${NO_MOUNTS === null ? "" : ` (skipped: ${NO_MOUNTS})`}`,
  async () => {
    await using folder = await makeFolder();
    await using disk = await mountIn(folder.path, "size=3m");
    await using rig = await startRig({ store: { folder: disk.path } });
    expect(await rig.post(connect("wacid.live"))).toBe(200);
    await until(() => rig.calls[0]?.phase === "active");
    const filler = join(disk.path, "filler");
    fillUp(filler);

    const refused = await untilRefused(rig);
    expect(await readiness(rig.url)).toMatchObject({
      status: 503,
      text: expect.stringContaining("store_unavailable"),
    });
    expect(rig.calls[0]?.phase).toBe("active");
    await rig.calls[0]?.hangUp();
    expect(rig.asked).toContain("terminate wacid.live");
    await until(() => nextSteps(rig).some((step) => /room on the disk/i.test(step)));

    await rm(filler);
    await until(async () => (await rig.post(refused)) === 200);
    await until(async () => (await readiness(rig.url)).status === 200);
    await rig.gateway.close();
    const { call, events, backlog } = await withStore(databaseIn(disk.path), async (store) => {
      const page = await store.calls.list({ endReason: "local-hangup" }, { limit: 10 });
      const [found] = page.items;
      return {
        call: found,
        events: await store.events.read({ callId: found?.id ?? "" }, { after: 0, limit: 100 }),
        backlog: await store.journal.backlog(),
      };
    });
    expect(call).toMatchObject({ whatsappCallId: "wacid.live", state: "ended" });
    expect(storyOf(events)).toEqual(["call.incoming", "call.connecting", "call.answered", "call.ended"]);
    expect(backlog.count).toBe(0);
  },
);

test.skipIf(NO_MOUNTS !== null)(
  `in a folder that cannot be written the gateway does not start, and says so${NO_MOUNTS === null ? "" : ` (skipped: ${NO_MOUNTS})`}`,
  async () => {
    await using folder = await makeFolder();
    await using disk = await mountIn(folder.path, "size=3m,ro");
    await expect(startRig({ store: { folder: disk.path } })).rejects.toMatchObject({
      code: "STORE_UNUSABLE",
      details: { reason: "permission" },
      message: expect.stringContaining("DATA_DIR"),
    });
  },
);

test.skipIf(NO_MOUNTS !== null)(
  `with a file that cannot be written the gateway does not start, and says so${NO_MOUNTS === null ? "" : ` (skipped: ${NO_MOUNTS})`}`,
  async () => {
    await using folder = await makeFolder();
    await using disk = await mountIn(folder.path, "size=3m");
    const rig = await startRig({ store: { folder: disk.path } });
    await rig.gateway.close();
    // By a mount of its own: the file may still be held open until it is collected.
    const locked = join(folder.path, "locked");
    await mkdir(locked);
    execFileSync("mount", ["--bind", disk.path, locked]);
    try {
      execFileSync("mount", ["-o", "remount,ro,bind", locked]);
      await expect(startRig({ store: { folder: locked } })).rejects.toMatchObject({
        code: "STORE_UNUSABLE",
        details: { reason: "permission" },
      });
    } finally {
      execFileSync("umount", ["-l", locked]);
    }
  },
);

test("where the folder should be is a file: the gateway does not start, and says so", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "data");
  await writeFile(path, "not a folder");
  await expect(startRig({ store: { folder: path } })).rejects.toMatchObject({
    code: "STORE_UNUSABLE",
    details: { reason: "folder" },
  });
});

test.each([
  ["another kind of file", () => Buffer.from("this is no database ".repeat(1_000))],
  [
    "garbage behind the header",
    (good: Buffer) => Buffer.concat([good.subarray(0, 100), Buffer.alloc(good.length - 100, 0x5a)]),
  ],
  [
    "a page that was overwritten",
    (good: Buffer) =>
      Buffer.concat([good.subarray(0, 4_096), Buffer.alloc(8_192, 0x5a), good.subarray(12_288)]),
  ],
  ["half of it", (good: Buffer) => good.subarray(0, Math.floor(good.length / 2))],
])(
  "a database that is damaged (%s) keeps the gateway from starting, and stays as it is",
  async (_name, damage) => {
    await using folder = await makeFolder();
    const { file } = databaseIn(folder.path);
    const rig = await startRig({ store: { folder: folder.path } });
    expect(await rig.post(terminate("wacid.a"))).toBe(200);
    await rig.gateway.close();
    const damaged = damage(await readFile(file));
    await writeFile(file, damaged);
    await expect(startRig({ store: { folder: folder.path } })).rejects.toMatchObject({
      code: "STORE_UNUSABLE",
      details: { reason: "corrupt" },
      message: expect.stringMatching(/damaged.*backup/),
    });
    expect((await readFile(file)).equals(damaged)).toBe(true);
  },
);

test("a database that is damaged under a running gateway: calls go on, webhooks get 503, and the log says what to do", async () => {
  await using folder = await makeFolder();
  const { file } = databaseIn(folder.path);
  await using rig = await startRig({ store: { folder: folder.path } });
  expect(await rig.post(connect("wacid.live"))).toBe(200);
  await until(() => rig.calls[0]?.phase === "active");
  damageFromOutside(file);
  await untilRefused(rig);
  expect(rig.calls[0]?.phase).toBe("active");
  await rig.calls[0]?.hangUp();
  expect(rig.asked).toContain("terminate wacid.live");
  await until(() => nextSteps(rig).some((step) => /backup/i.test(step)));
  expect((await readiness(rig.url)).status).toBe(503);
});
