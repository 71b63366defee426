import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Gateway, GatewayOptions, Logger } from "../../src/index.ts";
import {
  createSimulator,
  type HeardSpan,
  type PhoneCall,
  type PhoneCallOptions,
} from "../../src/simulator/index.ts";
import { SoundDetector } from "../../src/simulator/phone/sound-detector.ts";
import { until } from "../integration/fixture.ts";

/** An example that answers the calls of a simulated WhatsApp. */
export interface ExampleRig extends AsyncDisposable {
  readonly gateway: Gateway;
  /** Where recordings go. */
  readonly folder: string;
  /** What was logged as a warning or an error. */
  readonly complaints: readonly string[];
  /** A phone whose call was accepted. */
  dial(options?: PhoneCallOptions): Promise<PhoneCall>;
}

/** Of a process; what is left of them was not closed. */
const OPEN = new Set(["UDPWRAP", "TCPSERVERWRAP", "ProcessWrap", "MessagePort"]);

/** @param make The example: options in, gateway out. */
export async function startExample(
  make: (options: GatewayOptions) => Gateway,
  more: Partial<GatewayOptions> = {},
): Promise<ExampleRig> {
  const openBefore = openResources();
  const folder = mkdtempSync(join(tmpdir(), "ringback-example-"));
  const complaints: string[] = [];
  const simulator = createSimulator();
  await simulator.start();
  const gateway = make({
    token: simulator.token,
    appSecret: simulator.appSecret,
    verifyToken: simulator.verifyToken,
    phoneNumbers: simulator.phoneNumbers.map(({ id }) => id),
    graph: { url: simulator.graphUrl },
    media: { bindAddress: "127.0.0.1" },
    recordingsFolder: folder,
    store: "memory",
    logger: complaintsLogger(complaints),
    ...more,
  });
  simulator.webhookUrl = (await gateway.listen({ port: 0 })).url;
  const phones: PhoneCall[] = [];
  return {
    gateway,
    folder,
    complaints,
    async dial(options = {}) {
      const from = `1555000${1_000 + phones.length}`;
      const phone = await simulator.call({ from, voice: { type: "silence" }, ...options });
      phones.push(phone);
      if (!(await phone.accepted)) throw new Error("the example did not answer");
      return phone;
    },
    async [Symbol.asyncDispose]() {
      for (const phone of phones) phone.hangUp();
      await Promise.all(phones.map(({ ended }) => ended));
      // The end of a call is told to the gateway after the phone has it.
      await until(() => gateway.status.calls === 0);
      await gateway.close();
      await simulator.close();
      rmSync(folder, { recursive: true });
      await until(() => openResources() <= openBefore);
    },
  };
}

function openResources(): number {
  return process.getActiveResourcesInfo().filter((name) => OPEN.has(name)).length;
}

function complaintsLogger(complaints: string[]): Logger {
  const complain = (fields: object, message: string): void => {
    const cause = "err" in fields && fields.err instanceof Error ? `: ${fields.err.message}` : "";
    complaints.push(`${message}${cause}`);
  };
  const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain, child: () => logger };
  return logger;
}

/** Holes in a tone: a busy machine may leave out some packets. */
const HOLE_MS = 200;

/** The times of a tone, from `fromMs` on: by its place in what was heard, whenever its packets came. */
export function spansOf(phone: PhoneCall, frequencyHz: number, fromMs = 0): readonly HeardSpan[] {
  const { heardStartMs } = phone.media;
  if (heardStartMs === null) return [];
  const beginMs = Math.max(fromMs, heardStartMs);
  const detector = new SoundDetector({ type: "tone", frequencyHz });
  detector.add(phone.media.heardPcm().subarray(Math.round((beginMs - heardStartMs) * 48)), beginMs, beginMs);
  const spans: HeardSpan[] = [];
  for (const span of detector.spans) {
    const last = spans.at(-1);
    if (last === undefined || span.startedAtMs - last.endedAtMs > HOLE_MS) spans.push(span);
    else spans[spans.length - 1] = { ...last, endedAtMs: span.endedAtMs };
  }
  return spans;
}

/** The tones that the phone heard, in the order in which they began. Each is named as often as it was heard. */
export function tonesHeard(phone: PhoneCall, frequencies: readonly number[]): number[] {
  return frequencies
    .flatMap((frequencyHz) => spansOf(phone, frequencyHz).map((span) => ({ frequencyHz, ...span })))
    .sort((a, b) => a.startedAtMs - b.startedAtMs)
    .map(({ frequencyHz }) => frequencyHz);
}

/** When a tone began, from `fromMs` on; waits for it. Null: it did not come. */
export async function toneAt(phone: PhoneCall, frequencyHz: number, fromMs?: number): Promise<number | null> {
  return spansOf(phone, frequencyHz, fromMs)[0]?.startedAtMs ?? phone.waitForTone(frequencyHz);
}

/** Presses keys, and resolves with when the tone that answers them began; null: it did not come. */
export async function press(phone: PhoneCall, digits: string, answeredByHz: number): Promise<number | null> {
  const fromMs = performance.now();
  await phone.sendDigits(digits);
  return toneAt(phone, answeredByHz, fromMs);
}

/** Calls at the same time, each of which the caller ends when its moment has come. */
export async function hangUpAt(
  rig: ExampleRig,
  moments: readonly ((phone: PhoneCall) => Promise<unknown>)[],
): Promise<void> {
  const calls = moments.map(async (moment) => {
    const phone = await rig.dial();
    await moment(phone);
    phone.hangUp();
    return phone.ended;
  });
  for (const { endedBy } of await Promise.all(calls)) expect(endedBy).toBe("caller");
  await until(() => rig.gateway.status.calls === 0);
  expect(rig.complaints).toEqual([]);
}
