import { type Command, InvalidArgumentError, Option } from "commander";
import { serializeWav } from "../core/audio/wav.ts";
import type { DtlsSetup } from "../core/sdp/index.ts";
import { RingbackError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { onStopSignals } from "../platform/signals.ts";
import { writeFile } from "../platform/write-file.ts";
import {
  createSimulator,
  type GraphFault,
  type PhoneCall,
  type PhoneCallOptions,
  type PhoneCallReport,
  type PhoneVoice,
  type Simulator,
} from "../simulator/index.ts";
import type { CliIo } from "./io.ts";
import { parseDigits, parseFault, parseVoice, parseWholeNumber } from "./simulate-arguments.ts";
import {
  DEFAULT_APP_SECRET,
  describeFailure,
  describeReport,
  describeRequest,
  describeUnplaced,
} from "./simulate-report.ts";

interface SimulateFlags {
  readonly webhook: string;
  readonly graphPort: number;
  readonly appSecret: string;
  readonly audio: PhoneVoice;
  readonly digits?: string;
  readonly digitsAfter: number;
  readonly hangUpAfter: number;
  readonly calls: number;
  readonly loss: number;
  readonly jitter: number;
  readonly seed: number;
  readonly role: DtlsSetup;
  readonly fault: readonly GraphFault[];
  readonly heard?: string;
  readonly json?: boolean;
}

/** What became of one call: its report, or why there was none. */
type CallResult =
  | { readonly ok: true; readonly report: PhoneCallReport }
  | { readonly ok: false; readonly reason: string };

/** A user who runs this by hand does not wait for WhatsApp's patience. */
const RETRY_DELAYS_MS = [500, 1_000];
const MAX_CALLS = 1_000;

/** Adds `simulate`: a WhatsApp on this machine that calls a gateway under test. */
export function addSimulateCommand(program: Command, io: CliIo): void {
  program
    .command("simulate")
    .description("be WhatsApp and a caller: call the program at a webhook, and report what the caller heard")
    .requiredOption("--webhook <url>", "where the program under test takes webhooks", parseUrl)
    .option("--graph-port <port>", "port of the simulated Graph API", parseWholeNumber(0, 65_535), 4_000)
    .option("--app-secret <secret>", "signs the webhooks", DEFAULT_APP_SECRET)
    .option(
      "--audio <voice>",
      "what the caller says: FILE, tone:440, silence or mute",
      parseVoice,
      parseVoice("silence"),
    )
    .option("--digits <digits>", 'keys that the caller presses, such as "1w2#"; w waits 500 ms', parseDigits)
    .option("--digits-after <ms>", "from the accept to the first key", parseWholeNumber(0, 3_600_000), 1_000)
    .option("--hang-up-after <seconds>", "from the accept to the end", parseWholeNumber(1, 86_400), 10)
    .option("--calls <n>", "calls at the same time", parseWholeNumber(1, MAX_CALLS), 1)
    .option("--loss <percent>", "of the packets, lost both ways", parseWholeNumber(0, 100), 0)
    .option(
      "--jitter <ms>",
      "packets take up to this much longer, each by itself",
      parseWholeNumber(0, 10_000),
      0,
    )
    .option(
      "--seed <number>",
      "of the chance behind --loss and --jitter",
      parseWholeNumber(0, 0xffff_ffff),
      1,
    )
    .addOption(
      new Option("--role <setup>", "DTLS role in the offer")
        .choices(["actpass", "active", "passive"])
        .default("actpass"),
    )
    .option(
      "--fault <action:kind>",
      "accept:refuse, pre_accept:hang, terminate:server-error, …; may be repeated",
      (text, faults: readonly GraphFault[]) => [...faults, parseFault(text)],
      [],
    )
    .option("--heard <file>", "write what the caller heard as WAV")
    .option("--json", "print the reports as JSON; what happens goes to standard error")
    .action((flags: SimulateFlags) => simulate(flags, io));
}

async function simulate(flags: SimulateFlags, io: CliIo): Promise<void> {
  requireTimeForDigits(flags);
  const say = (line: string): void => (flags.json === true ? io.err(line) : io.out(line));
  const simulator = createSimulator({
    webhookUrl: flags.webhook,
    port: flags.graphPort,
    appSecret: flags.appSecret,
    webhook: { retryDelaysMs: RETRY_DELAYS_MS },
    logger: warningsTo(say),
  });
  const stop = onStopSignals(
    () => {
      for (const call of simulator.calls) call.hangUp();
    },
    () => void simulator.close(),
  );
  try {
    await simulator.start();
    for (const fault of flags.fault) simulator.faults.add(fault);
    say(`Graph API of the simulated WhatsApp: ${simulator.graphUrl}`);
    const numbered = Array.from({ length: flags.calls }, (_, index) => index + 1);
    const results = await Promise.all(numbered.map((number) => placeCall(simulator, flags, number, say)));
    conclude(results, flags, io);
    await writeHeard(results, flags, io);
  } finally {
    stop();
    await simulator.close();
  }
}

function requireTimeForDigits({ digits, digitsAfter, hangUpAfter }: SimulateFlags): void {
  if (digits === undefined || digitsAfter < hangUpAfter * 1_000) return;
  const message = `no key is pressed: --hang-up-after ${hangUpAfter} (s) is not later than --digits-after ${digitsAfter} (ms)`;
  throw new RingbackError("OPTION_INVALID", message, { details: { option: "--hang-up-after" } });
}

/** Shows what the simulator warns of, such as each webhook that was not taken. */
function warningsTo(say: (line: string) => void): Logger {
  return {
    ...silentLogger,
    warn: (fields, message) =>
      say(`  !  ${message}${"reason" in fields ? `: ${String(fields.reason)}` : ""}`),
  };
}

async function placeCall(
  simulator: Simulator,
  flags: SimulateFlags,
  number: number,
  say: (line: string) => void,
): Promise<CallResult> {
  const placedAtMs = performance.now();
  const tell = (text: string, atMs: number = performance.now()): void => {
    const name = flags.calls === 1 ? "" : `call ${number}: `;
    say(`${(atMs - placedAtMs).toFixed(0).padStart(7)} ms  ${name}${text}`);
  };
  tell("the phone calls");
  try {
    const call = await simulator.call({
      ...toCallOptions(flags, number),
      onGraphRequest: (request) => tell(describeRequest(request), request.atMs),
    });
    tell("connect webhook delivered");
    announce(call, tell);
    const report = await call.ended;
    tell(`the call ended: ${report.endedBy}`, report.timeline.endedMs);
    return { ok: true, report };
  } catch (error) {
    return { ok: false, reason: describeUnplaced(error, simulator) };
  }
}

function toCallOptions(flags: SimulateFlags, number: number): PhoneCallOptions {
  return {
    from: String(15_550_001_110 + number),
    voice: flags.audio,
    setup: flags.role,
    hangUpAfterMs: flags.hangUpAfter * 1_000,
    ...toNetwork(flags, number),
    ...(flags.digits === undefined ? {} : { digits: [{ afterMs: flags.digitsAfter, digits: flags.digits }] }),
  };
}

/** Calls that are placed together do not lose the same packets. */
function toNetwork({ loss, jitter, seed }: SimulateFlags, number: number): Pick<PhoneCallOptions, "network"> {
  if (loss === 0 && jitter === 0) return {};
  const direction = { lossPercent: loss, jitterMs: jitter };
  return { network: { seed: seed + number - 1, toBusiness: direction, toPhone: direction } };
}

function announce(call: PhoneCall, tell: (text: string) => void): void {
  void call.media.firstRtp.then((firstRtp) => {
    if (firstRtp !== null) tell("first audio packet of the business");
  });
}

async function writeHeard(
  results: readonly CallResult[],
  { heard, json }: SimulateFlags,
  io: CliIo,
): Promise<void> {
  if (heard === undefined) return;
  for (const [index, result] of results.entries()) {
    if (!result.ok) continue;
    const path = index === 0 ? heard : heard.replace(/(\.[^./\\]+)?$/, `-${index + 1}$1`);
    const { report } = result;
    const wav = { sampleRateHz: report.sampleRateHz, channelCount: 1, samples: report.heardPcm() };
    try {
      await writeFile(path, serializeWav(wav));
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
      io.err(`What the caller heard could not be written to ${path} (${reason}): does the folder exist?`);
      io.setExitCode(1);
      return;
    }
    const line = `What the caller heard is in ${path}.`;
    if (json === true) io.err(line);
    else io.out(line);
  }
}

function conclude(results: readonly CallResult[], flags: SimulateFlags, io: CliIo): void {
  const failures = results.map((result) => (result.ok ? describeFailure(result.report) : result.reason));
  if (flags.json === true) {
    const reports = results.map((result, index) => ({
      ...(result.ok ? { report: result.report } : {}),
      failure: failures[index],
    }));
    io.out(JSON.stringify(reports, null, 2));
  } else {
    for (const [index, result] of results.entries()) {
      const name = results.length === 1 ? "Call" : `Call ${index + 1}`;
      if (result.ok) for (const line of describeReport(name, result.report)) io.out(line);
    }
    for (const reason of new Set(failures)) if (reason !== null) io.err(reason);
  }
  io.setExitCode(failures.some((reason) => reason !== null) ? 1 : 0);
}

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new InvalidArgumentError("It must be an http or https URL, such as http://127.0.0.1:3000/webhook.");
}
