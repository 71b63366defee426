import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { eventMistakes } from "../../src/core/events/schemas.ts";
import { verifyDelivery } from "../../src/index.ts";
import { silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/types.ts";
import { startPair, until } from "./fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Received {
  readonly type: string;
  readonly seq: number;
  readonly call_id: string;
  readonly data: Record<string, unknown>;
}

/** A program that takes events, if their signature is right. */
async function startConsumer(): Promise<{
  readonly url: string;
  readonly host: string;
  readonly received: Received[];
}> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fault = verifyDelivery(request.headers as Record<string, string>, body, {
      secrets: [SECRET],
      nowMs: Date.now(),
    });
    if (fault === null) received.push(JSON.parse(body.toString()) as Received);
    response.writeHead(fault === null ? 204 : 401).end();
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/events`, host, received };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ringback-records-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function look(folder: string): Promise<Store> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: join(folder, "ringback.db"), node: null }, deps);
  cleanups.push(() => store.close());
  return store;
}

test("a call leaves its record, its events in order, its recording, and each event reaches the program", async () => {
  const folder = temporaryFolder();
  const consumer = await startConsumer();
  const gateway = {
    store: { folder },
    recordingsFolder: join(folder, "recordings"),
    events: { url: consumer.url, secret: SECRET },
    requests: { allowHttp: true, allowedHosts: [consumer.host] },
  };
  let isGathering = false;
  const pair = await startPair(
    async (call) => {
      await call.answer();
      call.tag({ department: "sales" });
      const recording = call.startRecording({ consent: "none" });
      await call.play({ tone: { frequencyHz: 440, durationMs: 200 } });
      isGathering = true;
      const { digits } = await call.gather({ maxDigits: 2 });
      call.tag({ digits: digits.length });
      await recording.stop();
      await call.hangUp();
    },
    { gateway },
  );
  cleanups.push(() => pair[Symbol.asyncDispose]());
  const phone = await pair.simulator.call({ from: "15550001234", voice: { type: "tone", frequencyHz: 300 } });
  await until(() => isGathering);
  await phone.sendDigits("42");
  await phone.ended;
  const call = pair.calls[0];
  await call?.ended;
  await until(() => consumer.received.some(({ type }) => type === "call.ended"));

  const store = await look(folder);
  const record = await store.calls.get(call?.recordId ?? "");
  expect(record).toMatchObject({
    direction: "inbound",
    state: "ended",
    party: { number: "15550001234" },
    endReason: "local-hangup",
    hangUpBy: "business",
    errorCode: null,
    tags: { department: "sales", digits: 2 },
  });
  expect(record?.answeredAt).toBeGreaterThanOrEqual(record?.createdAt ?? 0);
  expect(record?.durationMs).toBeGreaterThan(200);
  expect(record?.media).toMatchObject({ packets_lost: 0 });
  expect(Number(record?.media?.["packets_received"])).toBeGreaterThan(5);

  const events = await store.events.read({}, { after: 0, limit: 100 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.map(({ type }) => type)).toEqual([
    "call.incoming",
    "call.connecting",
    "call.answered",
    "call.tagged",
    "playback.started",
    "recording.started",
    "playback.ended",
    "call.dtmf",
    "call.dtmf",
    "gather.completed",
    "call.tagged",
    "recording.completed",
    "call.ended",
  ]);
  expect(events.find(({ type }) => type === "gather.completed")?.data).toEqual({
    outcome: "digits",
    finished_by: "max_digits",
    digits: "42",
  });
  const { items: recordings } = await store.recordings.list({}, { limit: 10 });
  expect(recordings).toMatchObject([{ status: "completed", callId: record?.id, consent: { mode: "none" } }]);
  expect(existsSync(join(folder, "recordings", recordings[0]?.files[0]?.path ?? "-"))).toBe(true);

  // As docs/asyncapi.json says.
  expect(consumer.received.flatMap(eventMistakes)).toEqual([]);
  // Delivered: the same events, in the same order, once each, as nothing failed.
  expect(consumer.received.map(({ type, seq }) => [type, seq])).toEqual(
    events.map(({ type, seq }) => [type, seq]),
  );
  expect(consumer.received.at(-1)?.data).toEqual(events.at(-1)?.data);
  expect(await store.journal.backlog()).toMatchObject({ count: 0 });
});

test("two gateways on one file: the second says that it is in use, and the first goes on", async () => {
  const folder = temporaryFolder();
  const first = await startPair(() => {}, { gateway: { store: { folder } } });
  cleanups.push(() => first[Symbol.asyncDispose]());
  await expect(startPair(() => {}, { gateway: { store: { folder } } })).rejects.toMatchObject({
    code: "STORE_UNUSABLE",
    details: { reason: "in-use" },
  });
  const phone = await first.simulator.call();
  await until(() => first.calls.length === 1);
  phone.hangUp();
  await phone.ended;
});
