import { connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { addCall, newEvent, openApiRig, type StoreApiRig } from "../../../../test/support/api-rig.ts";
import { readSse, type SseMessage } from "../../../../test/support/sse-client.ts";

const STREAM = { accept: "text/event-stream" };

/** An open stream with what has come over it so far. */
interface OpenStream {
  readonly status: number;
  readonly messages: SseMessage[];
  readonly ended: Promise<void>;
  seqs(): readonly (number | undefined)[];
  lastId(): string;
  cut(): void;
}

interface StreamOptions {
  readonly headers?: Record<string, string>;
  readonly key?: string;
  /** Cuts the connection as soon as so many events have come. */
  readonly cutAfter?: number;
}

async function openStream(rig: StoreApiRig, query = "", options: StreamOptions = {}): Promise<OpenStream> {
  const { headers = {}, key, cutAfter = Number.POSITIVE_INFINITY } = options;
  const cutting = new AbortController();
  const response = await rig.request("GET", `/v1/events${query}`, {
    headers: { ...STREAM, ...headers },
    signal: cutting.signal,
    ...(key !== undefined && { key }),
  });
  const messages: SseMessage[] = [];
  const read = async (): Promise<void> => {
    try {
      for await (const message of readSse(response)) {
        messages.push(message);
        if (messages.filter(({ data }) => data !== null).length >= cutAfter) return cutting.abort();
      }
    } catch {
      // Cut.
    }
  };
  return {
    status: response.status,
    messages,
    ended: read(),
    seqs: () => messages.flatMap(({ data }) => (data === null ? [] : [data.seq])),
    lastId: () => messages.flatMap(({ id }) => id ?? []).at(-1) ?? "",
    cut: () => cutting.abort(),
  };
}

test("a stream begins now, with a cursor to come back with, and has each event within a few ms of its commit", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  const stream = await openStream(rig);
  await vi.waitFor(() => expect(stream.messages).toHaveLength(1));
  expect(stream.messages[0]).toMatchObject({ id: expect.stringMatching(/^[\w-]+$/), data: null });
  const lateness: number[] = [];
  for (let seq = 2; seq <= 21; seq += 1) {
    await rig.store.calls.commit({ callId, events: [newEvent()] });
    const begin = performance.now();
    await vi.waitFor(() => expect(stream.seqs()).toHaveLength(seq - 1), { interval: 1 });
    lateness.push(performance.now() - begin);
  }
  expect(stream.seqs()).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  // The best of them: this machine may be busy with something else.
  expect(Math.min(...lateness)).toBeLessThan(20);
  stream.cut();
});

test("however often its connection is cut, a client with its last id gets each event once and in order", async () => {
  const rig = await openApiRig();
  const callId = await addCall(rig.store);
  const total = 400;
  const write = async (): Promise<void> => {
    for (let seq = 2; seq <= total; seq += 1) {
      await rig.store.calls.commit({ callId, events: [newEvent()] });
    }
  };
  const writing = write();
  const seen: (number | undefined)[] = [];
  let lastId = "";
  let cuts = 0;
  while (seen.length < total) {
    const headers = lastId === "" ? {} : { "last-event-id": lastId };
    const cutAfter = Math.min(1 + ((cuts * 5) % 17), total - seen.length);
    const stream = await openStream(rig, "?after=oldest", { headers, cutAfter });
    await stream.ended;
    seen.push(...stream.seqs());
    lastId = stream.lastId();
    cuts += 1;
  }
  await writing;
  expect(cuts).toBeGreaterThan(20);
  expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
}, 40_000);

test("a filtered stream is told how far it has come by signs of life, though nothing fits", async () => {
  const rig = await openApiRig({ streams: { times: { heartbeatMs: 20 } } });
  const callId = await addCall(rig.store);
  const stream = await openStream(rig, "?type=call.ended");
  await vi.waitFor(() => expect(stream.messages.length).toBeGreaterThan(1));
  const before = stream.lastId();
  await rig.store.calls.commit({ callId, events: [newEvent()] });
  await vi.waitFor(() => expect(stream.lastId()).not.toBe(before));
  expect(stream.seqs()).toEqual([]);
  expect(stream.messages.at(-1)?.comment).toBe("still here");
  stream.cut();
});

test("a client that does not read is cut off, and holds up neither the writer nor another client", async () => {
  const times = { stallMs: 2_000, heartbeatMs: 100 };
  const rig = await openApiRig({ streams: { times, limits: { perKey: 1 } } });
  const callId = await addCall(rig.store);
  const good = await openStream(rig);
  const key = await rig.key();
  const slow = connect(Number(new URL(rig.url).port), "127.0.0.1");
  onTestFinished(() => void slow.destroy());
  slow.on("error", () => {});
  slow.pause();
  const head = `GET /v1/events?after=oldest HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n`;
  slow.write(`${head}Authorization: Bearer ${key}\r\n\r\n`);
  await vi.waitFor(async () => expect((await openStream(rig, "", { key })).status).toBe(429));
  // More than the buffers of a connection hold.
  const filler = "x".repeat(100_000);
  const total = 200;
  for (let seq = 2; seq <= total; seq += 1) {
    await rig.store.calls.commit({ callId, events: [newEvent("call.tagged", { filler })] });
  }
  await vi.waitFor(() => expect(good.seqs()).toHaveLength(total - 1), { timeout: 10_000 });
  // Its place is free again, though its other end has not read a byte.
  await vi.waitFor(async () => expect((await openStream(rig, "", { key })).status).toBe(200), {
    timeout: 15_000,
    interval: 200,
  });
  expect(slow.bytesRead).toBe(0);
  good.cut();
}, 40_000);

test("a revoked key ends its streams", async () => {
  const rig = await openApiRig({ streams: { times: { heartbeatMs: 20 } } });
  await addCall(rig.store);
  const token = await rig.key();
  const stream = await openStream(rig, "", { key: token });
  const id = `key_${token.split("_")[1]}`;
  await rig.store.apiKeys.revoke(id, Date.now());
  await stream.ended;
  expect(stream.messages.at(-1)?.comment).toBe("key_revoked");
});

test("there are no more streams than there may be, and places come free again", async () => {
  const rig = await openApiRig({ streams: { limits: { perKey: 2 } } });
  await addCall(rig.store);
  const [first, second] = [await openStream(rig), await openStream(rig)];
  const third = await openStream(rig);
  expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
  first.cut();
  await vi.waitFor(async () => {
    const again = await openStream(rig);
    expect(again.status).toBe(200);
    again.cut();
  });
  second.cut();
});

test("a stream does not begin with a cursor that is wrong or too old, and the place is given back", async () => {
  const rig = await openApiRig({ streams: { limits: { perKey: 1 } } });
  await addCall(rig.store);
  for (let tries = 0; tries < 3; tries += 1) {
    const { status } = await openStream(rig, "?after=AAAA");
    expect(status).toBe(400);
  }
  const headers = { "last-event-id": "nonsense" };
  expect((await openStream(rig, "", { headers })).status).toBe(400);
});

test("closing the gateway ends streams, and does not wait for clients", async () => {
  const rig = await openApiRig();
  await addCall(rig.store);
  const stream = await openStream(rig);
  await rig.close();
  await stream.ended;
  expect(stream.status).toBe(200);
});
