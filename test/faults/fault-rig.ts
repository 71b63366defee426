import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Call,
  type CallHandler,
  createGateway,
  type Gateway,
  type GatewayOptions,
} from "../../src/index.ts";
import { type Logger, silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import type { CallIdentity } from "../../src/simulator/call-identity.ts";
import { connectWebhook, terminateWebhook, toEnvelopeBytes } from "../../src/simulator/webhook/payload.ts";
import { openStore, type Store, type StoredEvent, type StoreOptions } from "../../src/store/index.ts";
import { signWebhook } from "../../src/whatsapp/signature.ts";
import { LightEngine } from "../chaos/light-engine.ts";
import { readSample } from "../fixtures/sdp/samples.ts";

export const NUMBER = { id: "100000000000001", displayPhoneNumber: "15550009999" } as const;
const APP_SECRET = "faults-app-secret";
const OFFER = readSample("live-uic-offer-by-meta-20251017");

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a line of the log advises; empty when it does not. */
export function nextStepOf(fields: LogLine["fields"]): string {
  const nextStep = fields["nextStep"];
  return typeof nextStep === "string" ? nextStep : "";
}

export interface FaultRig extends AsyncDisposable {
  readonly gateway: Gateway;
  /** Of the webhook. */
  readonly url: string;
  /** Those that the handler was given. */
  readonly calls: readonly Call[];
  readonly log: readonly LogLine[];
  /** Actions that the Graph API was asked for, with the call: `accept wacid.a`. */
  readonly asked: readonly string[];
  /** Posts a webhook as WhatsApp does, once. Resolves with the status. */
  post(body: Uint8Array, signature?: string): Promise<number>;
}

export type RigOptions = Partial<GatewayOptions> & { readonly handler?: CallHandler };

/** A gateway whose media costs nothing, with a Graph API that says yes. */
export async function startRig({
  handler = (call) => call.answer(),
  ...options
}: RigOptions): Promise<FaultRig> {
  const asked: string[] = [];
  const graph = await startGraph(asked);
  const log: LogLine[] = [];
  const calls: Call[] = [];
  const gateway = createGateway({
    token: "faults-token",
    appSecret: APP_SECRET,
    verifyToken: "faults-verify-token",
    phoneNumbers: [NUMBER.id],
    graph: { url: graph.url },
    media: { engine: new LightEngine() },
    requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] },
    logger: recordingLogger(log),
    ...options,
  }).onCall((call) => {
    calls.push(call);
    return handler(call);
  });
  const dispose = async (): Promise<void> => {
    await gateway.close();
    graph.stop();
  };
  try {
    const { url } = await gateway.listen({ port: 0 });
    return {
      gateway,
      url,
      calls,
      log,
      asked,
      post: (body, signature) => post(url, body, signature),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

export function connect(callId: string, ageMs = 0, wallMs: number = Date.now()): Uint8Array {
  return toEnvelopeBytes([connectWebhook(identity(callId), { sdp: OFFER, wallMs: wallMs - ageMs }, false)]);
}

export function terminate(callId: string, wallMs: number = Date.now()): Uint8Array {
  const end = {
    endWallMs: wallMs,
    startWallMs: null,
    durationSeconds: null,
    callbackData: null,
    errorCode: null,
  };
  return toEnvelopeBytes([terminateWebhook(identity(callId), { ...end, status: "COMPLETED" }, false)]);
}

export function sign(body: Uint8Array): string {
  return signWebhook(body, APP_SECRET);
}

/** Whether the gateway says that it is ready: status and body of `/readyz`. */
export async function readiness(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(new URL("/readyz", url));
  return { status: answer.status, text: await answer.text() };
}

/** The store as the command line opens it, beside the gateway or after it. */
export async function withStore<T>(
  options: Omit<StoreOptions, "node">,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ ...options, node: null }, deps);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export function databaseIn(folder: string): { readonly file: string } {
  return { file: join(folder, "ringback.db") };
}

/** Types of a call's events in their order, and whether `seq` counts from 1. */
export function storyOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map(({ seq, type }, index) => (seq === index + 1 ? type : `${type} with seq ${seq}`));
}

export async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "ringback-faults-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Resolves as soon as `holds` does, asked every 10 ms. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`the condition did not hold within ${limitMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function identity(callId: string): CallIdentity {
  return {
    callId,
    number: NUMBER,
    from: "15550001111",
    userId: "US.1111",
    name: "Zoë Müller",
    username: null,
    deeplinkPayload: null,
    ctaPayload: null,
  };
}

async function post(url: string, body: Uint8Array, signature: string = sign(body)): Promise<number> {
  const headers = { "content-type": "application/json", "x-hub-signature-256": signature };
  const answer = await fetch(url, { method: "POST", headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

async function startGraph(asked: string[]): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { action, call_id: callId } = JSON.parse(Buffer.concat(chunks).toString()) as Record<
        string,
        string
      >;
      asked.push(`${action} ${callId}`);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ messaging_product: "whatsapp", success: true }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

export function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: LogLine["level"]) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields: fields as LogLine["fields"] });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
