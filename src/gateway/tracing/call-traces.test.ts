import { SpanStatusCode } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";
import type { EndedCall } from "../observer.ts";
import type { TimelineEntry, TimelineStep } from "../timeline.ts";
import { createCallTraces } from "./call-traces.ts";

const STARTED = 1_767_225_600_000;

const steps = (...entries: readonly [TimelineStep, number, string?][]): TimelineEntry[] => {
  return entries.map(([step, atMs, detail = null]) => ({ step, atMs, detail }));
};

const GOOD = steps(
  ["webhook", 0],
  ["answer-built", 8],
  ["pre-accept-sent", 9],
  ["pre-accepted", 25],
  ["ice-connected", 48],
  ["media-connected", 59],
  ["accept-sent", 60],
  ["accepted", 63],
  ["first-rtp-out", 65],
  ["terminate-sent", 5_000],
  ["ended", 5_000],
  ["terminated", 5_020],
);

function call(timeline: readonly TimelineEntry[], nextStep: string | null = null): EndedCall {
  return {
    recordId: "call_0123",
    phoneNumberId: "100000000000001",
    end: {
      reason: "local-hangup",
      explanation: { meaning: "The program hung up.", nextStep },
      answered: true,
      durationMs: 4_937,
      error: null,
      remoteErrors: [],
    },
    timeline,
    startedWallMs: STARTED,
    stats: null,
  };
}

function spansOf(ended: EndedCall): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  createCallTraces(provider.getTracer("ringback")).callEnded?.(ended);
  return exporter.getFinishedSpans();
}

const wallMs = ([seconds, nanoseconds]: [number, number]): number =>
  Math.round((seconds * 1_000 + nanoseconds / 1e6) * 10) / 10 - STARTED;

test("a call has a span with one for each of its parts, at the times of its timeline", () => {
  const spans = spansOf(call(GOOD));
  const root = spans.find((span) => span.name === "call");
  const parts = spans.filter((span) => span !== root);
  const times = parts.map((span) => [span.name, wallMs(span.startTime), wallMs(span.endTime)]);
  expect(times).toEqual([
    ["answer", 0, 8],
    ["pre_accept", 9, 25],
    ["ice", 9, 48],
    ["dtls", 48, 59],
    ["accept", 60, 63],
    ["media", 63, 5_000],
    ["terminate", 5_000, 5_020],
  ]);
  expect(wallMs(root!.endTime)).toBe(5_020);
  for (const part of parts) {
    expect(part.parentSpanContext?.spanId).toBe(root!.spanContext().spanId);
    expect(part.spanContext().traceId).toBe(root!.spanContext().traceId);
  }
});

test("its attributes are the record's id, the reason and nothing personal", () => {
  const root = spansOf(call(GOOD)).find((span) => span.name === "call");
  expect(root?.attributes).toEqual({
    "ringback.call_id": "call_0123",
    "ringback.phone_number_id": "100000000000001",
    "ringback.end_reason": "local_hangup",
    "ringback.answered": true,
  });
  expect(root?.status.code).toBe(SpanStatusCode.UNSET);
});

test("a part that was not done is an error and ends with what stopped it; so is a call that asks for something to be done", () => {
  const timeline = steps(
    ["webhook", 0],
    ["answer-built", 8],
    ["pre-accept-sent", 9],
    ["graph-failed", 300, "pre_accept GRAPH_REQUEST_FAILED"],
    ["ended", 301],
  );
  const spans = spansOf(call(timeline, "See the error."));
  const byName = (name: string) => spans.find((span) => span.name === name);
  expect(byName("answer")?.status.code).toBe(SpanStatusCode.UNSET);
  expect(byName("pre_accept")?.status.code).toBe(SpanStatusCode.ERROR);
  expect(wallMs(byName("pre_accept")!.endTime)).toBe(300);
  expect(wallMs(byName("ice")!.endTime)).toBe(301);
  expect(byName("dtls")).toBe(undefined);
  expect(byName("call")?.status).toEqual({ code: SpanStatusCode.ERROR, message: "The program hung up." });
});

test("without an SDK nothing is made, and a call costs next to nothing", () => {
  const traces = createCallTraces();
  const ended = call(GOOD);
  const begin = performance.now();
  for (let i = 0; i < 10_000; i++) traces.callEnded?.(ended);
  // Some 2 µs a call; the limit is for a machine that is busy with other things.
  expect(performance.now() - begin).toBeLessThan(1_000);
});
