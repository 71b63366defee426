import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { isRingbackError } from "../errors.ts";
import type { Call, CallHandler } from "../gateway/call.ts";
import { loadConfig, type ServeConfig } from "../gateway/config.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import { readEnvironment } from "../platform/env.ts";
import { createJsonLogger } from "../platform/log.ts";
import { readSecretFile } from "../platform/secret-file.ts";
import { onStopSignals } from "../platform/signals.ts";
import type { CliIo } from "./io.ts";
import { reportMedia } from "./report-media.ts";
import { settingBehind } from "./setting-behind.ts";

/** Ten seconds of speech that come with the package. */
export const BUNDLED_SAMPLE: string = fileURLToPath(new URL("../../assets/sample.mp3", import.meta.url));
/** WhatsApp's relay and the phone hold some audio back: hanging up at the last packet would cut the last word. */
const TAIL_MS = 500;
/** How long SIGTERM waits for running calls, in ms. */
const DRAIN_LIMIT_MS = 15 * 60_000;

interface ServeOptions {
  readonly play: string;
  readonly loop?: boolean;
  readonly then: "hangup" | "hold";
}

export function addServeCommand(program: Command, io: CliIo): void {
  program
    .command("serve")
    .description("answer the calls of your WhatsApp number and play a file")
    .option("--play <file>", "MP3, WAV, Ogg/Opus or FLAC to play", BUNDLED_SAMPLE)
    .option("--loop", "start again at the end of the file, until the caller hangs up")
    .addOption(
      new Option("--then <what>", "what follows the file").choices(["hangup", "hold"]).default("hangup"),
    )
    .action((options: ServeOptions) => serve(options, io));
}

async function serve(options: ServeOptions, io: CliIo): Promise<void> {
  const config = readConfig(io);
  if (config === null) return;
  const logger = createJsonLogger(config.logLevel);
  const gateway = createGateway({ ...config.gateway, logger }).onCall(answerAndPlay(options));
  try {
    await gateway.preload(options.play);
    const { url } = await gateway.listen({ host: config.host, port: config.port });
    reportMedia(gateway.status.media.workers, logger);
    logger.info({ url, numbers: config.gateway.phoneNumbers }, "waiting for calls");
  } catch (error) {
    await gateway.close();
    const setting = settingBehind(error);
    if (setting === null) throw error;
    io.err(`ringback: ${error instanceof Error ? error.message : ""} Setting: ${setting}.`);
    io.setExitCode(1);
    return;
  }
  stopOnSignals(gateway, (message) => logger.info({}, message));
}

function readConfig(io: CliIo): ServeConfig | null {
  try {
    return loadConfig(readEnvironment(), readSecretFile);
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    io.err("Ringback cannot start: settings are missing or malformed.");
    for (const { name, problem, hint } of error.details.problems)
      io.err(`\n  ${name} ${problem}\n    ${hint}`);
    io.err("\nNo number at hand? `ringback demo` makes a whole call on this machine.");
    io.setExitCode(1);
    return null;
  }
}

/** The program of `serve`: the file starts with the first packet, then the call ends or is held in silence. */
function answerAndPlay(options: ServeOptions): CallHandler {
  return async (call: Call) => {
    const playing = call.play(options.play, { loop: options.loop ?? false });
    await call.answer();
    await playing;
    if (options.then === "hold") return;
    await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    await call.hangUp();
  };
}

/** The first signal takes no new call and waits for the running ones; the second ends them. */
function stopOnSignals(gateway: Gateway, say: (message: string) => void): void {
  const stop = onStopSignals(
    () => {
      say("draining: no new calls, waiting for the running ones; a second signal ends them");
      void gateway
        .drain({ signal: AbortSignal.timeout(DRAIN_LIMIT_MS) })
        .then(() => gateway.close())
        .finally(stop);
    },
    () => {
      say("closing: ending the running calls");
      void gateway.close();
    },
  );
}
