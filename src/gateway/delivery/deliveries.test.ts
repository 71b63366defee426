import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  DeliveryRig,
  findDisorder,
  OTHER_SECRET,
  SECRET,
  startConsumer,
  verifyTaken,
} from "../../../test/support/delivery-rig.ts";
import { SeededRandom } from "../../testing/index.ts";

describe("an event is delivered", () => {
  test("as its envelope, signed, to each endpoint that wants it", async () => {
    const rig = await DeliveryRig.open();
    const all = await startConsumer();
    const some = await startConsumer();
    await rig.addEndpoint(`${all.url}/all`);
    await rig.addEndpoint(`${some.url}/some`, { types: ["call.ended"] });
    rig.deliveries.start();
    const callId = await rig.addCall(2);
    await rig.until(() => all.accepted.length === 2);
    const [first, second] = all.accepted;
    expect(first?.event).toEqual({
      id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
      type: "call.tagged",
      time: "2026-01-01T00:00:00.000Z",
      call_id: callId,
      seq: 1,
      attempt: 1,
      data: { tags: { name: "grüße" } },
    });
    expect(second?.event.seq).toBe(2);
    expect(all.seen[0]).toMatchObject({
      method: "POST",
      url: "/all",
      headers: {
        "content-type": "application/json",
        "webhook-id": first?.event.id,
        "user-agent": "ringback",
      },
    });
    expect(all.accepted.map((taken) => verifyTaken(taken, rig.clock.wallMs()))).toEqual([null, null]);
    expect(some.requests).toEqual([]);
    await rig.until(() => rig.deliveries.status().delivered === 2);
    expect(rig.deliveries.status()).toMatchObject({ delivered: 2, failed: 0, dead: 0, inFlight: 0 });
  });

  test("when it was written before the start, also by another process", async () => {
    const rig = await DeliveryRig.open();
    const consumer = await startConsumer();
    const endpoint = await rig.addEndpoint(consumer.url);
    await rig.addCall(3);
    rig.deliveries.start();
    await rig.until(async () => (await rig.countOf(endpoint, "delivered")) === 3);
    expect(consumer.accepted.map(({ event }) => event.seq)).toEqual([1, 2, 3]);
  });

  test("when it is a test, like others", async () => {
    const rig = await DeliveryRig.open();
    const consumer = await startConsumer();
    const endpoint = await rig.addEndpoint(consumer.url, { types: ["call.ended"] });
    rig.deliveries.start();
    for (let i = 0; i < 3; i += 1) {
      await rig.store.outbox.enqueueTest(endpoint, { ...rig.event(), type: "webhook.test", data: {} });
    }
    await rig.until(() => consumer.accepted.length === 3);
    expect(consumer.accepted[0]?.event).toMatchObject({ type: "webhook.test", call_id: null, seq: 0 });
    expect(new Set(consumer.accepted.map(({ event }) => event.id)).size).toBe(3);
    expect(consumer.requests).toHaveLength(3);
  });

  test("while there is nobody else who delivers", async () => {
    let isMine = false;
    const rig = await DeliveryRig.open({ mayDeliver: () => isMine });
    const consumer = await startConsumer();
    await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(1);
    for (let i = 0; i < 20; i += 1) await rig.pass(1_000);
    expect(consumer.requests).toEqual([]);
    isMine = true;
    await rig.until(() => consumer.accepted.length === 1);
  });
});

describe("a consumer that fails a third of the time", () => {
  test.each([11, 12])("gets everything in order, and twice only what failed (seed %i)", async (seed) => {
    const chance = new SeededRandom(seed);
    const failed = new Map<string, number>();
    const consumer = await startConsumer(({ body }, response) => {
      const fate = chance.uint32() % 9;
      if (fate > 2) return 200;
      const { id } = JSON.parse(body) as { id: string };
      failed.set(id, (failed.get(id) ?? 0) + 1);
      if (fate === 0) return 503;
      // After its work, and before its answer: the sender cannot know.
      response.destroy();
      return null;
    });
    const rig = await DeliveryRig.open();
    await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    for (let i = 0; i < 12; i += 1) await rig.addCall(10);
    await rig.until(async () => (await rig.store.outbox.counts()).delivered === 120, 2_000);
    const ids = consumer.accepted.map(({ event }) => event.id);
    expect(new Set(ids).size).toBe(120);
    expect(ids).toHaveLength(120);
    expect(findDisorder(consumer.accepted)).toEqual([]);
    const times = new Map<string, number>();
    for (const { event } of consumer.requests) times.set(event.id, (times.get(event.id) ?? 0) + 1);
    for (const [id, count] of times) expect([id, count]).toEqual([id, 1 + (failed.get(id) ?? 0)]);
  });
});

describe("an attempt fails", () => {
  /** What is written of one attempt to an endpoint at a URL. */
  async function attempt(rig: DeliveryRig, url: string) {
    const endpoint = await rig.addEndpoint(url);
    rig.deliveries.start();
    await rig.addCall(1);
    await rig.until(async () => ((await rig.deliveriesOf(endpoint))[0]?.attempts ?? 0) > 0, 1);
    const [delivery] = await rig.deliveriesOf(endpoint);
    return delivery!;
  }

  test.each([301, 302, 307, 308])("with a redirect of %i, which is not followed", async (status) => {
    const target = await startConsumer();
    const consumer = await startConsumer((_, response) => {
      response.writeHead(status, { location: target.url }).end();
      return null;
    });
    const delivery = await attempt(await DeliveryRig.open(), consumer.url);
    expect(delivery).toMatchObject({ state: "pending", attempts: 1, lastStatus: status });
    expect(delivery.lastError).toContain("redirects are not followed");
    expect(target.requests).toEqual([]);
  });

  test.each([400, 401, 404, 500, 502])("with status %i", async (status) => {
    const consumer = await startConsumer(() => status);
    const rig = await DeliveryRig.open();
    const delivery = await attempt(rig, consumer.url);
    expect(delivery).toMatchObject({ state: "pending", lastStatus: status, lastError: `status ${status}` });
    const waitMs = delivery.nextAt - delivery.firstAt;
    expect(waitMs).toBeGreaterThanOrEqual(4_000);
    expect(waitMs).toBeLessThan(8_000);
  });

  test("when nobody answers in time", async () => {
    const consumer = await startConsumer(() => null);
    const delivery = await attempt(await DeliveryRig.open({ timeoutMs: 100 }), consumer.url);
    expect(delivery).toMatchObject({
      state: "pending",
      lastStatus: null,
      lastError: "REQUEST_FAILED: timeout",
    });
  });

  test("when the connection is reset, or there is none", async () => {
    const consumer = await startConsumer((_, __, incoming) => {
      incoming.socket.resetAndDestroy();
      return null;
    });
    const reset = await attempt(await DeliveryRig.open(), consumer.url);
    expect(reset.lastError).toMatch(/^REQUEST_FAILED: network \((ECONNRESET|UND_ERR_SOCKET)\)$/);
    const refused = await attempt(await DeliveryRig.open(), "http://127.0.0.1:1/");
    expect(refused).toMatchObject({ lastStatus: null, lastError: "REQUEST_FAILED: network (ECONNREFUSED)" });
  });

  test("when https is not spoken, or not by whom it should be", async () => {
    const consumer = await startConsumer();
    const delivery = await attempt(await DeliveryRig.open(), consumer.url.replace("http:", "https:"));
    expect(delivery).toMatchObject({ state: "pending", lastStatus: null });
    expect(delivery.lastError).toMatch(/^REQUEST_FAILED: network \(.*SSL.*\)$/);
    expect(consumer.requests).toEqual([]);
  });

  test("of a secret that is none, and nothing is sent unsigned", async () => {
    const consumer = await startConsumer();
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url, {
      secrets: [{ secret: "hunter2", expiresAt: null }],
    });
    rig.deliveries.start();
    await rig.addCall(1);
    await rig.until(async () => ((await rig.deliveriesOf(endpoint))[0]?.attempts ?? 0) > 1);
    const [delivery] = await rig.deliveriesOf(endpoint);
    expect(delivery?.lastError).toContain("secret cannot be read");
    expect(consumer.requests).toEqual([]);
    expect(inspect(rig.lines)).not.toContain("hunter2");
  });
});

test("an answer of 10 MB is not read, and counts by its status", async () => {
  let sentBytes = 0;
  const consumer = await startConsumer((_, response) => {
    response.writeHead(200);
    const send = (): void => {
      if (response.destroyed || sentBytes >= 10_000_000) return void response.end();
      sentBytes += 65_536;
      response.write(Buffer.alloc(65_536), send);
    };
    send();
    return null;
  });
  const rig = await DeliveryRig.open();
  const endpoint = await rig.addEndpoint(consumer.url);
  rig.deliveries.start();
  await rig.addCall(1);
  await rig.until(async () => (await rig.countOf(endpoint, "delivered")) === 1);
  expect(sentBytes).toBeLessThan(10_000_000);
  expect(consumer.requests).toHaveLength(1);
});

describe("a receiver that asks to wait", () => {
  test("is left alone by all of its calls, and none of them loses an attempt", async () => {
    let isBusy = true;
    const consumer = await startConsumer((_, response) => {
      if (!isBusy) return 200;
      response.writeHead(429, { "retry-after": "90" }).end();
      return null;
    });
    const rig = await DeliveryRig.open({ concurrency: 1 });
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    for (let i = 0; i < 5; i += 1) await rig.addCall(1);
    const startedMs = rig.clock.wallMs();
    await rig.until(async () => (await rig.deliveriesOf(endpoint)).some(({ attempts }) => attempts > 0), 1);
    await rig.until(() => rig.clock.wallMs() - startedMs > 80_000);
    expect(consumer.requests).toHaveLength(1);
    isBusy = false;
    await rig.until(async () => (await rig.countOf(endpoint, "delivered")) === 5);
    const attempts = (await rig.deliveriesOf(endpoint)).map((delivery) => delivery.attempts);
    expect(attempts.sort((one, other) => one - other)).toEqual([1, 1, 1, 1, 2]);
    expect(rig.clock.wallMs() - startedMs).toBeGreaterThanOrEqual(90_000);
  });
});

describe("an endpoint that answers 410", () => {
  test("is disabled, and gets what waited when it is enabled again", async () => {
    let isGone = true;
    const consumer = await startConsumer(() => (isGone ? 410 : 200));
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(3);
    await rig.until(async () => (await rig.store.endpoints.get(endpoint))?.state === "disabled");
    expect(await rig.store.endpoints.get(endpoint)).toMatchObject({ disabledReason: "gone" });
    for (let i = 0; i < 20; i += 1) await rig.pass(5_000);
    expect(consumer.requests).toHaveLength(1);
    const warnings = rig.lines.filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("enable it again")]);
    isGone = false;
    await rig.store.endpoints.update(endpoint, { state: "enabled", disabledReason: null });
    await rig.until(() => consumer.accepted.length === 3);
    expect(findDisorder(consumer.accepted)).toEqual([]);
  });
});

describe("what is changed of an endpoint", () => {
  test("counts from the next attempt on: its URL, its state", async () => {
    const before = await startConsumer();
    const after = await startConsumer();
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(before.url);
    rig.deliveries.start();
    await rig.addCall(1);
    await rig.until(() => before.accepted.length === 1);
    await rig.store.endpoints.update(endpoint, { url: after.url });
    await rig.addCall(1);
    await rig.until(() => after.accepted.length === 1);
    expect(before.requests).toHaveLength(1);
    await rig.store.endpoints.update(endpoint, { state: "disabled", disabledReason: "operator" });
    await rig.addCall(1);
    for (let i = 0; i < 10; i += 1) await rig.pass(1_000);
    expect(after.requests).toHaveLength(1);
  });

  test("its secret: both sign until the old one runs out", async () => {
    const consumer = await startConsumer();
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    const expiresAt = rig.clock.wallMs() + 60_000;
    const secrets = [
      { secret: OTHER_SECRET, expiresAt: null },
      { secret: SECRET, expiresAt },
    ];
    await rig.store.endpoints.update(endpoint, { secrets });
    await rig.addCall(1);
    await rig.until(() => consumer.accepted.length === 1);
    const [during] = consumer.accepted;
    expect(String(during?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
    for (const secret of [SECRET, OTHER_SECRET])
      expect(verifyTaken(during!, rig.clock.wallMs(), secret)).toBeNull();
    rig.clock.stall(60_000);
    await rig.addCall(1);
    await rig.until(() => consumer.accepted.length === 2);
    const [, after] = consumer.accepted;
    expect(verifyTaken(after!, rig.clock.wallMs(), OTHER_SECRET)).toBeNull();
    expect(verifyTaken(after!, rig.clock.wallMs(), SECRET)).toBe("no-match");
  });

  test("that it was removed: nothing more is sent, and no connection is kept", async () => {
    const consumer = await startConsumer();
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(1);
    await rig.until(() => consumer.accepted.length === 1);
    await rig.store.endpoints.remove(endpoint);
    await rig.until(() => rig.deliveries.status().endpoints.length === 0);
    await rig.addCall(1);
    for (let i = 0; i < 10; i += 1) await rig.pass(1_000);
    expect(consumer.requests).toHaveLength(1);
    expect(rig.deliveries.status()).toMatchObject({ delivered: 1, endpoints: [] });
  });
});
