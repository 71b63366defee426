/** Who is on the other side. A user who hides the number has only the business-scoped user id. */
export interface CallerIdentity {
  /** The phone number as digits without `+`, null when WhatsApp withholds it. */
  readonly phoneNumber: string | null;
  /** Business-scoped user id (`CC.…`), null when absent. */
  readonly userId: string | null;
  readonly parentUserId: string | null;
  readonly name: string | null;
  readonly username: string | null;
}

/** An error as WhatsApp's webhooks carry it. */
export interface WebhookError {
  readonly code: number;
  readonly title: string | null;
  readonly message: string | null;
  readonly details: string | null;
}

interface CallEventBase {
  /** WhatsApp's id of the business number that the event is about. */
  readonly phoneNumberId: string;
  /** `wacid.…`, opaque. */
  readonly callId: string;
  /** WhatsApp's time of the event, in ms since the Unix epoch; null when absent or malformed. */
  readonly timestampMs: number | null;
  readonly direction: "user-initiated" | "business-initiated" | null;
  readonly caller: CallerIdentity;
  /** Echo of `biz_opaque_callback_data`. */
  readonly callbackData: string | null;
  /** The element of the webhook as WhatsApp sent it, unknown fields included. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** A call comes in (SDP offer) or our own call is being set up (SDP answer). */
export interface ConnectEvent extends CallEventBase {
  readonly type: "connect";
  readonly sdpType: "offer" | "answer";
  readonly sdp: string;
  readonly deeplinkPayload: string | null;
  readonly ctaPayload: string | null;
}

/** The call is over. Times and duration are there only when it had been picked up. */
export interface TerminateEvent extends CallEventBase {
  readonly type: "terminate";
  readonly status: "completed" | "failed" | "unknown";
  readonly startTimeMs: number | null;
  readonly endTimeMs: number | null;
  readonly durationSeconds: number | null;
  readonly errors: readonly WebhookError[];
}

/** State of a call that the business placed. */
export interface StatusEvent extends CallEventBase {
  readonly type: "status";
  readonly status: "ringing" | "accepted" | "rejected" | "unknown";
}

/** An event name that this version does not know, or a known one without its needed fields. */
export interface UnknownCallEvent extends CallEventBase {
  readonly type: "unknown";
  readonly event: string;
}

export type CallEvent = ConnectEvent | TerminateEvent | StatusEvent | UnknownCallEvent;
