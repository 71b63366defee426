import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../logger.ts";
import { systemRandom } from "../platform/random.ts";
import { createCallIdentity } from "./call-identity.ts";
import { type CallRegistry, MAX_CONCURRENT_CALLS } from "./call-registry.ts";
import { CallSession } from "./call-session.ts";
import type { NumberSettings } from "./graph/number-settings.ts";
import { buildOffer, OPUS_PAYLOAD_TYPE, TELEPHONE_EVENT_PAYLOAD_TYPE } from "./offer.ts";
import { checkPhoneCallOptions, type PhoneCallOptions } from "./phone-call-options.ts";
import { optionError, stateError } from "./simulator-error.ts";
import type { SimulatedNumber, SimulatorSettings } from "./simulator-options.ts";
import { type CallWebhook, toEnvelopeBytes } from "./webhook/payload.ts";
import type { WebhookSender } from "./webhook/webhook-sender.ts";

export interface CallPlacing {
  readonly webhookUrl: string;
  readonly settings: SimulatorSettings;
  readonly registry: CallRegistry;
  readonly numbers: ReadonlyMap<string, NumberSettings>;
  readonly sender: WebhookSender;
  /** Aborted when the simulator closes. */
  readonly closing: AbortSignal;
}

/**
 * Opens the phones, lets them ring, and tells the program under test in one webhook. When that is given up, the calls
 * that the program has never asked for anything about are over; the others go on, as WhatsApp's would.
 */
export async function placeCalls(
  calls: readonly PhoneCallOptions[],
  placing: CallPlacing,
): Promise<readonly CallSession[]> {
  const numbers = calls.map((call) => requireNumber(call, placing));
  requireCapacity(numbers, placing);
  const sessions: CallSession[] = [];
  try {
    for (const [index, call] of calls.entries()) {
      const number = numbers[index];
      if (number !== undefined) sessions.push(await openSession(call, number, placing));
    }
    await announce(sessions, calls[0]?.webhooks ?? {}, placing);
  } catch (error) {
    const isKnown = sessions.some((session) => session.isKnownToBusiness) && !placing.closing.aborted;
    for (const session of sessions) session.markConnectGivenUp();
    if (!isKnown) throw error;
  }
  return sessions;
}

function requireNumber(call: PhoneCallOptions, { settings, numbers }: CallPlacing): SimulatedNumber {
  checkPhoneCallOptions(call);
  const number = settings.phoneNumbers.find(
    ({ id }) => id === (call.phoneNumberId ?? settings.phoneNumbers[0]?.id),
  );
  if (number === undefined) {
    throw optionError("phoneNumberId", "phoneNumberId must be one of the simulator's phoneNumbers");
  }
  if (numbers.get(number.id)?.isCallingEnabled !== true) {
    throw stateError("calling-disabled", "call", "Calling is disabled in this number's settings");
  }
  return number;
}

/** Beyond the limit WhatsApp tells the caller that the call cannot be placed, and the business nothing. */
function requireCapacity(numbers: readonly SimulatedNumber[], { registry, closing }: CallPlacing): void {
  if (closing.aborted)
    throw stateError("closed", "call", "The simulator was closed before the call was placed");
  for (const { id } of new Set(numbers)) {
    const added = numbers.filter((number) => number.id === id).length;
    if (registry.countOf(id) + added > MAX_CONCURRENT_CALLS) {
      throw stateError("full", "call", `A number takes ${MAX_CONCURRENT_CALLS} concurrent calls at most`);
    }
  }
}

async function openSession(
  call: PhoneCallOptions,
  number: SimulatedNumber,
  placing: CallPlacing,
): Promise<CallSession> {
  const { settings, registry } = placing;
  const setup = call.setup ?? "actpass";
  const media = await settings.phoneMediaFactory({
    voice: call.voice ?? { type: "silence" },
    setup,
    opusPayloadType: OPUS_PAYLOAD_TYPE,
    telephoneEventPayloadType: TELEPHONE_EVENT_PAYLOAD_TYPE,
    clock: settings.clock,
    ...(call.keepAudioMs === undefined ? {} : { keepAudioMs: call.keepAudioMs }),
    ...(call.network === undefined ? {} : { network: call.network }),
  });
  try {
    // Other calls may have come, or the end, while the phone was made ready.
    requireCapacity([number], placing);
  } catch (error) {
    await media.close();
    throw error;
  }
  const { parameters } = media;
  const form = call.offerForm ?? "current";
  const wallMs = settings.clock.wallMs();
  const session = new CallSession({
    identity: createCallIdentity(call, number, systemRandom),
    call,
    media,
    offerSdp: call.offerSdp ?? buildOffer({ form, setup, parameters, wallMs, random: systemRandom }),
    settings,
    deliver: (webhook, duplicate) => deliver(webhook, duplicate, placing, settings.logger),
  });
  registry.add(session);
  session.ring();
  return session;
}

async function announce(
  sessions: readonly CallSession[],
  { delayMs = 0, duplicate = 0, terminateBeforeConnect = false }: NonNullable<PhoneCallOptions["webhooks"]>,
  { webhookUrl, sender, closing, settings }: CallPlacing,
): Promise<void> {
  if (delayMs > 0) await waitUnlessClosed(delayMs, closing);
  if (terminateBeforeConnect) await terminateAll(sessions);
  for (const session of sessions) session.markConnectSent();
  const body = toEnvelopeBytes(sessions.map((session) => session.connectWebhook()));
  await sender.send(webhookUrl, body);
  for (const session of sessions) session.markConnectAnswered();
  try {
    for (let copy = 0; copy < duplicate; copy += 1) await sender.send(webhookUrl, body);
  } catch {
    settings.logger.warn({}, "a copy of the webhook was given up");
  }
}

async function waitUnlessClosed(delayMs: number, closing: AbortSignal): Promise<void> {
  try {
    await delay(delayMs, undefined, { signal: closing });
  } catch {
    // The abort of the signal is the only way that this timer rejects.
    throw stateError("closed", "call", "The simulator was closed before the webhook was sent");
  }
}

async function terminateAll(sessions: readonly CallSession[]): Promise<void> {
  for (const session of sessions) session.hangUp();
  await Promise.all(sessions.map((session) => session.terminateSettled));
}

async function deliver(
  webhook: CallWebhook,
  duplicate: number,
  { sender, webhookUrl }: CallPlacing,
  logger: Logger,
): Promise<void> {
  try {
    const body = toEnvelopeBytes([webhook]);
    for (let copy = 0; copy <= duplicate; copy += 1) await sender.send(webhookUrl, body);
  } catch {
    // The sender has logged each attempt; a call's report comes out all the same.
    logger.warn({ callId: webhook.identity.callId }, "webhook was given up");
  }
}
