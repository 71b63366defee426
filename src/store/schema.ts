import type { Generated, Kysely, Transaction } from "kysely";

/** Flags are 0 or 1: SQLite has no booleans. JSON is text in both. */
type Flag = 0 | 1;

export interface MetaTable {
  key: string;
  value: string;
}

export interface WebhookTable {
  id: Generated<number>;
  received_at: number;
  /** Personal. SQLite's driver reads it as an `ArrayBuffer`. */
  body: Uint8Array | ArrayBuffer | null;
  node: string | null;
  /** It is about somebody who was erased: blanked when it is finished. */
  erase: Flag;
}

export interface JournalTable {
  id: Generated<number>;
  webhook_id: number;
  dedup_key: string;
  call_key: string;
  event: string;
  position: number;
  /** Personal. */
  subject: string | null;
  received_at: number;
  node: string | null;
  finished: Flag;
}

export interface CallTable {
  id: string;
  call_key: string;
  phone_number_id: string;
  /** Personal. */
  whatsapp_call_id: string | null;
  direction: string;
  state: string;
  /** Personal, as the three that follow. */
  party_number: string | null;
  party_user_id: string | null;
  party_name: string | null;
  party_username: string | null;
  erased_at: number | null;
  node: string;
  created_at: number;
  connecting_at: number | null;
  answered_at: number | null;
  ended_at: number | null;
  duration_ms: number | null;
  end_reason: string | null;
  hang_up_by: string | null;
  error_code: string | null;
  media: string | null;
  tags: string;
  seq: number;
  owed: Generated<string | null>;
}

export interface EventTable {
  position: Generated<number>;
  id: string;
  type: string;
  at: number;
  call_id: string | null;
  phone_number_id: string | null;
  seq: number;
  data: string;
  /** Personal. */
  personal: string | null;
}

export interface EndpointTable {
  id: string;
  url: string;
  types: string | null;
  phone_number_id: string | null;
  secrets: string;
  state: string;
  disabled_reason: string | null;
  description: string;
  created_at: number;
}

export interface DeliveryTable {
  id: string;
  endpoint_id: string;
  event_position: number;
  event_id: string;
  call_id: string | null;
  seq: number;
  state: string;
  /** No undelivered event of the same call stands before it. */
  head: Flag;
  attempts: number;
  next_at: number;
  first_at: number;
  delivered_at: number | null;
  last_status: number | null;
  last_error: string | null;
  /** When it was delivered or given up: how long it is kept counts from here. */
  settled_at: number | null;
}

export interface RecordingTable {
  id: string;
  call_id: string;
  phone_number_id: string;
  status: string;
  format: string;
  files: string;
  duration_ms: number | null;
  consent: string;
  started_at: number;
  ended_at: number | null;
}

export interface CommandTable {
  id: string;
  call_id: string;
  verb: string;
  request_hash: string;
  created_at: number;
}

export interface IdempotencyTable {
  key_id: string;
  idempotency_key: string;
  request_hash: string;
  node: string | null;
  status: number | null;
  body: string | null;
  claimed_at: number;
  expires_at: number;
}

export interface ApiKeyTable {
  id: string;
  name: string;
  secret_hash: string;
  scopes: string;
  phone_number_id: string | null;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface AuditTable {
  id: Generated<number>;
  at: number;
  actor: string;
  action: string;
  target: string | null;
  detail: string;
}

/** What is in the database, as the newest migration leaves it. */
export interface Schema {
  meta: MetaTable;
  webhooks: WebhookTable;
  journal: JournalTable;
  calls: CallTable;
  events: EventTable;
  endpoints: EndpointTable;
  deliveries: DeliveryTable;
  recordings: RecordingTable;
  commands: CommandTable;
  idempotency_keys: IdempotencyTable;
  api_keys: ApiKeyTable;
  audit: AuditTable;
}

export type Queries = Kysely<Schema>;
export type Tx = Transaction<Schema>;
