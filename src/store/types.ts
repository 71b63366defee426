import type { EventType, JsonObject } from "../core/events/event-types.ts";

/** Milliseconds since the Unix epoch. All times in the store are this. */
export type WallMs = number;

/** A page of a list: `next` is where the following one begins, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | string | null;
}

// ---------------------------------------------------------------- journal of webhooks

/** One event of a webhook, as it is journalled. */
export interface NewJournalEntry {
  /** Known by it when it is delivered again: a hash, so that nothing personal is in it. */
  readonly dedupKey: string;
  /** What the entries of one call have in common: a hash of phone number id and WhatsApp's call id. */
  readonly callKey: string;
  /** `connect`, `terminate`, `status:…`, `unknown:…`. */
  readonly event: string;
  /** Position in the webhook's events. */
  readonly position: number;
  /** Personal: whom it is about, digits; null when hidden. */
  readonly subject: string | null;
}

export interface NewWebhook {
  readonly receivedAt: WallMs;
  /** Raw bytes, personal. */
  readonly body: Uint8Array;
  readonly entries: readonly NewJournalEntry[];
}

export interface JournalEntry {
  readonly id: number;
  readonly webhookId: number;
  readonly callKey: string;
  readonly event: string;
  readonly position: number;
  readonly receivedAt: WallMs;
}

/** An entry that was not finished, with the webhook that it came in. */
export interface UnfinishedEntry extends JournalEntry {
  readonly body: Uint8Array;
}

export interface WebhookJournal {
  /**
   * Writes a webhook with its entries in one transaction that is on the disk when it resolves. Several at the same time share one.
   *
   * @returns The entries that were not known before. A webhook without any is not kept.
   */
  append(webhook: NewWebhook): Promise<readonly JournalEntry[]>;
  /** In the order they were journalled. */
  unfinished(limit: number): Promise<readonly UnfinishedEntry[]>;
  finish(ids: readonly number[]): Promise<void>;
  /** How many wait, and since when the oldest one. */
  backlog(): Promise<{ readonly count: number; readonly oldestReceivedAt: WallMs | null }>;
}

// ---------------------------------------------------------------- calls

export type CallState = "ringing" | "connecting" | "active" | "ended";
export type CallDirection = "inbound" | "outbound";
export type HangUpBy = "caller" | "business" | "gateway" | "whatsapp";

/** What may be erased: columns of their own. */
export interface CallParty {
  readonly number: string | null;
  readonly userId: string | null;
  readonly name: string | null;
  readonly username: string | null;
}

/** A call detail record. */
export interface CallRecord {
  /** `call_…` */
  readonly id: string;
  readonly callKey: string;
  readonly phoneNumberId: string;
  /** `wacid.…`; personal, as it holds the number. Null when erased. */
  readonly whatsappCallId: string | null;
  readonly direction: CallDirection;
  readonly state: CallState;
  /** Personal; all null when erased. */
  readonly party: CallParty;
  /** When what is personal of it was erased; null: it was not. */
  readonly erasedAt: WallMs | null;
  readonly node: string;
  readonly createdAt: WallMs;
  readonly connectingAt: WallMs | null;
  readonly answeredAt: WallMs | null;
  readonly endedAt: WallMs | null;
  readonly durationMs: number | null;
  readonly endReason: string | null;
  readonly hangUpBy: HangUpBy | null;
  /** Ringback's or WhatsApp's code of what went wrong. */
  readonly errorCode: string | null;
  readonly media: JsonObject | null;
  readonly tags: JsonObject;
  /** Of the last event. */
  readonly seq: number;
  /** What WhatsApp is still to be told of its end; null: nothing. */
  readonly owed: OwedAction | null;
}

/** How WhatsApp is told that a call is over. */
export type OwedAction = "reject" | "terminate";

export type NewCall = Pick<
  CallRecord,
  | "id"
  | "callKey"
  | "phoneNumberId"
  | "whatsappCallId"
  | "direction"
  | "state"
  | "party"
  | "node"
  | "createdAt"
>;

export type CallUpdate = Partial<
  Pick<
    CallRecord,
    | "state"
    | "connectingAt"
    | "answeredAt"
    | "endedAt"
    | "durationMs"
    | "endReason"
    | "hangUpBy"
    | "errorCode"
    | "media"
    | "tags"
    | "owed"
  >
>;

/** The store gives it its place in the call (`seq`), so that there is no gap. */
export interface NewEvent {
  readonly id: string;
  readonly type: EventType;
  readonly at: WallMs;
  readonly data: JsonObject;
  /** Joined with `data` when it is read, until it is erased. */
  readonly personal: JsonObject | null;
}

export type RecordingStatus = "in-progress" | "completed" | "absent" | "failed" | "deleted";

export interface RecordingFileRecord {
  /** Relative to the folder of recordings where it is inside, otherwise absolute. */
  readonly path: string;
  readonly channel: "caller" | "business" | "both";
  readonly bytes: number;
  readonly sha256: string;
}

export interface RecordingRecord {
  /** `rec_…` */
  readonly id: string;
  readonly callId: string;
  readonly phoneNumberId: string;
  readonly status: RecordingStatus;
  readonly format: "opus" | "wav";
  readonly files: readonly RecordingFileRecord[];
  readonly durationMs: number | null;
  readonly consent: JsonObject;
  readonly startedAt: WallMs;
  readonly endedAt: WallMs | null;
}

/** What happened to one call: everything in it is written in one transaction, or nothing. */
export interface CallChange {
  readonly callId: string;
  /** For the first change of a call. */
  readonly create?: NewCall;
  readonly update?: CallUpdate;
  /** Each also goes to the outbox, for each endpoint that asked for its type. */
  readonly events?: readonly NewEvent[];
  /** Made, or replaced by id. */
  readonly recordings?: readonly RecordingRecord[];
  /** Entries of the journal that are done with it. */
  readonly finished?: readonly number[];
}

/** `exists`: another call has this `callKey`, and nothing was written but `finished`. */
export type CommitOutcome = "written" | "exists";

export interface CallFilter {
  readonly phoneNumberId?: string;
  readonly state?: CallState;
  readonly direction?: CallDirection;
  readonly endReason?: string;
  /** Digits of the other party. */
  readonly number?: string;
  readonly createdFrom?: WallMs;
  readonly createdBefore?: WallMs;
}

export interface CallRecords {
  /** Changes that come at the same time share a transaction; those of one call are written in order. */
  commit(change: CallChange): Promise<CommitOutcome>;
  get(id: string): Promise<CallRecord | null>;
  byKey(callKey: string): Promise<CallRecord | null>;
  /** Newest first. `after` is `next` of the page before: the id of its last call. */
  list(
    filter: CallFilter,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Page<CallRecord>>;
  /** Of this node, not ended, oldest first. */
  live(node: string, limit: number): Promise<readonly CallRecord[]>;
  /** Of this node, ended, and WhatsApp was not told, oldest first. */
  owing(node: string, limit: number): Promise<readonly CallRecord[]>;
}

// ---------------------------------------------------------------- events

export interface StoredEvent {
  /** Rises with each event; what cursors are made of. */
  readonly position: number;
  readonly id: string;
  readonly type: EventType;
  readonly at: WallMs;
  readonly callId: string | null;
  readonly phoneNumberId: string | null;
  readonly seq: number;
  /** With the personal part, as long as there is one. */
  readonly data: JsonObject;
}

export interface EventFilter {
  readonly callId?: string;
  readonly phoneNumberId?: string;
  readonly types?: readonly EventType[];
}

export interface EventLog {
  /** Oldest first, those behind `after` (0: from the beginning). */
  read(
    filter: EventFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly StoredEvent[]>;
  byId(id: string): Promise<StoredEvent | null>;
  /** Position of the newest event, 0 when there is none. */
  head(): Promise<number>;
  /** The oldest position that is still there minus one: a cursor before it has missed something. */
  tail(): Promise<number>;
  /** Called after each commit that wrote events or deliveries, in this process. Returns how to stop. */
  onCommit(listener: () => void): () => void;
}

// ---------------------------------------------------------------- endpoints and the outbox

export interface WebhookEndpoint {
  /** `whe_…` */
  readonly id: string;
  readonly url: string;
  /** Null: all. */
  readonly types: readonly EventType[] | null;
  /** Null: all. */
  readonly phoneNumberId: string | null;
  /** Newest first; the first one signs alone unless an older one has not run out. */
  readonly secrets: readonly { readonly secret: string; readonly expiresAt: WallMs | null }[];
  readonly state: "enabled" | "disabled";
  /** Why it is disabled: `gone` (410), `operator`. */
  readonly disabledReason: string | null;
  readonly description: string;
  readonly createdAt: WallMs;
}

export interface WebhookEndpoints {
  /** Also makes the outbox take events for it from now on. */
  create(endpoint: WebhookEndpoint): Promise<void>;
  get(id: string): Promise<WebhookEndpoint | null>;
  list(): Promise<readonly WebhookEndpoint[]>;
  update(
    id: string,
    change: Partial<Omit<WebhookEndpoint, "id" | "createdAt">>,
  ): Promise<WebhookEndpoint | null>;
  /** With its deliveries. False when there was none. */
  remove(id: string): Promise<boolean>;
}

export type DeliveryState = "pending" | "delivered" | "dead";

export interface Delivery {
  /** `dlv_…` */
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly callId: string | null;
  readonly seq: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAt: WallMs;
  /** Since when it is tried: retries count from here. */
  readonly firstAt: WallMs;
  readonly deliveredAt: WallMs | null;
  /** HTTP status of the last attempt; null when there was no answer. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** A delivery whose turn it is, with what is to be sent. */
export interface DueDelivery extends Delivery {
  readonly event: StoredEvent;
}

export interface DeliveryResult {
  readonly id: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAt: WallMs;
  readonly deliveredAt: WallMs | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

export interface Outbox {
  /**
   * Deliveries of an endpoint that are due, and that no undelivered event of the same call stands before; at most one for each call.
   * Those of calls in `exceptCallIds` are left out: they are under way.
   */
  due(
    endpointId: string,
    options: { readonly at: WallMs; readonly limit: number; readonly exceptCallIds: readonly string[] },
  ): Promise<readonly DueDelivery[]>;
  /** When the next one of an endpoint is due; null: nothing waits. */
  nextAt(endpointId: string): Promise<WallMs | null>;
  /** Several at the same time share a transaction. */
  settle(result: DeliveryResult): Promise<void>;
  /** An event of no call for one endpoint: a test. It is in no list of events of a call. */
  enqueueTest(endpointId: string, event: NewEvent): Promise<Delivery>;
  /** Newest first. `after` is `next` of the page before. */
  list(
    filter: { readonly endpointId: string; readonly state?: DeliveryState },
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Page<Delivery>>;
  /** Dead ones, or one of any state, become pending again at `at`. Returns how many. */
  replay(filter: { readonly endpointId: string; readonly deliveryId?: string }, at: WallMs): Promise<number>;
  counts(): Promise<Readonly<Record<DeliveryState, number>>>;
}

// ---------------------------------------------------------------- commands, keys, audit

export interface CommandRecord {
  /** `cmd_…`, or what the client gave. Unique in its call. */
  readonly id: string;
  readonly callId: string;
  readonly verb: string;
  /** sha-256 of verb and parameters: the same id with others is a conflict. */
  readonly requestHash: string;
  readonly createdAt: WallMs;
}

export interface Commands {
  /** `known`: it is there already, with the same request; `conflict`: with another one. */
  add(command: CommandRecord): Promise<"added" | "known" | "conflict">;
}

export interface IdempotentResponse {
  readonly status: number;
  readonly body: string;
}

export interface IdempotencyKeys {
  /**
   * `claimed`: do the work, then `complete` or `release`. `busy`: another request is at it. `conflict`: the key was used for
   * another request. A response: it was done. Claims and responses are void after `expiresAt`.
   */
  claim(claim: {
    readonly keyId: string;
    readonly idempotencyKey: string;
    readonly requestHash: string;
    readonly at: WallMs;
    readonly expiresAt: WallMs;
  }): Promise<"claimed" | "busy" | "conflict" | IdempotentResponse>;
  complete(keyId: string, idempotencyKey: string, response: IdempotentResponse): Promise<void>;
  release(keyId: string, idempotencyKey: string): Promise<void>;
}

export interface ApiKeyRecord {
  /** `key_…` */
  readonly id: string;
  readonly name: string;
  /** sha-256 of the secret, hex. */
  readonly secretHash: string;
  readonly scopes: readonly string[];
  /** Null: all numbers. */
  readonly phoneNumberId: string | null;
  readonly createdAt: WallMs;
  readonly expiresAt: WallMs | null;
  readonly lastUsedAt: WallMs | null;
  readonly revokedAt: WallMs | null;
}

export interface ApiKeys {
  create(key: ApiKeyRecord): Promise<void>;
  get(id: string): Promise<ApiKeyRecord | null>;
  list(): Promise<readonly ApiKeyRecord[]>;
  /** False when there is none, or it is revoked. */
  revoke(id: string, at: WallMs): Promise<boolean>;
  /** May be late by a minute. */
  touch(id: string, at: WallMs): Promise<void>;
}

export interface Recordings {
  get(id: string): Promise<RecordingRecord | null>;
  /** Newest first. */
  list(
    filter: {
      readonly callId?: string;
      readonly phoneNumberId?: string;
      readonly status?: RecordingStatus;
    },
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Page<RecordingRecord>>;
  /**
   * Marks it deleted, with an event of its call, and an entry of the audit. The files are the caller's to remove, before.
   * Null when there is none.
   */
  markDeleted(id: string, eventId: string, at: WallMs, actor: string): Promise<RecordingRecord | null>;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: WallMs;
  /** `key_…`, `cli`, `retention`, `gateway`. */
  readonly actor: string;
  /** `key.created`, `subject.erased`, … */
  readonly action: string;
  readonly target: string | null;
  /** Nothing personal. */
  readonly detail: JsonObject;
}

export interface AuditLog {
  add(entry: Omit<AuditEntry, "id">): Promise<void>;
  /** Newest first. */
  list(page: { readonly after?: number; readonly limit: number }): Promise<Page<AuditEntry>>;
}

// ---------------------------------------------------------------- erasure, retention, the store

export interface Erased {
  readonly calls: number;
  readonly events: number;
  readonly webhooks: number;
  /** Whose files are the caller's to remove. */
  readonly recordings: readonly RecordingRecord[];
}

/** How long each kind is kept, in ms. */
export interface RetentionPolicy {
  /** Bodies and dedup keys of finished webhooks; never less than 8 days. */
  readonly webhooksMs: number;
  readonly callsMs: number;
  readonly eventsMs: number;
  /** Delivered and dead ones. */
  readonly deliveriesMs: number;
  readonly recordingsMs: number;
  readonly auditMs: number;
}

export interface Pruned {
  readonly webhooks: number;
  readonly calls: number;
  readonly events: number;
  readonly deliveries: number;
  readonly idempotencyKeys: number;
  readonly audit: number;
  /** Whose time is over: their files are to be removed, then `markDeleted`. At most 100 at a time. */
  readonly recordings: readonly RecordingRecord[];
}

export interface Store {
  readonly backend: "sqlite" | "postgres";
  /**
   * Whether this process is the one that delivers events: there is one at a time for each database, and another takes over within
   * seconds when it is gone.
   */
  mayDeliver(): boolean;
  readonly journal: WebhookJournal;
  readonly calls: CallRecords;
  readonly events: EventLog;
  readonly endpoints: WebhookEndpoints;
  readonly outbox: Outbox;
  readonly commands: Commands;
  readonly idempotency: IdempotencyKeys;
  readonly apiKeys: ApiKeys;
  readonly recordings: Recordings;
  readonly audit: AuditLog;
  /** Writes and reads; rejects with `STORE_UNAVAILABLE` when it cannot. */
  check(): Promise<void>;
  /**
   * Takes everything personal of a subject out of calls, events, journal (finished webhooks at once, others when they are finished),
   * with an entry of the audit in the same transaction.
   * @param subject Digits of a phone number, or a business-scoped user id.
   */
  erase(subject: string, at: WallMs, actor: string): Promise<Erased>;
  prune(policy: RetentionPolicy, at: WallMs): Promise<Pruned>;
  /** A value of 32 random bytes that is made with the database: keys for signed URLs and cursors are derived from it. */
  instanceKey(): Promise<Uint8Array>;
  /** Waits for what is being written. Idempotent. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** SQLite: file of the database; its folder is made. `:memory:` keeps nothing. */
  readonly file?: string;
  /** `postgres://…`, in place of `file`. */
  readonly url?: string;
  /**
   * Who answers calls with it: one process at a time for each name (SQLite: for each file), else `STORE_IN_USE`. Null: only looks and
   * administers, as the command line does.
   */
  readonly node: string | null;
}
