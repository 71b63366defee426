import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { StoreOptions } from "../../src/store/index.ts";
import { describeStores } from "./rig.ts";
import { newWebhook } from "./samples.ts";

const PROGRAM = fileURLToPath(new URL("./writing-child.mjs", import.meta.url));
const IN_USE = { code: "STORE_UNUSABLE", details: { reason: "in-use" } };

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that owns the store, once it has written `count` webhooks; `written` goes on growing. */
async function writerOf(
  options: StoreOptions,
  count: number,
): Promise<{ child: ChildProcess; written: string[] }> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const written: string[] = [];
  await new Promise<void>((resolve, reject) => {
    let rest = "";
    child.stdout?.on("data", (text: Buffer) => {
      const lines = `${rest}${text.toString()}`.split("\n");
      rest = lines.pop() ?? "";
      written.push(...lines);
      if (written.length >= count) resolve();
    });
    child.once("exit", () => reject(new Error("it ended before it had written")));
  });
  return { child, written };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}

describeStores("the process that owns a store", (rig) => {
  test("another one is refused until it has closed the store; who only looks is let in", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    await expect(rig.open(database)).rejects.toMatchObject(IN_USE);
    const looking = await rig.open(database, null);
    await looking.check();
    await store.close();
    const next = await rig.open(database);
    await next.check();
  });

  test("when it is killed everything that was acknowledged is there, and the next one may own the store", async () => {
    const database = await rig.database();
    const { child, written } = await writerOf({ ...database, node: "node-1" }, 100);
    await expect(rig.open(database)).rejects.toMatchObject(IN_USE);
    const looking = await rig.open(database, null);
    expect((await looking.journal.unfinished(50)).length).toBe(50);
    await kill(child);
    const store = await rig.open(database);
    const kept = new Set((await store.journal.unfinished(1_000_000)).map(({ callKey }) => callKey));
    expect(written.filter((key) => !kept.has(`call of ${key}`))).toEqual([]);
    expect(await store.journal.append(newWebhook(written.slice(0, 100)))).toEqual([]);
  });

  test("who answers calls delivers, and who only looks does not", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    await expect.poll(() => store.mayDeliver(), { timeout: 10_000 }).toBe(true);
    expect((await rig.open(database, null)).mayDeliver()).toBe(false);
    await store.close();
    expect(store.mayDeliver()).toBe(false);
  });

  test("one process delivers at a time, and the next one takes over when it is gone", async () => {
    const database = await rig.database();
    const first = await rig.open(database, "node-1");
    await expect.poll(() => first.mayDeliver(), { timeout: 10_000 }).toBe(true);
    // A file is one node's; a server has several, of which one delivers.
    const second = database.url === undefined ? null : await rig.open(database, "node-2");
    expect(second?.mayDeliver() ?? false).toBe(false);
    await first.close();
    const next = second ?? (await rig.open(database, "node-2"));
    await expect.poll(() => next.mayDeliver(), { timeout: 20_000 }).toBe(true);
  }, 60_000);
});
