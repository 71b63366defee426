import { describe, expect, test } from "vitest";
import { DeliveryRig, findDisorder, startConsumer } from "../../../test/support/delivery-rig.ts";
import { FAILURES_TO_OPEN } from "../../core/delivery/circuit-breaker.ts";
import { RingbackError } from "../../errors.ts";
import type { Store } from "../../store/types.ts";

const HOUR_MS = 3_600_000;

describe("an endpoint that is down", () => {
  test("for an hour is left alone but for a probe, and gets everything in order afterwards", async () => {
    let isDown = true;
    const consumer = await startConsumer(() => (isDown ? 500 : 200));
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    for (let i = 0; i < 40; i += 1) await rig.addCall(2);
    await rig.until(() => rig.deliveries.status().endpoints[0]?.breaker === "open", 100);
    await rig.until(() => rig.deliveries.status().inFlight === 0, 1);
    const before = consumer.requests.length;
    expect(before).toBeGreaterThanOrEqual(FAILURES_TO_OPEN);
    expect(before).toBeLessThanOrEqual(FAILURES_TO_OPEN + 16);
    const startedMs = rig.clock.wallMs();
    await rig.until(() => rig.clock.wallMs() - startedMs > HOUR_MS, 5_000);
    // After 30 s, 1, 2, 4 and then each 5 min.
    expect(consumer.requests.length - before).toBeGreaterThan(5);
    expect(consumer.requests.length - before).toBeLessThan(20);
    const waiting = await rig.deliveriesOf(endpoint);
    expect(waiting.filter(({ attempts }) => attempts === 0).length).toBeGreaterThan(40);
    isDown = false;
    await rig.exhaust(endpoint);
    expect(await rig.countOf(endpoint, "delivered")).toBe(80);
    expect(findDisorder(consumer.accepted)).toEqual([]);
    expect(new Set(consumer.accepted.map(({ event }) => event.id)).size).toBe(80);
    expect(rig.deliveries.status().endpoints[0]?.breaker).toBe("closed");
    const told = rig.lines.filter(({ level }) => level === "warn" || level === "info");
    expect(told[0]?.message).toContain("fails all the time");
    expect(told.at(-1)?.message).toContain("takes deliveries again");
  });

  test("for a day loses the event, which is brought back by hand", async () => {
    let isDown = true;
    const consumer = await startConsumer(() => (isDown ? 500 : 200));
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(1);
    const startedMs = rig.clock.wallMs();
    await rig.exhaust(endpoint);
    const [dead] = await rig.deliveriesOf(endpoint);
    expect(dead).toMatchObject({ state: "dead", lastStatus: 500, lastError: "status 500" });
    expect(dead?.attempts).toBe(consumer.requests.length);
    expect(dead?.attempts).toBeGreaterThanOrEqual(9);
    expect(rig.clock.wallMs() - startedMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expect(rig.clock.wallMs() - startedMs).toBeLessThan(25 * HOUR_MS);
    expect(consumer.requests.map(({ event }) => event.attempt)).toEqual(
      Array.from({ length: dead?.attempts ?? 0 }, (_, index) => index + 1),
    );
    expect(rig.deliveries.status().dead).toBe(1);
    expect(rig.lines.at(-1)).toMatchObject({ level: "warn", fields: { deliveries: 1 } });
    isDown = false;
    expect(await rig.store.outbox.replay({ endpointId: endpoint }, rig.clock.wallMs())).toBe(1);
    await rig.until(async () => (await rig.countOf(endpoint, "delivered")) === 1, 10_000);
    expect(consumer.accepted[0]?.event.id).toBe(consumer.requests[0]?.event.id);
  });

  test("for days gives up what is a day old without trying each, and the next event of a call follows", async () => {
    const consumer = await startConsumer(() => 500);
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    for (let i = 0; i < 60; i += 1) await rig.addCall(2);
    const startedMs = rig.clock.wallMs();
    await rig.until(() => rig.clock.wallMs() - startedMs > 25 * HOUR_MS, 300_000);
    await rig.until(async () => (await rig.countOf(endpoint, "dead")) > 100, 300_000);
    const untried = (await rig.deliveriesOf(endpoint)).filter(({ attempts }) => attempts === 0);
    expect(untried[0]?.lastError).toContain("24 h");
    expect(consumer.requests.length).toBeLessThan(400);
    const warnings = rig.lines.filter(({ message }) => message.includes("given up"));
    expect(warnings.length).toBeLessThan(100);
  });
});

test("a slow and a hanging endpoint delay no other", async () => {
  const slow = await startConsumer((_, response) => {
    setTimeout(() => response.writeHead(200).end(), 300);
    return null;
  });
  const hanging = await startConsumer(() => null);
  const quick = await startConsumer();
  const rig = await DeliveryRig.open({ timeoutMs: 120_000, stopLimitMs: 1 });
  for (const { url } of [slow, hanging, quick]) await rig.addEndpoint(url);
  rig.deliveries.start();
  for (let i = 0; i < 20; i += 1) await rig.addCall(5);
  await rig.until(() => quick.accepted.length === 100);
  expect(slow.accepted.length).toBeLessThan(100);
  expect(hanging.requests).toHaveLength(16);
  const { endpoints } = rig.deliveries.status();
  for (const { inFlight, connections } of endpoints) {
    expect(inFlight).toBeLessThanOrEqual(16);
    expect(connections).toBeLessThanOrEqual(16);
  }
});

/** A store that cannot be reached while `isAway()`. */
function leaving(store: Store, isAway: () => boolean): Store {
  const gate = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function" || name === "onCommit") return value;
        return (...given: unknown[]) => {
          if (!isAway()) return Reflect.apply(value, target, given);
          const details = { reason: "connection" } as const;
          return Promise.reject(new RingbackError("STORE_UNAVAILABLE", "away", { details, retryable: true }));
        };
      },
    });
  return { ...store, outbox: gate(store.outbox), endpoints: gate(store.endpoints) };
}

describe("a store that is away", () => {
  test("stops nothing for good: what was delivered meanwhile is written when it is back, and not sent again", async () => {
    let isAway = false;
    const consumer = await startConsumer(() => {
      // It leaves while deliveries are under way.
      isAway = true;
      return 200;
    });
    let inner: Store | null = null;
    const rig = await DeliveryRig.open({
      wrapStore: (store) => {
        inner = store;
        return leaving(store, () => isAway);
      },
    });
    const outbox = (): Store["outbox"] => inner!.outbox;
    await rig.addEndpoint(consumer.url);
    for (let i = 0; i < 10; i += 1) await rig.addCall(2);
    rig.deliveries.start();
    await rig.until(() => consumer.accepted.length === 10, 100);
    const leftMs = rig.clock.wallMs();
    while (rig.clock.wallMs() - leftMs < 30_000) {
      await rig.pass(500);
      rig.clock.stall(500);
    }
    expect(consumer.requests).toHaveLength(10);
    expect((await outbox().counts()).delivered).toBe(0);
    isAway = false;
    for (let done = 0; done < 20; ) {
      isAway = false;
      rig.clock.stall(200);
      await rig.pass(200);
      done = (await outbox().counts()).delivered;
    }
    expect(consumer.requests).toHaveLength(20);
    expect(findDisorder(consumer.accepted)).toEqual([]);
    const told = rig.lines.filter(({ message }) => message.includes("store")).map(({ level }) => level);
    expect(told.slice(0, 2)).toEqual(["warn", "info"]);
  });
});

describe("a stop", () => {
  test("waits for what is under way, and begins nothing more", async () => {
    const held: (() => void)[] = [];
    const consumer = await startConsumer((_, response) => {
      held.push(() => response.writeHead(200).end());
      return null;
    });
    const rig = await DeliveryRig.open();
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(2);
    await rig.until(() => held.length === 1);
    const stopped = rig.deliveries.stop();
    expect(rig.deliveries.stop()).toBe(stopped);
    held[0]?.();
    await rig.stop();
    await stopped;
    expect(await rig.countOf(endpoint, "delivered")).toBe(1);
    expect(consumer.requests).toHaveLength(1);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test("calls off what takes too long, which is delivered after the next start with the same id", async () => {
    let isHanging = true;
    const consumer = await startConsumer(() => (isHanging ? null : 200));
    const rig = await DeliveryRig.open({ stopLimitMs: 2_000 });
    const endpoint = await rig.addEndpoint(consumer.url);
    rig.deliveries.start();
    await rig.addCall(2);
    await rig.until(() => consumer.requests.length === 1);
    await rig.stop();
    expect(await rig.deliveriesOf(endpoint)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
    isHanging = false;
    rig.restart();
    await rig.until(async () => (await rig.countOf(endpoint, "delivered")) === 2);
    const ids = consumer.requests.map(({ headers }) => headers["webhook-id"]);
    expect(ids[1]).toBe(ids[0]);
    expect(consumer.requests.map(({ event }) => [event.seq, event.attempt])).toEqual([
      [1, 1],
      [1, 1],
      [2, 1],
    ]);
  });
});
