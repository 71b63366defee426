import { Pool } from "undici";
import { isAlreadyEnded } from "./error-catalogue.ts";
import { type GraphClientOptions, type GraphSettings, resolveGraphOptions } from "./graph-options.ts";
import {
  type AcceptRequest,
  answerPayload,
  type CallRequest,
  type ConnectRequest,
  callsPath,
  connectPayload,
  endPayload,
  type PreAcceptRequest,
} from "./graph-payload.ts";
import { type GraphLink, sendGraphCall, sleepMs } from "./graph-send.ts";

export type { GraphAttempt, GraphClientOptions, GraphRetryOptions } from "./graph-options.ts";
export type {
  AcceptRequest,
  Callee,
  CallRequest,
  ConnectRequest,
  PreAcceptRequest,
} from "./graph-payload.ts";

/** Connections to Graph at once; further requests wait in line. */
const MAX_CONNECTIONS = 64;
/** An idle connection is kept this long, so that a call does not wait for a TLS handshake. */
const KEEP_ALIVE_MS = 30_000;

export interface EndResult {
  /** True when the call was over before the request came, which is no error. */
  readonly alreadyEnded: boolean;
}

/**
 * The call actions of WhatsApp's Graph API, `POST /{phone-number-id}/calls`.
 *
 * Every method rejects with `RingbackError`: `GRAPH_REQUEST_FAILED` when Graph refuses, `GRAPH_UNREACHABLE` when no usable
 * answer came (the request may have taken effect then), `OPTION_INVALID` for bad arguments; and with the signal's reason
 * when it aborts. The client has repeated what may be repeated before it rejects.
 *
 * @see Meta Calling API, "Reference" (read 2026-11-22)
 */
export interface GraphClient {
  /** Gives WhatsApp the SDP answer, so that ICE and DTLS can start; the phone goes on ringing. */
  preAccept(request: PreAcceptRequest): Promise<void>;
  /** Answers the call. The SDP must be that of `preAccept`, byte for byte. Media starts only after this has resolved. */
  accept(request: AcceptRequest): Promise<void>;
  /** Declines a call that was not accepted. */
  reject(request: CallRequest): Promise<EndResult>;
  /** Ends a call. Needed also when an RTCP BYE was sent, not needed when the user hung up. */
  terminate(request: CallRequest): Promise<EndResult>;
  /**
   * Dials. `GRAPH_UNREACHABLE` leaves open whether a phone rings, unless nothing was sent; a repeat by the caller may ring
   * it twice, so `retryable` is false in that case.
   */
  connect(request: ConnectRequest): Promise<{ readonly callId: string }>;
  /** Waits for requests under way, then closes the connections. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a client with its own pool of kept-alive connections.
 *
 * @throws {RingbackError} `OPTION_INVALID`
 */
export function createGraphClient(options: GraphClientOptions): GraphClient {
  const settings = resolveGraphOptions(options);
  const dispatcher = options.dispatcher ?? createPool(settings);
  const link: GraphLink = {
    dispatcher,
    settings,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? sleepMs,
    nowMs: options.nowMs ?? (() => performance.now()),
    onAttempt: options.onAttempt,
  };
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= options.dispatcher === undefined ? dispatcher.close() : Promise.resolve();
    return closing;
  };
  return {
    preAccept: (request) => answer(link, "pre_accept", request),
    accept: (request) => answer(link, "accept", request),
    reject: (request) => end(link, "reject", request),
    terminate: (request) => end(link, "terminate", request),
    connect: (request) => dial(link, request),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createPool(settings: GraphSettings): Pool {
  return new Pool(settings.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Shorter than an attempt, so that "no connection" is told apart from "no answer".
    connect: { timeout: Math.ceil(settings.timeoutMs / 2) },
  });
}

async function answer(
  link: GraphLink,
  action: "pre_accept" | "accept",
  request: AcceptRequest,
): Promise<void> {
  await sendGraphCall(link, {
    action,
    path: callsPath(request.phoneNumberId),
    payload: answerPayload(action, request),
    signal: request.signal,
    read: () => true,
    takenBefore: true,
  });
}

async function end(
  link: GraphLink,
  action: "reject" | "terminate",
  request: CallRequest,
): Promise<EndResult> {
  const path = callsPath(request.phoneNumberId);
  const payload = endPayload(action, request);
  try {
    const read = (): EndResult => ({ alreadyEnded: false });
    return await sendGraphCall(link, {
      action,
      path,
      payload,
      signal: request.signal,
      read,
      takenBefore: null,
    });
  } catch (error) {
    // The user often hangs up at the same moment; Meta then refuses the request, and the call is as it should be.
    if (isAlreadyEnded(error)) return { alreadyEnded: true };
    throw error;
  }
}

async function dial(link: GraphLink, request: ConnectRequest): Promise<{ readonly callId: string }> {
  return await sendGraphCall(link, {
    action: "connect",
    path: callsPath(request.phoneNumberId),
    payload: connectPayload(request),
    signal: request.signal,
    read: readCallId,
    takenBefore: null,
  });
}

function readCallId(answered: Readonly<Record<string, unknown>>): { readonly callId: string } | null {
  const calls = answered["calls"];
  const first: unknown = Array.isArray(calls) ? calls[0] : null;
  const id = typeof first === "object" && first !== null && "id" in first ? first.id : null;
  return typeof id === "string" && id !== "" ? { callId: id } : null;
}
