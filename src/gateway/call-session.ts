import { explainEnd } from "../core/call/explain-end.ts";
import { IncomingCall } from "../core/call/incoming-call.ts";
import type {
  CallAction,
  CallInput,
  CallOutput,
  CallPhase,
  EndReason,
  IncomingCallOptions,
  LocalEndReason,
} from "../core/call/types.ts";
import type { EventType, JsonObject } from "../core/events/event-types.ts";
import { isRingbackError, RingbackError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { MediaDownReason, MediaHost, MediaSessionListener, MediaStats } from "../media/index.ts";
import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";
import type { ConnectEvent, TerminateEvent } from "../whatsapp/call-event.ts";
import type { GraphClient } from "../whatsapp/graph-client.ts";
import type { Call, CallEnd, CallEvents, CallHandler, CallTags, RemoteError } from "./call.ts";
import { explainRemoteError, logCallEnd } from "./call-end.ts";
import { callEnded, handled, mediaLost, rejectedTooLate } from "./call-errors.ts";
import { CallGraph } from "./call-graph.ts";
import { type CallControl, CallHandle } from "./call-handle.ts";
import { CallMedia } from "./call-media.ts";
import { callTag } from "./call-tag.ts";
import { mergeTags } from "./call-tags.ts";
import type { LiveCall } from "./live-calls.ts";
import type { GatewayObserver } from "./observer.ts";
import type { RecordKeeper } from "./records/record-keeper.ts";
import { SafeEmitter } from "./safe-emitter.ts";
import { STEP_DONE, STEP_SENT, Timeline, type TimelineStep } from "./timeline.ts";
import { CallVerbs, type VerbContext } from "./verbs/call-verbs.ts";
import type { VerbCall } from "./verbs/verb-call.ts";

/** What every session of a gateway shares. */
export interface SessionContext extends VerbContext {
  readonly media: MediaHost;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly call: IncomingCallOptions;
  readonly handler: CallHandler;
  readonly observer: GatewayObserver;
}

/**
 * Carries out what one call's machine says: Graph requests, media leg, timer, the user's handler.
 * It knows no protocol of its own.
 */
export class CallSession implements CallControl, LiveCall {
  readonly events: SafeEmitter<CallEvents>;
  readonly timeline: Timeline;
  readonly ended: Promise<CallEnd>;

  /** As its program holds it. */
  readonly call: Call;
  readonly keeper: RecordKeeper;

  readonly #context: SessionContext;
  readonly #event: ConnectEvent;
  readonly #machine: IncomingCall;
  readonly #graph: CallGraph;
  readonly #media: CallMedia;
  readonly #logger: Logger;
  readonly #verbs: CallVerbs;
  readonly #handle: CallHandle;
  readonly #inputs: CallInput[] = [];
  #feeding = false;
  #timer: TimerHandle | null = null;
  /** How WhatsApp is told that the call is over, when we have to tell it. */
  #owed: "reject" | "terminate" | null = null;
  /** When the latest request left: they follow one another. */
  #graphSentMs = 0;
  #phase: CallPhase = "ringing";
  #activeSinceMs: number | null = null;
  #error: RingbackError | null = null;
  #mediaDown: MediaDownReason | null = null;
  #remoteErrors: readonly RemoteError[] = [];
  #tags: CallTags = {};
  /** Journal entries that are done with the end. */
  readonly #entries: number[] = [];
  #resolveEnded!: (end: CallEnd) => void;
  #answering: Promise<void> | null = null;
  #answerWaiter: { resolve(): void; reject(error: RingbackError): void } | null = null;

  constructor(
    context: SessionContext,
    graphClient: GraphClient,
    { event, receivedAtMs, keeper }: { event: ConnectEvent; receivedAtMs: number; keeper: RecordKeeper },
  ) {
    this.#context = context;
    this.#event = event;
    this.keeper = keeper;
    const { recordId } = keeper;
    this.#logger = context.logger.child({
      call: callTag(event.callId),
      record: recordId,
      phoneNumberId: event.phoneNumberId,
    });
    this.events = new SafeEmitter((error, name) =>
      this.#logger.error({ err: error, event: name }, "listener failed"),
    );
    this.timeline = new Timeline(receivedAtMs);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#machine = new IncomingCall(context.call);
    const ids = { phoneNumberId: event.phoneNumberId, callId: event.callId };
    this.#graph = new CallGraph(graphClient, ids, {
      onSent: (action) => {
        this.#graphSentMs = this.#now();
        this.#step(STEP_SENT[action]);
      },
      onOk: (action) => this.#graphOk(action),
      onFailed: (action, error) => this.#graphFailed(action, error),
    });
    this.#media = new CallMedia(context.media, this.#mediaListener(), this.#logger);
    this.#verbs = new CallVerbs(this.#verbCall(receivedAtMs), context);
    this.#handle = new CallHandle(this, this.#verbs, event, (error) =>
      this.#logger.error({ err: error }, "onFrame failed and was taken off"),
    );
    this.call = this.#handle;
    this.#step("webhook", receivedAtMs);
  }

  get phase(): CallPhase {
    return this.#phase;
  }

  /** The `connect` webhook is in. `overloaded`: it is turned away at once. */
  start(admission: "admitted" | "overloaded"): void {
    const at = this.#context.clock.nowMs();
    if (admission === "overloaded") {
      this.#feed({ type: "reject", at, reason: "overloaded" });
      return;
    }
    const sentAtMs = this.#event.timestampMs;
    const offerAgeMs = sentAtMs === null ? 0 : Math.max(0, this.#context.clock.wallMs() - sentAtMs);
    this.#feed({ type: "offer", at, offerAgeMs });
  }

  /** @param entryId Of the journal: done when the call's end is written. */
  remoteTerminate(event: TerminateEvent, entryId: number | null = null): void {
    if (entryId !== null) this.#entries.push(entryId);
    if (this.#phase === "ended") return;
    this.#remoteErrors = event.errors.map(explainRemoteError);
    const failed = event.errors.length > 0 || (event.status === "failed" && this.#phase === "active");
    this.#step("remote-terminate", undefined, event.errors[0] ? String(event.errors[0].code) : event.status);
    this.#feed({ type: "remote-terminate", at: this.#now(), failed });
  }

  answer(): Promise<void> {
    if (this.#phase === "ended") return handled(Promise.reject(this.#endedError("answer")));
    if (this.#answering !== null) return this.#answering;
    const answering = new Promise<void>((resolve, reject) => {
      this.#answerWaiter = { resolve, reject };
    });
    this.#answering = handled(answering);
    this.#step("answer-requested");
    this.#feed({ type: "answer", at: this.#now() });
    return answering;
  }

  async reject(): Promise<void> {
    if (this.#phase === "active") {
      throw rejectedTooLate(this.#event.callId, this.#phase);
    }
    this.#feed({ type: "reject", at: this.#now(), reason: "rejected" });
    await this.settled();
  }

  async hangUp(reason: LocalEndReason): Promise<void> {
    this.#feed({ type: "hang-up", at: this.#now(), reason });
    await this.settled();
  }

  record(type: EventType, data: JsonObject, personal: JsonObject | null = null): void {
    this.keeper.record(type, data, personal);
  }

  tag(tags: CallTags): void {
    this.#tags = mergeTags(this.#tags, tags);
    this.keeper.tagged(this.#tags);
  }

  setFramesWanted(areWanted: boolean): void {
    this.#media.setFramesWanted(areWanted);
  }

  stats(): MediaStats | null {
    return this.#media.stats();
  }

  /** Resolves when the call is over and nothing of it is left to do. Never rejects. */
  async settled(): Promise<void> {
    await this.ended;
    await Promise.all([this.#graph.idle, this.#verbs.settled()]);
  }

  /** WhatsApp is not waited for any longer. */
  abandon(): void {
    this.#graph.abandon();
  }

  /** Inputs that arise while outputs are carried out wait their turn: outputs keep their order. */
  #feed(input: CallInput): void {
    this.#inputs.push(input);
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        for (const output of this.#machine.handle(next)) this.#carryOut(output);
      }
    } finally {
      this.#feeding = false;
    }
    this.#armTimer();
  }

  /** An engine that throws breaks its own call, but keeps nothing else from being carried out, the end least of all. */
  #carryOut(output: CallOutput): void {
    try {
      this.#perform(output);
    } catch (error) {
      this.#logger.error({ err: error }, "media failed");
      this.#inputs.push({ type: "media-failed", at: this.#now() });
    }
  }

  #perform(output: CallOutput): void {
    switch (output.type) {
      case "ring":
        void this.#runHandler();
        return;
      case "open-media":
        void this.#openMedia();
        return;
      case "connect-media":
        this.#media.connect();
        return;
      case "start-rtp":
        this.#media.startRtp();
        return;
      case "close-media":
        this.#media.close();
        return;
      case "request":
        if (output.action === "reject" || output.action === "terminate") this.#owed = output.action;
        this.#graph.request(output);
        return;
      case "phase":
        this.#enterPhase(output.phase);
        return;
      case "ended":
        this.#end(output.reason);
        return;
    }
  }

  async #runHandler(): Promise<void> {
    try {
      await this.#context.handler(this.call);
    } catch (error) {
      // The call ended under the handler: that is an outcome, not a fault of the handler.
      if (isRingbackError(error, "CALL_ENDED") && this.#phase === "ended") return;
      this.#logger.error({ err: error }, "call handler failed");
      this.#feed({ type: "hang-up", at: this.#now(), reason: "handler-failed" });
    }
  }

  async #openMedia(): Promise<void> {
    try {
      const sdp = await this.#media.open(this.#event.sdp);
      if (sdp === null) return;
      this.#step("answer-built");
      this.#feed({ type: "answer-built", at: this.#now(), sdp });
    } catch (error) {
      if (this.#phase === "ended") return;
      if (error instanceof RingbackError) this.#error ??= error;
      this.#logger.error({ err: error }, "no answer could be built");
      const isUnusable = isRingbackError(error, "SDP_INVALID") || isRingbackError(error, "SDP_UNUSABLE");
      const reason = isUnusable ? "offer-unusable" : "media-failed";
      this.#feed({ type: "answer-impossible", at: this.#now(), reason });
    }
  }

  #verbCall(startedAtMs: number): VerbCall {
    const { clock, timers } = this.#context;
    const machine = this.#machine;
    return {
      id: this.#event.callId,
      events: this.events,
      ended: this.ended,
      get endReason() {
        return machine.endReason;
      },
      clock,
      timers,
      logger: this.#logger,
      startedAtMs,
      keeper: this.keeper,
      media: () => this.#media.session(),
    };
  }

  #mediaListener(): MediaSessionListener {
    return {
      onIceConnected: () => this.#step("ice-connected"),
      onConnected: () => {
        this.#step("media-connected");
        this.#feed({ type: "media-connected", at: this.#now() });
      },
      onLost: (reason) => this.#mediaWentDown("lost", reason),
      onFailed: (reason) => this.#mediaWentDown("failed", reason),
      onFirstRtpIn: () => this.#step("first-rtp-in"),
      onFirstRtpOut: () => this.#step("first-rtp-out"),
      onDigit: (digit) => {
        this.keeper.record("call.dtmf", {}, { digit: digit.digit });
        this.events.emit("digit", digit);
      },
      onFrame: (payload, timestamp) => this.#handle.deliverFrame(payload, timestamp),
    };
  }

  #mediaWentDown(how: "lost" | "failed", reason: MediaDownReason | undefined): void {
    this.#step("media-down", undefined, reason ?? null);
    this.#mediaDown = reason ?? null;
    this.#error ??= mediaLost(how, reason);
    this.#feed({ type: "media-failed", at: this.#now() });
  }

  #graphOk(action: CallAction): void {
    if (action === this.#owed) this.keeper.told();
    this.#context.observer.graphRequest?.(action, this.#now() - this.#graphSentMs, null);
    this.#step(STEP_DONE[action]);
    this.#feed({ type: "graph-ok", at: this.#now(), action });
  }

  #graphFailed(action: CallAction, error: RingbackError): void {
    this.#context.observer.graphRequest?.(action, this.#now() - this.#graphSentMs, error);
    // What follows the end of a call cannot change why it ended.
    if (this.#phase !== "ended") this.#error = error;
    this.#step("graph-failed", undefined, `${action} ${error.code}`);
    this.#logger.warn({ action, err: error }, "Graph request failed");
    const failure = error.code === "GRAPH_REQUEST_FAILED" ? "refused" : "unreachable";
    // What is refused is not asked again; the next start asks again what nobody heard.
    if (action === this.#owed && failure === "refused") this.keeper.told();
    this.#feed({ type: "graph-failed", at: this.#now(), action, failure });
  }

  #enterPhase(phase: CallPhase): void {
    const previous = this.#phase;
    this.#phase = phase;
    if (phase === "connecting") this.keeper.connecting();
    if (phase === "active") {
      this.#activeSinceMs = this.#now();
      this.keeper.answered();
      this.#answerWaiter?.resolve();
    }
    if (phase !== previous) this.events.emit("phase", phase, previous);
  }

  #end(reason: EndReason): void {
    this.#step("ended", undefined, reason);
    const now = this.#now();
    const end: CallEnd = {
      reason,
      explanation: explainEnd(reason, {
        iceConnected: this.timeline.at("ice-connected") !== null,
        mediaDown: this.#mediaDown,
      }),
      answered: this.#activeSinceMs !== null,
      durationMs: this.#activeSinceMs === null ? 0 : Math.round(now - this.#activeSinceMs),
      error: this.#error,
      remoteErrors: this.#remoteErrors,
    };
    logCallEnd(this.#logger, end);
    this.#tellEnd(end);
    this.#answerWaiter?.reject(this.#endedError("answer"));
    this.#resolveEnded(end);
    this.events.emit("ended", end);
  }

  #tellEnd(end: CallEnd): void {
    const { recordId, phoneNumberId, startedAt } = this.keeper;
    const stats = this.#media.stats();
    this.keeper.ended(end, stats, this.#entries, this.#owed);
    const { entries: timeline } = this.timeline;
    this.#context.observer.callEnded?.({
      recordId,
      phoneNumberId,
      end,
      timeline,
      startedWallMs: startedAt,
      stats,
    });
  }

  #endedError(operation: string): RingbackError {
    const reason = this.#machine.endReason ?? "local-hangup";
    return callEnded(this.#event.callId, reason, operation, this.#error);
  }

  #armTimer(): void {
    const { timers } = this.#context;
    if (this.#timer !== null) timers.clearTimer(this.#timer);
    this.#timer = null;
    const deadline = this.#machine.deadline;
    if (deadline === null) return;
    const delayMs = Math.max(0, Math.ceil(deadline - this.#now()));
    this.#timer = timers.setTimer(delayMs, () => this.#feed({ type: "timeout", at: this.#now() }));
  }

  #step(step: TimelineStep, atMs: number = this.#now(), detail: string | null = null): void {
    const entry = this.timeline.add(step, atMs, detail);
    if (entry === null) return;
    this.#logger.debug({ step, atMs: entry.atMs, detail }, "call step");
    this.events.emit("step", entry);
  }

  #now(): number {
    return this.#context.clock.nowMs();
  }
}
