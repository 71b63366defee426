import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import type { FlowDocument } from "../core/flow/index.ts";
import { openAdminStore } from "../gateway/admin-store.ts";
import type { Call, CallHandler } from "../gateway/call.ts";
import type { ServeConfig } from "../gateway/config.ts";
import type { FlowOptions } from "../gateway/flow/flow-options.ts";
import { soundsOf } from "../gateway/flow/flow-sources.ts";
import { runFlow } from "../gateway/flow/run-flow.ts";
import { createGateway, type Gateway, type ListenOptions } from "../gateway/gateway.ts";
import type { GatewayOptions } from "../gateway/options.ts";
import type { Logger } from "../logger.ts";
import { createJsonLogger } from "../platform/log.ts";
import { onStopSignals } from "../platform/signals.ts";
import { readFlowFile } from "./flow-file.ts";
import type { CliIo } from "./io.ts";
import { readConfig } from "./read-config.ts";
import { reportMedia } from "./report-media.ts";
import { reportStart } from "./report-start.ts";
import { settingBehind } from "./setting-behind.ts";
import { storeAdvice } from "./store-advice.ts";

/** Ten seconds of speech that come with the package. */
export const BUNDLED_SAMPLE: string = fileURLToPath(new URL("../../assets/sample.mp3", import.meta.url));
/** WhatsApp's relay and the phone hold some audio back: hanging up at the last packet would cut the last word. */
const TAIL_MS = 500;

interface ServeOptions {
  readonly play: string;
  readonly loop?: boolean;
  readonly then: "hangup" | "hold";
  readonly flow?: string;
  readonly wait?: boolean;
  readonly config?: string;
}

/** What is done with each call. */
interface CallProgram {
  readonly handler: CallHandler;
  /** Makes ready what calls will need. */
  prepare(gateway: Gateway): Promise<void>;
}

export function addServeCommand(program: Command, io: CliIo): void {
  program
    .command("serve")
    .description(
      "answer the calls of your WhatsApp number: play a file, go through a flow, or leave them to programs",
    )
    .option("--play <file>", "MP3, WAV, Ogg/Opus or FLAC to play", BUNDLED_SAMPLE)
    .option("--loop", "start again at the end of the file, until the caller hangs up")
    .addOption(
      new Option("--then <what>", "what follows the file").choices(["hangup", "hold"]).default("hangup"),
    )
    .addOption(
      new Option("--flow <file>", "call flow that each call goes through").conflicts([
        "play",
        "loop",
        "then",
      ]),
    )
    .addOption(
      new Option("--wait", "let calls ring until a program answers them over the API").conflicts([
        "play",
        "loop",
        "then",
        "flow",
      ]),
    )
    .option("--config <file>", "JSON file of settings (RINGBACK_CONFIG); the environment wins")
    .action((options: ServeOptions) => serve(options, io));
}

async function serve(options: ServeOptions, io: CliIo): Promise<void> {
  const config = await readConfig(io, {}, options.config);
  if (config === null) return;
  if (options.wait && config.api === null) {
    io.err(
      "ringback: --wait leaves calls to programs, and API_PORT is off: none can reach them. Setting: API_PORT.",
    );
    io.setExitCode(1);
    return;
  }
  const logger = createJsonLogger(config.logLevel);
  const program = await chooseProgram(options, config, logger, io);
  if (program === null) return;
  const gateway = createGateway({ ...gatewayOptions(config), logger }).onCall(program.handler);
  const letGo = stopOnSignals(gateway, config.drainTimeoutMs, (message) => logger.info({}, message));
  try {
    const listening = await gateway.listen(listenOptions(config));
    reportMedia(gateway.status.media.workers, logger);
    reportStart(config, { ...listening, hasKeys: await hasKeys(config) }, logger);
    // A sound is encoded in slices: calls may come meanwhile.
    await program.prepare(gateway);
  } catch (error) {
    letGo();
    await gateway.close();
    const advice = adviceFor(error, config);
    if (advice === null) throw error;
    io.err(`ringback: ${error instanceof Error ? error.message : ""} ${advice}`);
    io.setExitCode(1);
  }
}

function gatewayOptions({ gateway, store, events, retention, soundsFolder }: ServeConfig): GatewayOptions {
  return {
    ...gateway,
    store,
    retention,
    ...(events === null ? {} : { events }),
    ...(soundsFolder === null ? {} : { soundsFolder }),
  };
}

function listenOptions({ host, port, api }: ServeConfig): ListenOptions {
  return { host, port, ...(api === null ? {} : { api }) };
}

/** True also when the store does not say: then there is something more urgent than keys. */
async function hasKeys(config: ServeConfig): Promise<boolean> {
  try {
    const store = await openAdminStore(config.store);
    try {
      return (await store.apiKeys.list()).some(({ revokedAt }) => revokedAt === null);
    } finally {
      await store.close();
    }
  } catch {
    return true;
  }
}

/** What to do about a start that failed; null when nobody here knows. */
function adviceFor(error: unknown, config: ServeConfig): string | null {
  const setting = settingBehind(error);
  return setting === null ? storeAdvice(error, config.store.url !== undefined) : `Setting: ${setting}.`;
}

/** Null when there is none, which was told. */
async function chooseProgram(
  options: ServeOptions,
  config: ServeConfig,
  logger: Logger,
  io: CliIo,
): Promise<CallProgram | null> {
  if (options.wait) return WAITING;
  if (options.flow === undefined) return filePlayer(options);
  const flow = await readFlowFile(options.flow, io);
  return flow === null ? null : flowRunner(flow, options.flow, config.gateway, logger);
}

/** Calls ring until a program answers or rejects them over the API, or WhatsApp gives them up. */
const WAITING: CallProgram = { prepare: () => Promise.resolve(), handler: () => {} };

/** The file starts with the first packet, then the call ends or is held in silence. */
function filePlayer(options: ServeOptions): CallProgram {
  return {
    prepare: (gateway) => gateway.preload(options.play),
    handler: async (call: Call) => {
      const playing = call.play(options.play, { loop: options.loop ?? false });
      await call.answer();
      await playing;
      if (options.then === "hold") return;
      await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
      await call.hangUp();
    },
  };
}

function flowRunner(
  flow: FlowDocument,
  file: string,
  { requests }: Pick<GatewayOptions, "requests">,
  logger: Logger,
): CallProgram {
  const folder = dirname(file);
  const options: FlowOptions = { folder, logger, ...(requests === undefined ? {} : { requests }) };
  return {
    // A sound that is missing costs its step, not the calls: it may be there when it is needed.
    prepare: async (gateway) => {
      for (const source of soundsOf(flow, folder)) {
        await gateway
          .preload(source)
          .catch((error: unknown) => logger.warn({ err: error }, "a sound of the flow cannot be played"));
      }
    },
    handler: async (call) => {
      const { reason, steps, durationMs } = await runFlow(call, flow, options);
      logger.info({ reason, steps, durationMs }, "a flow ended");
    },
  };
}

/** The first signal takes no new call and waits for the running ones; the second ends them. Returns how to let go. */
function stopOnSignals(gateway: Gateway, drainTimeoutMs: number, say: (message: string) => void): () => void {
  const stop = onStopSignals(
    () => {
      say("draining: no new calls, waiting for the running ones; a second signal ends them");
      void gateway
        .drain({ signal: AbortSignal.timeout(drainTimeoutMs) })
        .then(() => gateway.close())
        .finally(stop);
    },
    () => {
      say("closing: ending the running calls");
      void gateway.close();
    },
  );
  return stop;
}
