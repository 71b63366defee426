import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { RingbackError } from "../../src/index.ts";
import { createSqliteRig } from "./rig.ts";
import { newWebhook, writeCall } from "./samples.ts";

const isRoot = process.getuid?.() === 0;

/** A folder with an end: a file system in memory. Only root may mount one. */
function mountSmall(folder: string, options: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const mounted: string[] = [];

afterEach(async () => {
  for (const folder of mounted.splice(0)) {
    execFileSync("umount", ["-l", folder]);
    await rm(folder, { recursive: true });
  }
});

async function smallFolder(options: string): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-small-"));
  if (mountSmall(folder, options)) {
    mounted.push(folder);
    return folder;
  }
  await rm(folder, { recursive: true });
  return null;
}

describe("a SQLite file", () => {
  const rig = createSqliteRig();

  test("is made with its folder, which only this user may read", async () => {
    const { file = "" } = await rig.database();
    await rig.open({ file });
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    for (const name of [file, `${file}-wal`, `${file}-shm`, `${file}.owner`]) {
      expect((await stat(name)).mode & 0o777).toBe(0o600);
    }
  });

  test("that others may read is taken from them", async () => {
    const { file = "" } = await rig.database();
    await (await rig.open({ file })).close();
    await chmod(file, 0o644);
    await rig.open({ file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("that is no database is refused as damaged, with advice, and left as it is", async () => {
    const { file = "" } = await rig.database();
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "A".repeat(9_000));
    const error = await rig.open({ file }).catch((cause: unknown) => cause as RingbackError);
    expect(error).toMatchObject({ code: "STORE_UNUSABLE", details: { reason: "corrupt" } });
    expect((error as RingbackError).message).toContain("move it away");
    expect(await readFile(file, "utf8")).toBe("A".repeat(9_000));
  });

  test("that lost its end, or a page, is refused as damaged", async () => {
    for (const damage of [
      (file: string) => truncate(file, 40_960),
      async (file: string) => {
        const handle = await open(file, "r+");
        await handle.write(Buffer.alloc(4_096, 0xff), 0, 4_096, 4_096 * 3);
        await handle.close();
      },
    ]) {
      const { file = "" } = await rig.database();
      const store = await rig.open({ file });
      for (let index = 0; index < 20; index++) await writeCall(store, ["call.incoming"]);
      await store.close();
      await damage(file);
      await expect(rig.open({ file })).rejects.toMatchObject({
        code: "STORE_UNUSABLE",
        details: { reason: "corrupt" },
      });
    }
  });

  test("that cannot be made is told of: a folder in its place, a file in the place of its folder", async () => {
    const { file = "" } = await rig.database();
    await mkdir(file, { recursive: true });
    await expect(rig.open({ file })).rejects.toMatchObject({ details: { reason: "folder" } });
    const other = (await rig.database()).file ?? "";
    await writeFile(dirname(other), "");
    await expect(rig.open({ file: other })).rejects.toMatchObject({ details: { reason: "folder" } });
  });

  test.skipIf(isRoot)(
    "in a folder that may not be written is told of (skipped: root may write everywhere)",
    async () => {
      const { file = "" } = await rig.database();
      await mkdir(dirname(file), { recursive: true, mode: 0o500 });
      await expect(rig.open({ file })).rejects.toMatchObject({ details: { reason: "permission" } });
    },
  );

  test.skipIf(!isRoot)(
    "on a file system that is read-only is told of (needs root to mount one)",
    async ({ skip }) => {
      const folder = await smallFolder("size=4m");
      if (folder === null) return skip("mounting is not permitted here");
      await (await rig.open({ file: join(folder, "ringback.db") })).close();
      // The same folder in a second place, where nothing may be written.
      const view = await mkdtemp(join(tmpdir(), "ringback-view-"));
      execFileSync("mount", ["--bind", folder, view]);
      mounted.unshift(view);
      execFileSync("mount", ["-o", "remount,bind,ro", view]);
      await expect(rig.open({ file: join(view, "ringback.db") })).rejects.toMatchObject({
        code: "STORE_UNUSABLE",
        details: { reason: "permission" },
      });
      await (await rig.open({ file: join(folder, "ringback.db") })).check();
    },
  );

  test.skipIf(!isRoot)(
    "on a full disk refuses writes, still reads, and writes again once there is room (needs root to mount one)",
    async ({ skip }) => {
      const folder = await smallFolder("size=3m");
      if (folder === null) return skip("mounting is not permitted here");
      const store = await rig.open({ file: join(folder, "ringback.db") });
      const { id } = await writeCall(store, ["call.incoming"]);
      const ballast = join(folder, "ballast");
      const fill = await open(ballast, "w");
      // All that is left.
      for (let full = false; !full; ) await fill.write(Buffer.alloc(65_536)).catch(() => (full = true));
      for (let full = false; !full; ) await fill.write(Buffer.alloc(512)).catch(() => (full = true));
      await fill.close();
      const write = (key: string) =>
        store.journal.append(newWebhook([key], { body: new Uint8Array(100_000) }));
      const diskFull = { code: "STORE_UNAVAILABLE", details: { reason: "disk-full" }, retryable: true };
      await expect(write("a")).rejects.toMatchObject(diskFull);
      const results = await Promise.allSettled([write("a"), write("b"), writeBig()]);
      for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: diskFull });
      expect((await store.calls.get(id))!.id).toBe(id);
      await rm(ballast);
      expect((await write("a")).length).toBe(1);
      expect((await store.journal.unfinished(9)).map(({ callKey }) => callKey)).toEqual(["call of a"]);
      await store.check();

      function writeBig(): Promise<unknown> {
        return store.calls.commit({ callId: id, update: { tags: { big: "x".repeat(100_000) } } });
      }
    },
  );

  test("is waited for while another program has it, and refused as busy when that takes too long", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    const { default: Connection } = await import("libsql");
    const other = new Connection(database.file ?? "");
    other.exec("begin immediate");
    const short = store.check();
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("commit");
    await short;
    other.exec("begin immediate");
    await expect(store.check()).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      details: { reason: "busy" },
      retryable: true,
    });
    other.exec("commit");
    other.close();
    await store.check();
  });

  test("in memory keeps nothing, and is nobody's alone", async () => {
    const one = await rig.open({ file: ":memory:" });
    const other = await rig.open({ file: ":memory:" });
    await writeCall(one, ["call.incoming"]);
    expect((await other.calls.list({}, { limit: 9 })).items).toEqual([]);
  });
});
