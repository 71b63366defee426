import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { EndedCall, GatewayObserver } from "../observer.ts";
import { callParts } from "./call-phases.ts";

const TRACER = "ringback";

/**
 * Makes the spans of each call when it is over, from its timeline: a span `call` with one for each part that took place (`answer`,
 * `pre_accept`, `ice`, `dtls`, `accept`, `media`, `reject`, `terminate`). Nothing personal is in them.
 *
 * @param tracer Default: that of the SDK which the program has registered with `@opentelemetry/api`. Without one nothing is made.
 */
export function createCallTraces(tracer: Tracer = trace.getTracer(TRACER)): GatewayObserver {
  return { callEnded: (call) => traceCall(tracer, call) };
}

function traceCall(tracer: Tracer, call: EndedCall): void {
  const { startedWallMs, timeline, end } = call;
  const span = tracer.startSpan(
    "call",
    { kind: SpanKind.SERVER, startTime: startedWallMs, attributes: attributesOf(call), root: true },
    ROOT_CONTEXT,
  );
  // Nobody listens, or this call is not sampled.
  if (!span.isRecording()) return;
  for (const { name, fromMs, toMs, isDone } of callParts(timeline)) {
    const part = startPart(tracer, span, name, startedWallMs + fromMs);
    if (!isDone) part.setStatus({ code: SpanStatusCode.ERROR });
    part.end(startedWallMs + toMs);
  }
  // What the log warns of: an end that something is to be done about.
  if (end.explanation.nextStep !== null) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: end.explanation.meaning });
  }
  span.end(startedWallMs + (timeline.at(-1)?.atMs ?? 0));
}

function startPart(tracer: Tracer, call: Span, name: string, startTime: number): Span {
  return tracer.startSpan(name, { startTime }, trace.setSpan(ROOT_CONTEXT, call));
}

function attributesOf({ recordId, phoneNumberId, end }: EndedCall): Attributes {
  return {
    "ringback.call_id": recordId,
    "ringback.phone_number_id": phoneNumberId,
    "ringback.end_reason": end.reason.replaceAll("-", "_"),
    "ringback.answered": end.answered,
    ...(end.error === null ? {} : { "ringback.error_code": end.error.code }),
  };
}
