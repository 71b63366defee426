import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type { EventEnvelope } from "../../src/core/events/event-types.ts";
import { createId } from "../../src/core/events/id.ts";
import { systemRandom } from "../../src/platform/random.ts";
import {
  connect,
  databaseIn,
  makeFolder,
  startRig,
  storyOf,
  terminate,
  until,
  withStore,
} from "./fault-rig.ts";

const HOUR_MS = 3_600_000;
const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/** A clock whose wall time is set by hand, while monotonic time goes on. */
function steppedClock(): { nowMs(): number; wallMs(): number; step(ms: number): void } {
  let offsetMs = 0;
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now() + offsetMs,
    step: (ms) => {
      offsetMs += ms;
    },
  };
}

test.each([
  ["back", -HOUR_MS],
  ["ahead", HOUR_MS],
])(
  "a clock that jumps an hour %s in the middle of a call: its length is right, and its events are in order",
  async (_name, stepMs) => {
    await using folder = await makeFolder();
    const clock = steppedClock();
    await using rig = await startRig({ store: { folder: folder.path }, clock });
    expect(await rig.post(connect("wacid.a"))).toBe(200);
    await until(() => rig.calls[0]?.phase === "active");
    const activeAtMs = performance.now();
    clock.step(stepMs);
    await until(() => performance.now() - activeAtMs > 300);
    expect(rig.calls[0]?.phase).toBe("active");
    await rig.calls[0]?.hangUp();
    const atMostMs = performance.now() - activeAtMs + 300;
    expect(await rig.post(terminate("wacid.a", clock.wallMs()))).toBe(200);
    await until(() => rig.gateway.status.calls === 0);
    await rig.gateway.close();
    const [record, events] = await withStore(databaseIn(folder.path), async (store) => {
      const [found] = (await store.calls.list({}, { limit: 10 })).items;
      return [found, await store.events.read({}, { after: 0, limit: 100 })] as const;
    });
    expect(record?.durationMs).toBeGreaterThanOrEqual(300);
    expect(record?.durationMs).toBeLessThan(atMostMs);
    expect(storyOf(events)).toEqual(["call.incoming", "call.connecting", "call.answered", "call.ended"]);
  },
);

test("after a clock that jumped back an hour calls are answered: what WhatsApp dates into the future is not old", async () => {
  const clock = steppedClock();
  await using rig = await startRig({ store: "memory", clock });
  clock.step(-HOUR_MS);
  expect(await rig.post(connect("wacid.a"))).toBe(200);
  await until(() => rig.calls[0]?.phase === "active");
});

test("calls of before and after a clock that jumped back each keep their record, and webhooks that come again change nothing", async () => {
  await using folder = await makeFolder();
  const clock = steppedClock();
  await using rig = await startRig({
    store: { folder: folder.path },
    clock,
    handler: (call) => call.reject(),
  });
  const bodies = [connect("wacid.a"), connect("wacid.b"), terminate("wacid.a")];
  expect(await rig.post(bodies[0]!)).toBe(200);
  clock.step(-HOUR_MS);
  for (const body of [...bodies, ...bodies]) expect(await rig.post(body)).toBe(200);
  await until(() => rig.calls.length === 2 && rig.gateway.status.calls === 0);
  await rig.gateway.close();
  const records = await withStore(databaseIn(folder.path), (store) => store.calls.list({}, { limit: 10 }));
  expect(records.items.map(({ whatsappCallId, state }) => `${whatsappCallId} ${state}`).toSorted()).toEqual([
    "wacid.a ended",
    "wacid.b ended",
  ]);
});

test("a delivery that failed is tried again in its time though the clock jumped back an hour meanwhile", {
  timeout: 40_000,
}, async () => {
  await using folder = await makeFolder();
  await using consumer = await startConsumer();
  const clock = steppedClock();
  await withStore(databaseIn(folder.path), (store) =>
    store.endpoints.create({
      id: createId("whe", Date.now(), systemRandom),
      url: consumer.url,
      types: null,
      phoneNumberId: null,
      secrets: [{ secret: SECRET, expiresAt: null }],
      state: "enabled",
      disabledReason: null,
      description: "clock",
      createdAt: Date.now(),
    }),
  );
  await using rig = await startRig({ store: { folder: folder.path }, clock });
  expect(await rig.post(terminate("wacid.a"))).toBe(200);
  await until(() => consumer.received.length === 1);
  const failedAtMs = performance.now();
  clock.step(-HOUR_MS);
  // The first retry comes after 5 s, give or take a fifth.
  await until(() => consumer.received.length === 2, 25_000);
  expect(performance.now() - failedAtMs).toBeGreaterThan(3_500);
  expect(consumer.received.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
    "call.ended 1",
    "call.ended 2",
  ]);
});

interface ClockConsumer extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly EventEnvelope[];
}

/** Fails the first time. */
async function startConsumer(): Promise<ClockConsumer> {
  const received: EventEnvelope[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push(JSON.parse(Buffer.concat(chunks).toString()) as EventEnvelope);
      response.writeHead(received.length === 1 ? 500 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
