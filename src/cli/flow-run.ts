import { dirname } from "node:path";
import { serializeWav } from "../core/audio/wav.ts";
import type { FlowDocument, FlowStepRecord } from "../core/flow/index.ts";
import type { Call } from "../gateway/call.ts";
import type { FlowResult } from "../gateway/flow/flow-options.ts";
import { runFlow } from "../gateway/flow/run-flow.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import type { GatewayOptions } from "../gateway/options.ts";
import { onStopSignals } from "../platform/signals.ts";
import { writeFile } from "../platform/write-file.ts";
import { createSimulator, type PhoneCall, type PhoneCallReport, type Simulator } from "../simulator/index.ts";
import { KeyPresser, pressKey, withKeys } from "./flow-caller.ts";
import { readFlowFile } from "./flow-file.ts";
import { describeEnd, describeStep } from "./flow-report.ts";
import type { CliIo } from "./io.ts";
import { readConfig } from "./read-config.ts";
import { parseVoice } from "./simulate-arguments.ts";

export interface FlowRunFlags {
  readonly digits?: string;
  readonly audio: string;
  readonly hangUpAfter: number;
  readonly heard?: string;
  readonly json?: boolean;
}

interface Trial {
  readonly simulator: Simulator;
  readonly options: GatewayOptions;
  readonly document: FlowDocument;
  /** Of the flow's file. */
  readonly folder: string;
  readonly flags: FlowRunFlags;
  readonly io: CliIo;
}

/** The servers of somebody who tries a flow out are on the same machine, often as not. */
const THIS_MACHINE = ["127.0.0.1", "localhost", "[::1]"];

/** Makes one call between a simulated phone and a gateway whose calls go through the flow. */
export async function runFlowFile(file: string, flags: FlowRunFlags, io: CliIo): Promise<void> {
  const document = await readFlowFile(file, io);
  if (document === null) return;
  const simulator = createSimulator();
  await simulator.start();
  try {
    const config = await readConfig(io, settingsFor(simulator));
    if (config === null) return;
    const options = forTrial(config.gateway);
    await tryFlow({ simulator, options, document, folder: dirname(file), flags, io });
  } finally {
    await simulator.close();
  }
}

/** What `serve` would need, answered by the simulator. */
function settingsFor(simulator: Simulator): Record<string, string> {
  return {
    WHATSAPP_TOKEN: simulator.token,
    WHATSAPP_APP_SECRET: simulator.appSecret,
    WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: simulator.verifyToken,
    WHATSAPP_PHONE_NUMBER_ID: simulator.phoneNumbers.map(({ id }) => id).join(","),
    GRAPH_API_URL: simulator.graphUrl,
  };
}

/** As `serve` has it, for one call on this machine. */
function forTrial(options: GatewayOptions): GatewayOptions {
  const allowedHosts = [...THIS_MACHINE, ...(options.requests?.allowedHosts ?? [])];
  return {
    ...options,
    requests: { ...options.requests, allowHttp: true, allowedHosts },
    // A machine without any network has this address, too; and the ports of `serve` may be in use.
    media: { bindAddress: "127.0.0.1" },
  };
}

async function tryFlow(trial: Trial): Promise<void> {
  const { simulator, options, flags, io } = trial;
  const presser = new KeyPresser(flags.digits ?? "");
  let phone: PhoneCall | null = null;
  const results: Promise<FlowResult>[] = [];
  const gateway = createGateway({ ...options, store: "memory" }).onCall((call) => {
    presser.onPress = (key) => pressKey(key, call, phone);
    results.push(goThrough(trial, call, presser));
  });
  const stop = onStopSignals(
    () => phone?.hangUp(),
    () => void gateway.close(),
  );
  try {
    const report = await placeCall(simulator, gateway, flags, (placed) => {
      phone = placed;
    });
    conclude(trial, (await results[0]) ?? null, report, presser.left);
    await writeHeard(report, flags, io);
  } finally {
    stop();
    await gateway.close();
  }
}

async function placeCall(
  simulator: Simulator,
  gateway: Gateway,
  flags: FlowRunFlags,
  onPlaced: (phone: PhoneCall) => void,
): Promise<PhoneCallReport> {
  simulator.webhookUrl = (await gateway.listen({ port: 0 })).url;
  const phone = await simulator.call({
    voice: parseVoice(flags.audio),
    hangUpAfterMs: flags.hangUpAfter * 1_000,
  });
  onPlaced(phone);
  return phone.ended;
}

function goThrough(trial: Trial, call: Call, presser: KeyPresser): Promise<FlowResult> {
  const { document, folder, options, flags, io } = trial;
  const print = (step: FlowStepRecord): void =>
    io.out(flags.json === true ? JSON.stringify({ type: "step", ...step }) : describeStep(step));
  return runFlow(withKeys(call, presser), document, {
    folder,
    onStep: print,
    ...(options.requests === undefined ? {} : { requests: options.requests }),
  });
}

/** @param result Null when the call ended before it came to the flow. */
function conclude(
  { flags, io }: Trial,
  result: FlowResult | null,
  report: PhoneCallReport,
  keysLeft: string,
): void {
  const isWhole = result?.reason === "completed";
  io.setExitCode(isWhole ? 0 : 1);
  if (flags.json === true) {
    const { reason = null, steps = 0, durationMs = 0, tags = {} } = result ?? {};
    io.out(
      JSON.stringify({ type: "end", reason, steps, durationMs, tags, keysLeft, endedBy: report.endedBy }),
    );
    return;
  }
  const end =
    result === null ? `the call ended (${report.endedBy}) before it came to the flow` : describeEnd(result);
  if (isWhole) io.out(`\n${end}`);
  else io.err(`\n${end}`);
  if (keysLeft !== "") io.err(`Nobody asked for these keys: ${keysLeft}`);
}

async function writeHeard(report: PhoneCallReport, { heard, json }: FlowRunFlags, io: CliIo): Promise<void> {
  if (heard === undefined) return;
  const wav = { sampleRateHz: report.sampleRateHz, channelCount: 1, samples: report.heardPcm() };
  try {
    await writeFile(heard, serializeWav(wav));
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    io.err(`What the caller heard could not be written to ${heard} (${reason}): does the folder exist?`);
    io.setExitCode(1);
    return;
  }
  if (json !== true) io.out(`What the caller heard is in ${heard}.`);
}
