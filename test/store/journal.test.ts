import { expect, test } from "vitest";
import { describeStores } from "./rig.ts";
import { NOON, newWebhook } from "./samples.ts";

describeStores("the journal of webhooks", (rig) => {
  test("a webhook is kept with its entries until they are finished", async () => {
    const { journal } = await rig.open();
    const webhook = newWebhook(["a", "b"]);
    const entries = await journal.append(webhook);
    expect(
      entries.map(({ callKey, event, position, receivedAt }) => [callKey, event, position, receivedAt]),
    ).toEqual([
      ["call of a", "connect", 0, NOON],
      ["call of b", "connect", 1, NOON],
    ]);
    const unfinished = await journal.unfinished(10);
    expect(unfinished).toEqual(entries.map((entry) => ({ ...entry, body: webhook.body })));
    await journal.finish([entries[0]!.id]);
    expect((await journal.unfinished(10)).map(({ id }) => id)).toEqual([entries[1]!.id]);
    await journal.finish([entries[1]!.id]);
    expect(await journal.unfinished(10)).toEqual([]);
  });

  test("what was delivered before is told to nobody, finished or not", async () => {
    const { journal } = await rig.open();
    const [first] = await journal.append(newWebhook(["a"]));
    expect(await journal.append(newWebhook(["a"]))).toEqual([]);
    await journal.finish([first!.id]);
    expect(await journal.append(newWebhook(["a"]))).toEqual([]);
    const mixed = await journal.append(newWebhook(["a", "c"]));
    expect(mixed.map(({ callKey, position }) => [callKey, position])).toEqual([["call of c", 1]]);
  });

  test("of the same webhook, delivered many times at once, each entry is new once", async () => {
    const { journal } = await rig.open();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        journal.append(newWebhook([`k${index % 20}`, `k${(index + 7) % 20}`])),
      ),
    );
    const callKeys = results.flat().map(({ callKey }) => callKey);
    expect(callKeys.length).toBe(20);
    expect(new Set(callKeys).size).toBe(20);
    expect((await journal.backlog()).count).toBe(20);
  });

  test("entries come back in the order they were journalled, with the body of their own webhook", async () => {
    const { journal } = await rig.open();
    const keys = Array.from({ length: 150 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => journal.append(newWebhook([key]))));
    const unfinished = await journal.unfinished(1_000);
    expect(unfinished.map(({ callKey }) => callKey)).toEqual(keys.map((key) => `call of ${key}`));
    for (const { body, callKey } of unfinished) {
      expect(new TextDecoder().decode(body).endsWith(callKey.slice("call of ".length))).toBe(true);
    }
    expect((await journal.unfinished(3)).length).toBe(3);
  });

  test("the backlog counts what waits, and since when", async () => {
    const { journal } = await rig.open();
    expect(await journal.backlog()).toEqual({ count: 0, oldestReceivedAt: null });
    const [early] = await journal.append(newWebhook(["a"], { receivedAt: NOON - 500 }));
    await journal.append(newWebhook(["b"]));
    expect(await journal.backlog()).toEqual({ count: 2, oldestReceivedAt: NOON - 500 });
    await journal.finish([early!.id]);
    expect(await journal.backlog()).toEqual({ count: 1, oldestReceivedAt: NOON });
  });

  test("bytes of a body come back as they were, and a webhook without entries is no trouble", async () => {
    const { journal } = await rig.open();
    const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
    await journal.append(newWebhook(["a"], { body }));
    expect(await journal.append(newWebhook([]))).toEqual([]);
    expect((await journal.unfinished(1))[0]!.body).toEqual(body);
  });

  test("what was journalled is there after the store was closed and opened again", async () => {
    const database = await rig.database();
    const before = await rig.open(database);
    await before.journal.append(newWebhook(["a"]));
    await before.close();
    const after = await rig.open(database);
    expect((await after.journal.unfinished(10)).length).toBe(1);
    expect(await after.journal.append(newWebhook(["a"]))).toEqual([]);
  });
});
