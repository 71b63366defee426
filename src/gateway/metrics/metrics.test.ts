import { afterEach, describe, expect, test } from "vitest";
import { RingbackError } from "../../errors.ts";
import type { MediaStats } from "../../media/index.ts";
import { systemTimers } from "../../platform/timers.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { EndedCall } from "../observer.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { MetricSources } from "./sources.ts";

const WORKER = {
  isUp: true,
  port: 10_000,
  addresses: ["192.0.2.1"],
  calls: 3,
  lateTicks: 4,
  skippedSlots: 2,
  worstLateMs: 12,
  datagramsDropped: 7,
  framesDropped: 1,
  restarts: 0,
};
const COUNTERS = {
  callsStarted: 0,
  eventsRepeated: 5,
  eventsIgnored: 1,
  eventsOfOtherNumbers: 2,
  callsOverLimit: 6,
};

const SOURCES: MetricSources = {
  version: "1.2.3",
  maxCalls: 50,
  status: () => ({ state: "running", counters: COUNTERS, media: { workers: [WORKER] } }),
  callsByPhase: () => ({ ringing: 1, connecting: 2, active: 3 }),
};

const open: Metrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

function create(sources: Partial<MetricSources> = {}, timers = systemTimers): Metrics {
  const metrics = createMetrics({ ...SOURCES, ...sources }, { clock: new ManualClock(), timers });
  open.push(metrics);
  return metrics;
}

/** The value of a series as Prometheus would read it; null when there is none. */
async function readSeries(metrics: Metrics, series: string): Promise<number | null> {
  const { text } = await metrics.text();
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

const STATS = {
  packetsSent: 200,
  received: { packetsReceived: 90, packetsLost: 10, jitterMs: 4 },
  rtcp: { rttMs: 80, remote: { packetsLost: 2 } },
} as unknown as MediaStats;

function endedCall(change: Partial<EndedCall> = {}): EndedCall {
  const explanation = { meaning: "", nextStep: null };
  return {
    recordId: "call_00",
    phoneNumberId: "100000000000001",
    end: {
      reason: "caller-hangup",
      explanation,
      answered: true,
      durationMs: 42_000,
      error: null,
      remoteErrors: [],
    },
    timeline: [
      { step: "webhook", atMs: 0, detail: null },
      { step: "answer-built", atMs: 8, detail: null },
      { step: "media-connected", atMs: 58, detail: null },
      { step: "media-connected", atMs: 9_000, detail: null },
      { step: "first-rtp-out", atMs: 65, detail: null },
    ],
    startedWallMs: 0,
    stats: STATS,
    ...change,
  };
}

describe("calls", () => {
  test("are counted when they begin, and when they end by reason and answer", async () => {
    const metrics = create();
    metrics.callStarted("call_00", "100000000000001");
    metrics.callEnded(endedCall());
    expect(await readSeries(metrics, 'ringback_calls_started_total{phone_number_id="100000000000001"}')).toBe(
      1,
    );
    const ended = 'phone_number_id="100000000000001",reason="caller_hangup",answered="yes"';
    expect(await readSeries(metrics, `ringback_calls_ended_total{${ended}}`)).toBe(1);
    expect(await readSeries(metrics, "ringback_call_duration_seconds_sum")).toBe(42);
  });

  test("have each set-up step once, at its first time", async () => {
    const metrics = create();
    metrics.callEnded(endedCall());
    expect(await readSeries(metrics, 'ringback_call_setup_seconds_count{step="media"}')).toBe(1);
    expect(await readSeries(metrics, 'ringback_call_setup_seconds_sum{step="media"}')).toBe(0.058);
    expect(await readSeries(metrics, 'ringback_call_setup_seconds_sum{step="first_rtp_out"}')).toBe(0.065);
    expect(await readSeries(metrics, 'ringback_call_setup_seconds_sum{step="accepted"}')).toBe(null);
  });

  test("tell their loss in both directions, their jitter and their round trip", async () => {
    const metrics = create();
    metrics.callEnded(endedCall());
    expect(await readSeries(metrics, 'ringback_rtp_packets_total{direction="in"}')).toBe(90);
    expect(await readSeries(metrics, 'ringback_call_loss_ratio_sum{direction="in"}')).toBe(0.1);
    expect(await readSeries(metrics, 'ringback_call_loss_ratio_sum{direction="out"}')).toBe(0.01);
    expect(await readSeries(metrics, "ringback_call_jitter_seconds_sum")).toBe(0.004);
    expect(await readSeries(metrics, "ringback_call_round_trip_seconds_sum")).toBe(0.08);
  });

  test("without media have no sound to tell of, and unanswered ones no duration", async () => {
    const metrics = create();
    const { end } = endedCall();
    metrics.callEnded(endedCall({ stats: null, end: { ...end, answered: false, durationMs: 0 } }));
    expect(await readSeries(metrics, "ringback_call_jitter_seconds_count")).toBe(0);
    expect(await readSeries(metrics, "ringback_call_duration_seconds_count")).toBe(0);
  });
});

describe("requests", () => {
  test("of WhatsApp tell their answer's time by status, and their lag by kind of event", async () => {
    const metrics = create();
    metrics.webhookAnswered(200, 3);
    metrics.webhookEvent("connect", 1_500);
    metrics.webhookEvent("status:ringing", 500);
    metrics.webhookEvent("unknown:whatever-meta-thinks-of", 500);
    metrics.webhookEvent("terminate", null);
    expect(await readSeries(metrics, 'ringback_webhook_answer_seconds_sum{status="200"}')).toBe(0.003);
    expect(await readSeries(metrics, 'ringback_webhook_lag_seconds_sum{event="connect"}')).toBe(1.5);
    expect(await readSeries(metrics, 'ringback_webhook_lag_seconds_count{event="status"}')).toBe(1);
    expect(await readSeries(metrics, 'ringback_webhook_lag_seconds_count{event="unknown"}')).toBe(1);
    expect(await readSeries(metrics, 'ringback_webhook_lag_seconds_count{event="terminate"}')).toBe(null);
  });

  test("to the Graph API tell their errors by both codes", async () => {
    const metrics = create();
    const details = {
      status: 400,
      graphCode: 138_000,
      graphSubcode: null,
      graphDetails: null,
      traceId: null,
      meaning: "",
      nextStep: "",
    };
    metrics.graphRequest("accept", 250, new RingbackError("GRAPH_REQUEST_FAILED", "no", { details }));
    metrics.graphRequest("accept", 150, null);
    const unreachable = { details: { reason: "network", attempts: 1 } } as const;
    metrics.graphRequest("reject", 100, new RingbackError("GRAPH_UNREACHABLE", "no", unreachable));
    expect(await readSeries(metrics, 'ringback_graph_request_seconds_count{action="accept"}')).toBe(2);
    const refused = 'action="accept",code="GRAPH_REQUEST_FAILED",graph_code="138000"';
    expect(await readSeries(metrics, `ringback_graph_errors_total{${refused}}`)).toBe(1);
    const lost = 'action="reject",code="GRAPH_UNREACHABLE",graph_code="none"';
    expect(await readSeries(metrics, `ringback_graph_errors_total{${lost}}`)).toBe(1);
  });

  test("that name more numbers and codes than there can be make no more series", async () => {
    const metrics = create();
    for (let i = 0; i < 500; i++) metrics.callStarted("call_00", `${i}`);
    const { text } = await metrics.text();
    const series = text.split("\n").filter((line) => line.startsWith("ringback_calls_started_total{"));
    expect(series).toHaveLength(101);
    expect(series).toContain('ringback_calls_started_total{phone_number_id="other"} 400');
  });
});

describe("what is asked for when somebody fetches", () => {
  test("has the state, the calls and what was left alone, however often it is fetched", async () => {
    const metrics = create({ queues: () => ({ webhooks: 9 }) });
    await metrics.text();
    expect(await readSeries(metrics, 'ringback_gateway_state{state="running"}')).toBe(1);
    expect(await readSeries(metrics, 'ringback_gateway_state{state="draining"}')).toBe(0);
    expect(await readSeries(metrics, 'ringback_calls{state="active"}')).toBe(3);
    expect(await readSeries(metrics, "ringback_calls_limit")).toBe(50);
    expect(await readSeries(metrics, 'ringback_queue_depth{queue="webhooks"}')).toBe(9);
    expect(await readSeries(metrics, 'ringback_webhook_events_left_alone_total{why="repeated"}')).toBe(5);
    expect(await readSeries(metrics, "ringback_calls_over_limit_total")).toBe(6);
    expect(await readSeries(metrics, 'ringback_media_late_ticks_total{worker="1"}')).toBe(4);
    expect(await readSeries(metrics, 'ringback_media_worst_late_seconds{worker="1"}')).toBe(0.012);
    expect(await readSeries(metrics, 'ringback_build_info{version="1.2.3"}')).toBe(1);
  });

  test("has the store's backlog with its age, and the deliveries by state", async () => {
    const metrics = create({
      isStoreWritable: async () => true,
      backlog: async () => ({ count: 4, oldestReceivedAt: new ManualClock().wallMs() - 2_500 }),
      deliveries: async () => ({ pending: 3, delivered: 70, dead: 1 }),
      endpoints: async () => ({ open: 1, disabled: 0 }),
      freeBytes: async () => 1_024,
    });
    expect(await readSeries(metrics, "ringback_store_up")).toBe(1);
    expect(await readSeries(metrics, "ringback_journal_backlog")).toBe(4);
    expect(await readSeries(metrics, "ringback_journal_oldest_age_seconds")).toBe(2.5);
    expect(await readSeries(metrics, 'ringback_deliveries{state="dead"}')).toBe(1);
    expect(await readSeries(metrics, 'ringback_endpoints_unwell{state="open"}')).toBe(1);
    expect(await readSeries(metrics, "ringback_data_free_bytes")).toBe(1_024);
  });

  test("leaves out, and counts, what fails or does not come; nothing stale is shown", async () => {
    let isWell = true;
    let giveUp = (): void => {};
    const timers = {
      setTimer: (_: number, late: () => void) => {
        giveUp = late;
        return {};
      },
      clearTimer() {},
    };
    const metrics = create(
      {
        isStoreWritable: async () => isWell,
        backlog: async () => {
          if (!isWell) throw new Error("the store is away");
          return { count: 4, oldestReceivedAt: null };
        },
        freeBytes: () => {
          if (isWell) return Promise.resolve(5);
          queueMicrotask(() => giveUp());
          return new Promise(() => {});
        },
      },
      timers,
    );
    expect(await readSeries(metrics, "ringback_journal_backlog")).toBe(4);
    isWell = false;
    expect(await readSeries(metrics, "ringback_journal_backlog")).toBe(null);
    expect(await readSeries(metrics, "ringback_store_up")).toBe(0);
    expect(await readSeries(metrics, "ringback_data_free_bytes")).toBe(null);
    // Each look is a fetch of its own.
    expect(await readSeries(metrics, 'ringback_metrics_missing_total{source="journal"}')).toBe(4);
    expect(await readSeries(metrics, 'ringback_metrics_missing_total{source="disk"}')).toBe(5);
  });

  test("is asked once for all who ask at the same time", async () => {
    let asked = 0;
    const metrics = create({
      deliveries: async () => {
        asked += 1;
        return { pending: 0, delivered: 0, dead: 0 };
      },
    });
    const [a, b] = await Promise.all([metrics.text(), metrics.text()]);
    expect(a.text).toBe(b.text);
    expect(asked).toBe(1);
    await metrics.text();
    expect(asked).toBe(2);
  });

  test("has what the process takes", async () => {
    const metrics = create();
    const resident = await readSeries(metrics, 'ringback_process_memory_bytes{kind="resident"}');
    expect(resident).toBeGreaterThan(10_000_000);
    expect(await readSeries(metrics, 'ringback_process_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0);
    expect(
      await readSeries(metrics, 'ringback_event_loop_delay_seconds{quantile="0.99"}'),
    ).toBeGreaterThanOrEqual(0);
  });
});

test("two gateways in one process count apart", async () => {
  const [a, b] = [create(), create()];
  a.storeFailed("disk-full");
  expect(await readSeries(a, 'ringback_store_errors_total{reason="disk-full"}')).toBe(1);
  expect(await readSeries(b, 'ringback_store_errors_total{reason="disk-full"}')).toBe(null);
});
