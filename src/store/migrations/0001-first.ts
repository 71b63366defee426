import type { Migration } from "./migration.ts";

export const first: Migration = {
  version: 1,
  statements: ({ rowId, text, bytes }) => [
    `create table meta (key ${text} primary key, value ${text} not null)`,

    `create table webhooks (
      id ${rowId}, received_at bigint not null, body ${bytes}, node ${text}, erase smallint not null default 0
    )`,
    "create index webhooks_received on webhooks (received_at)",

    `create table journal (
      id ${rowId}, webhook_id bigint not null references webhooks (id), dedup_key ${text} not null unique,
      call_key ${text} not null, event ${text} not null, position integer not null, subject ${text},
      received_at bigint not null, node ${text}, finished smallint not null default 0
    )`,
    "create index journal_unfinished on journal (id) where finished = 0",
    "create index journal_webhook on journal (webhook_id)",
    "create index journal_call on journal (call_key)",
    "create index journal_subject on journal (subject) where subject is not null",

    `create table calls (
      id ${text} primary key, call_key ${text} not null unique, phone_number_id ${text} not null,
      whatsapp_call_id ${text}, direction ${text} not null, state ${text} not null,
      party_number ${text}, party_user_id ${text}, party_name ${text}, party_username ${text}, erased_at bigint,
      node ${text} not null, created_at bigint not null, connecting_at bigint, answered_at bigint, ended_at bigint,
      duration_ms bigint, end_reason ${text}, hang_up_by ${text}, error_code ${text}, media ${text},
      tags ${text} not null, seq bigint not null
    )`,
    "create index calls_of_number on calls (phone_number_id, id)",
    "create index calls_live on calls (node, id) where state <> 'ended'",
    "create index calls_by_state on calls (state, id)",
    "create index calls_by_reason on calls (end_reason, id) where end_reason is not null",
    "create index calls_created on calls (created_at)",
    "create index calls_ended on calls (ended_at) where ended_at is not null",
    "create index calls_party_number on calls (party_number, id) where party_number is not null",
    "create index calls_party_user on calls (party_user_id) where party_user_id is not null",

    `create table events (
      position ${rowId}, id ${text} not null unique, type ${text} not null, at bigint not null,
      call_id ${text}, phone_number_id ${text}, seq bigint not null, data ${text} not null, personal ${text}
    )`,
    "create unique index events_of_call on events (call_id, seq)",
    // Exactly one terminal event, whatever happens.
    "create unique index events_ended on events (call_id) where type = 'call.ended'",
    "create index events_of_number on events (phone_number_id, position)",
    "create index events_at on events (at)",

    `create table endpoints (
      id ${text} primary key, url ${text} not null, types ${text}, phone_number_id ${text}, secrets ${text} not null,
      state ${text} not null, disabled_reason ${text}, description ${text} not null, created_at bigint not null
    )`,

    `create table deliveries (
      id ${text} primary key, endpoint_id ${text} not null references endpoints (id),
      event_position bigint not null references events (position), event_id ${text} not null, call_id ${text},
      seq bigint not null, state ${text} not null, head smallint not null, attempts integer not null,
      next_at bigint not null, first_at bigint not null, delivered_at bigint, last_status integer,
      last_error ${text}, settled_at bigint
    )`,
    "create index deliveries_due on deliveries (endpoint_id, next_at, id) where state = 'pending' and head = 1",
    "create index deliveries_queue on deliveries (endpoint_id, call_id, seq) where state = 'pending'",
    "create index deliveries_of_endpoint on deliveries (endpoint_id, id)",
    "create index deliveries_by_state on deliveries (state, endpoint_id, id)",
    "create index deliveries_event on deliveries (event_position)",
    "create index deliveries_settled on deliveries (settled_at) where settled_at is not null",

    `create table recordings (
      id ${text} primary key, call_id ${text} not null, phone_number_id ${text} not null, status ${text} not null,
      format ${text} not null, files ${text} not null, duration_ms bigint, consent ${text} not null,
      started_at bigint not null, ended_at bigint
    )`,
    "create index recordings_of_call on recordings (call_id, id)",
    "create index recordings_of_number on recordings (phone_number_id, id)",
    "create index recordings_started on recordings (started_at) where status <> 'deleted'",

    `create table commands (
      id ${text} not null, call_id ${text} not null, verb ${text} not null, request_hash ${text} not null,
      created_at bigint not null, primary key (call_id, id)
    )`,

    `create table idempotency_keys (
      key_id ${text} not null, idempotency_key ${text} not null, request_hash ${text} not null, node ${text},
      status integer, body ${text}, claimed_at bigint not null, expires_at bigint not null,
      primary key (key_id, idempotency_key)
    )`,
    "create index idempotency_keys_expiry on idempotency_keys (expires_at)",

    `create table api_keys (
      id ${text} primary key, name ${text} not null, secret_hash ${text} not null, scopes ${text} not null,
      phone_number_id ${text}, created_at bigint not null, expires_at bigint, last_used_at bigint, revoked_at bigint
    )`,

    `create table audit (
      id ${rowId}, at bigint not null, actor ${text} not null, action ${text} not null, target ${text},
      detail ${text} not null
    )`,
    "create index audit_at on audit (at)",
  ],
};
