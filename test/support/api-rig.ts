import { onTestFinished } from "vitest";
import { createId } from "../../src/core/events/id.ts";
import { createSecret, formatToken, hashSecret } from "../../src/gateway/api/auth/api-token.ts";
import type { ApiContext } from "../../src/gateway/api/context.ts";
import { SCOPES } from "../../src/gateway/api/scopes.ts";
import { createApiServer } from "../../src/gateway/api/server.ts";
import { silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createRequestPolicy } from "../../src/platform/outgoing-request.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import type { ApiKeyRecord, NewEvent } from "../../src/store/types.ts";

/** A phone number id that the calls of these tests have. */
export const NUMBER_ID = "106540352242922";

export interface StoreApiRig {
  readonly store: Store;
  readonly url: string;
  /** Makes a key and resolves with its token. Default: every scope, all numbers. */
  key(change?: Partial<ApiKeyRecord>): Promise<string>;
  /** A request with a key of every scope, or the one given; null: without. */
  request(method: string, path: string, options?: RequestOptions): Promise<Response>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The control API over a real store, on a port of its own; closed when the test ends. @param file Default: in memory. */
export async function openApiRig(
  change: Partial<ApiContext> = {},
  file: string = ":memory:",
): Promise<StoreApiRig> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = change.store ?? (await openStore({ file, node: "test" }, deps));
  const requests = change.requests ?? {};
  const server = createApiServer({
    store,
    liveCalls: { find: () => null },
    ...deps,
    recordingsFolder: "/nonexistent",
    soundsFolder: null,
    requestPolicy: createRequestPolicy(requests),
    publicUrl: null,
    health: () => ({ status: "ok", calls: 0 }),
    readiness: () => ({ ready: true, reasons: [] }),
    drain: () => {},
    ...change,
    requests,
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const close = async (): Promise<void> => {
    await server.close();
    await store.close();
  };
  onTestFinished(close);
  const key = (given: Partial<ApiKeyRecord> = {}): Promise<string> => addKey(store, given);
  const all = await key();
  return {
    store,
    url,
    key,
    close,
    request: (method, path, { key: token = all, body, headers = {}, signal } = {}) =>
      fetch(new URL(path, url), {
        method,
        redirect: "manual",
        ...(signal !== undefined && { signal }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      }),
  };
}

async function addKey(store: Store, change: Partial<ApiKeyRecord>): Promise<string> {
  const now = Date.now();
  const secret = createSecret(systemRandom);
  const key: ApiKeyRecord = {
    id: createId("key", now, systemRandom),
    name: "test",
    secretHash: hashSecret(secret),
    scopes: SCOPES,
    phoneNumberId: null,
    createdAt: now,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    ...change,
  };
  await store.apiKeys.create(key);
  return formatToken(key.id, secret);
}

export interface CallToAdd {
  readonly number?: string;
  readonly phoneNumberId?: string;
  readonly state?: "ringing" | "active" | "ended";
}

/** A call's record with its first event. Resolves with its id. */
export async function addCall(store: Store, call: CallToAdd = {}): Promise<string> {
  const { number = "4915112345678", phoneNumberId = NUMBER_ID, state = "ended" } = call;
  const now = Date.now();
  const id = createId("call", now, systemRandom);
  await store.calls.commit({
    callId: id,
    create: {
      id,
      callKey: id,
      phoneNumberId,
      whatsappCallId: `wacid.${Buffer.from(number).toString("base64")}`,
      direction: "inbound",
      state: state === "ended" ? "ringing" : state,
      party: { number, userId: null, name: `Name of ${number}`, username: null },
      node: "test",
      createdAt: now,
    },
    ...(state === "ended" && { update: { state, endedAt: now } }),
    events: [
      {
        ...newEvent("call.incoming", { direction: "inbound", phone_number_id: phoneNumberId }),
        personal: {
          caller: { number, user_id: null, name: `Name of ${number}`, username: null },
          deeplink_payload: null,
          cta_payload: null,
        },
      },
    ],
  });
  return id;
}

/** An event of a call, not written yet. */
export function newEvent(type: NewEvent["type"] = "call.dtmf", data: NewEvent["data"] = {}): NewEvent {
  const at = Date.now();
  return { id: createId("evt", at, systemRandom), type, at, data, personal: null };
}
