import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openStore, type Store } from "../../src/store/index.ts";
import { findPostgres, POSTGRES_MISSING, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { storeDeps } from "./rig.ts";
import { newEvent, newWebhook, writeCall } from "./samples.ts";

const installed = (await findPostgres()) !== null;
const UNREACHED = { code: "STORE_UNAVAILABLE", details: { reason: "connection" }, retryable: true };

describe.skipIf(!installed)(installed ? "PostgreSQL" : POSTGRES_MISSING, () => {
  let server: PostgresServer;
  const stores: Store[] = [];

  beforeAll(async () => {
    server = (await startPostgres()) as PostgresServer;
  }, 60_000);

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });

  afterAll(async () => {
    await server.stop();
  });

  async function open(url = server.url, node: string | null = "node-1"): Promise<Store> {
    const store = await openStore({ url, node }, storeDeps());
    stores.push(store);
    return store;
  }

  test("that goes away and comes back: what was acknowledged is there, writes are refused meanwhile, then taken again", async () => {
    const store = await open();
    const acknowledged: string[] = [];
    let refused = 0;
    let tried = 0;
    let running = true;
    const write = async (): Promise<void> => {
      while (running) {
        const key = `w${tried++}`;
        try {
          await store.journal.append(newWebhook([key]));
          acknowledged.push(key);
        } catch (error) {
          expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
          refused += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const writers = [write(), write(), write()];
    await until(() => acknowledged.length > 30);
    await server.kill();
    await until(() => refused > 3);
    await expect(store.check()).rejects.toMatchObject(UNREACHED);
    await server.restart();
    const before = acknowledged.length;
    await until(() => acknowledged.length > before + 30);
    running = false;
    await Promise.all(writers);
    const kept = new Set((await store.journal.unfinished(1_000_000)).map(({ callKey }) => callKey));
    expect(acknowledged.filter((key) => !kept.has(`call of ${key}`))).toEqual([]);
    // It owns its name again, and nobody else may.
    await until(async () => await isRefused(server.url));
  }, 60_000);

  test("that ends sessions one by one takes the process nothing: the next query makes a new one", async () => {
    const store = await open(server.url, "node-2");
    const { id } = await writeCall(store, ["call.incoming"]);
    const { default: pg } = await import("pg");
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ringback' and pid <> pg_backend_pid()",
    );
    await admin.end();
    let seq = 2;
    await until(async () => {
      try {
        await store.calls.commit({ callId: id, events: [newEvent("call.dtmf", seq)] });
        seq += 1;
      } catch (error) {
        expect(error).toMatchObject(UNREACHED);
      }
      return seq > 5;
    });
    const events = await store.events.read({ callId: id }, { after: 0, limit: 99 });
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test("two nodes of different names share it", async () => {
    const one = await open(server.url, "one");
    const other = await open(server.url, "other");
    const [entry] = await one.journal.append(newWebhook(["of one"]));
    expect((await other.journal.unfinished(1_000)).map(({ id }) => id)).not.toContain(entry!.id);
    expect((await one.journal.unfinished(1_000)).map(({ id }) => id)).toContain(entry!.id);
    expect(await other.journal.append(newWebhook(["of one"]))).toEqual([]);
  });

  test("that does not answer, or is named wrongly, is told of without its password", async () => {
    const unreachable = "postgres://ringback:s3cret@127.0.0.1:9/ringback";
    const error = await open(unreachable).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "STORE_UNUSABLE", details: { reason: "connection" } });
    expect(String(error)).not.toContain("s3cret");
    await expect(open("http://127.0.0.1")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const unknown = new URL(server.url);
    unknown.username = "nobody_here";
    await expect(open(unknown.href)).rejects.toMatchObject({
      code: "STORE_UNUSABLE",
      details: { reason: "permission" },
    });
  });

  async function isRefused(url: string): Promise<boolean> {
    try {
      await (await openStore({ url, node: "node-1" }, storeDeps())).close();
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: "STORE_UNUSABLE", details: { reason: "in-use" } });
      return true;
    }
  }
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
