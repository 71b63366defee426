import { afterEach, expect, test, vi } from "vitest";
import { type Call, createGateway, type Gateway } from "../../src/index.ts";
import { startWorkerThread, type WorkerThread } from "../../src/platform/worker-thread.ts";
import { SAMPLE } from "./fixture.ts";
import type { HeardReport, PlaceCall, ThreadedWhatsApp } from "./phone-thread.ts";

const PHONE_THREAD = new URL("./phone-thread.ts", import.meta.url);
const BLOCKED_MS = 500;
/** A quarter of the hold-up; on an idle machine it is 21 ms. */
const MAX_GAP_MS = 125;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A WhatsApp and a phone that the test's thread cannot hold up. */
class PhoneThread {
  readonly #thread: WorkerThread<PlaceCall>;
  #whatsApp: ThreadedWhatsApp | null = null;
  report: HeardReport | null = null;

  constructor() {
    this.#thread = startWorkerThread<PlaceCall, ThreadedWhatsApp | HeardReport>(PHONE_THREAD, null, {
      onMessage: (message) => {
        if (message.type === "started") this.#whatsApp = message;
        else this.report = message;
      },
      onExit: () => {},
    });
    closers.push(() => this.#thread.terminate());
  }

  async started(): Promise<ThreadedWhatsApp> {
    return vi.waitFor(() => this.#whatsApp ?? expect.unreachable(), 15_000);
  }

  call(order: PlaceCall): void {
    this.#thread.post(order);
  }
}

async function startGateway(
  whatsApp: ThreadedWhatsApp,
  onCall: (call: Call) => Promise<void>,
): Promise<string> {
  const { token, appSecret, verifyToken, phoneNumbers, graphUrl } = whatsApp;
  const gateway: Gateway = createGateway({
    token,
    appSecret,
    verifyToken,
    phoneNumbers,
    graph: { url: graphUrl },
    media: { bindAddress: "127.0.0.1" },
    store: "memory",
  }).onCall(onCall);
  closers.push(() => gateway.close());
  await gateway.preload(SAMPLE);
  return (await gateway.listen({ port: 0 })).url;
}

/** Stands still, as a program that computes or reads a file synchronously. */
function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** So that the figures in shared memory, at most 200 ms old, are those of now. */
const refresh = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

// Other programs on a busy machine take the media's processor now and then; a program that held it up would always.
test("a program that blocks its thread for half a second delays no packet", { retry: 3 }, async () => {
  const phone = new PhoneThread();
  const figures: { readonly skipped: number; readonly sent: number }[] = [];
  const url = await startGateway(await phone.started(), async (call) => {
    void call.play(SAMPLE, { loop: true });
    call.onFrame = () => {};
    await call.answer();
    const note = async (): Promise<void> => {
      await refresh();
      const stats = call.stats();
      figures.push({ skipped: stats?.slotsSkipped ?? -1, sent: stats?.packetsSent ?? -1 });
    };
    await note();
    blockThread(BLOCKED_MS);
    await note();
  });
  phone.call({ webhookUrl: url, hangUpAfterMs: 2_500 });
  const report = await vi.waitFor(() => phone.report ?? expect.unreachable(), 10_000);

  const [before, after] = figures;
  expect(after?.skipped).toBe(before?.skipped);
  expect((after?.sent ?? 0) - (before?.sent ?? 0)).toBeGreaterThanOrEqual(BLOCKED_MS / 20);
  expect(report.packetsReceived).toBeGreaterThan(100);
  expect(report.packetsLost).toBe(0);
  expect(report.longestGapMs).toBeLessThan(MAX_GAP_MS);
});
