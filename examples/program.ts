// What all examples share: settings, something to say, and the start of the program.
import { createCommandSpeech, type Gateway, type GatewayOptions, type Logger } from "ringback";

/** The settings of the README, from the environment. */
export function settings(): GatewayOptions {
  const env = process.env;
  const graphUrl = env["GRAPH_API_URL"];
  const speechCommand = env["SPEECH_COMMAND"];
  return {
    token: env["WHATSAPP_TOKEN"] ?? "",
    appSecret: env["WHATSAPP_APP_SECRET"] ?? "",
    verifyToken: env["WHATSAPP_WEBHOOK_VERIFICATION_TOKEN"] ?? "",
    phoneNumbers: (env["WHATSAPP_PHONE_NUMBER_ID"] ?? "").split(","),
    requests: {
      allowHttp: env["REQUESTS_ALLOW_HTTP"] === "true",
      allowedHosts: env["REQUESTS_ALLOW"]?.split(",") ?? [],
    },
    logger,
    ...(graphUrl === undefined ? {} : { graph: { url: graphUrl } }),
    ...(speechCommand === undefined ? {} : { speech: espeak(speechCommand) }),
  };
}

/** Tells what went wrong, and nothing else. A pino logger fits as it is. */
const logger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
  child: () => logger,
};

/** Speaks with espeak-ng, and sounds like it. */
const espeak = (command: string) =>
  createCommandSpeech({ command, args: ["--stdout", "--stdin", "-v", "{language}"], language: "en" });

export type Words =
  | { readonly say: string }
  | { readonly tone: { readonly frequencyHz: number; readonly durationMs: number } };

/** Words where there is somebody to speak them, otherwise a tone: so the examples run with nothing installed. */
export function words({ speech }: GatewayOptions, text: string, frequencyHz: number): Words {
  return speech === undefined ? { tone: { frequencyHz, durationMs: 400 } } : { say: text };
}

/** Waits for calls until Ctrl-C, which ends those that go on. */
export async function serve(gateway: Gateway): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void gateway.close());
  const { url } = await gateway.listen({ port: Number(process.env["PORT"] ?? 3000) });
  console.log(`Waiting for calls at ${url}`);
  await gateway.closed;
}
