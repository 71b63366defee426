/** Every type of event (docs/events.md). `webhook.test` belongs to no call. */
export const EVENT_TYPES = [
  "call.incoming",
  "call.connecting",
  "call.answered",
  "call.dtmf",
  "call.tagged",
  "call.ended",
  "call.command_completed",
  "call.command_failed",
  "playback.started",
  "playback.ended",
  "gather.completed",
  "flow.ended",
  "recording.started",
  "recording.completed",
  "recording.failed",
  "recording.absent",
  "recording.deleted",
  "webhook.test",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

/** An event as programs receive it, whatever way it takes to them. Names are snake_case, as in all of the API. */
export interface EventEnvelope {
  /** `evt_` and a UUIDv7 in hex without dashes. The same in each delivery of the event. */
  readonly id: string;
  readonly type: EventType;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly time: string;
  /** `call_` and a UUIDv7; null for what belongs to no call. */
  readonly call_id: string | null;
  /** Counts a call's events from 1, without a gap; 0 without a call. */
  readonly seq: number;
  /** Which attempt to deliver it this is, from 1. Always 1 in streams and lists. */
  readonly attempt: number;
  readonly data: JsonObject;
}
