import { afterAll, beforeAll, expect, test } from "vitest";
import { createGateway } from "../../src/index.ts";
import { createSimulator } from "../../src/simulator/index.ts";
import {
  createSchema,
  findPostgres,
  POSTGRES_MISSING,
  type PostgresServer,
  startPostgres,
} from "../support/postgres.ts";
import {
  connect,
  type LogLine,
  nextStepOf,
  readiness,
  recordingLogger,
  startRig,
  storyOf,
  terminate,
  until,
  withStore,
} from "./fault-rig.ts";

const isMissing = (await findPostgres()) === null;
const why = isMissing ? ` (skipped: ${POSTGRES_MISSING})` : "";
/** How long it is away. `npm run chaos -- --backend postgres` has it away for 30 s. */
const OUTAGE_MS = 3_000;
const PACKETS_PER_SECOND = 50;

let server: PostgresServer;
let url: string;

beforeAll(async () => {
  if (isMissing) return;
  const started = await startPostgres();
  if (started === null) throw new Error(POSTGRES_MISSING);
  server = started;
}, 60_000);

afterAll(async () => {
  if (!isMissing) await server.stop();
});

test.skipIf(isMissing)(
  `PostgreSQL is gone in the middle of a call: its audio goes on, its end is recorded when the database is back${why}`,
  { timeout: 90_000 },
  async () => {
    url = await createSchema(server.url);
    const log: LogLine[] = [];
    const simulator = createSimulator({ webhook: { retryDelaysMs: Array.from({ length: 20 }, () => 500) } });
    await simulator.start();
    const gateway = createGateway({
      token: simulator.token,
      appSecret: simulator.appSecret,
      verifyToken: simulator.verifyToken,
      phoneNumbers: simulator.phoneNumbers.map(({ id }) => id),
      graph: { url: simulator.graphUrl },
      media: { bindAddress: "127.0.0.1" },
      logger: recordingLogger(log),
      store: { url },
    }).onCall(async (call) => {
      void call.tone({ frequencyHz: 1_000, durationMs: 1_000 }, { loop: true });
      await call.answer();
    });
    try {
      const opened = await gateway.listen({ port: 0 });
      simulator.webhookUrl = opened.url;
      const call = await simulator.call();
      await call.media.firstRtp;
      const before = call.media.report();

      await server.kill();
      await until(async () => (await readiness(opened.url)).status === 503, 30_000);
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      expect(call.phase).toBe("active");
      const during = call.media.report();
      expect(during.packetsReceived - before.packetsReceived).toBeGreaterThan(
        (OUTAGE_MS / 1_000) * PACKETS_PER_SECOND * 0.8,
      );
      // The end comes while the database is away, and its webhook is refused until it is back.
      call.hangUp();
      await until(() => log.some(({ fields }) => /PostgreSQL/.test(nextStepOf(fields))), 30_000);
      await server.restart();
      const report = await call.ended;
      expect(report.media.longestGapMs).toBeLessThan(1_000);
      await until(async () => (await readiness(opened.url)).status === 200, 30_000);
      await until(() => gateway.status.calls === 0, 30_000);
    } finally {
      await gateway.close();
      await simulator.close();
    }
    const [records, events, backlog] = await withStore(
      { url },
      async (store) =>
        [
          (await store.calls.list({}, { limit: 10 })).items,
          await store.events.read({}, { after: 0, limit: 100 }),
          await store.journal.backlog(),
        ] as const,
    );
    expect(records).toMatchObject([{ state: "ended", endReason: "caller-hangup" }]);
    expect(storyOf(events).filter((type) => type.startsWith("call."))).toEqual([
      "call.incoming",
      "call.connecting",
      "call.answered",
      "call.ended",
    ]);
    expect(backlog.count).toBe(0);
  },
);

test.skipIf(isMissing)(
  `PostgreSQL is gone: webhooks get 503, and are taken when they come again; calls of meanwhile are not lost${why}`,
  { timeout: 90_000 },
  async () => {
    url = await createSchema(server.url);
    await using rig = await startRig({ store: { url } });
    expect(await rig.post(connect("wacid.live"))).toBe(200);
    await until(() => rig.calls[0]?.phase === "active");
    await server.kill();
    expect(await rig.post(terminate("wacid.live"))).toBe(503);
    expect(await rig.post(connect("wacid.next"))).toBe(503);
    // What the program does with a live call needs no database.
    await rig.calls[0]?.hangUp();
    expect(rig.asked).toContain("terminate wacid.live");
    await server.restart();
    for (const body of [terminate("wacid.live"), connect("wacid.next")]) {
      await until(async () => (await rig.post(body)) === 200, 30_000);
    }
    await until(() => rig.calls[1]?.phase === "active", 30_000);
    await rig.calls[1]?.hangUp();
    await until(() => rig.gateway.status.calls === 0);
    await rig.gateway.close();
    const records = await withStore({ url }, (store) => store.calls.list({}, { limit: 10 }));
    expect(
      records.items.map(({ whatsappCallId, endReason }) => `${whatsappCallId} ${endReason}`).toSorted(),
    ).toEqual(["wacid.live local-hangup", "wacid.next local-hangup"]);
  },
);

test.skipIf(isMissing)(
  `PostgreSQL does not answer at the start: the gateway does not start, and says so${why}`,
  async () => {
    const nowhere = "postgres://ringback@127.0.0.1:9/none";
    await expect(startRig({ store: { url: nowhere } })).rejects.toMatchObject({
      code: "STORE_UNUSABLE",
      details: { reason: "connection" },
      message: expect.stringContaining("DATABASE_URL"),
    });
  },
);
