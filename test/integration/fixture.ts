import { fileURLToPath } from "node:url";
import {
  type Call,
  type CallHandler,
  createGateway,
  type Gateway,
  type GatewayOptions,
} from "../../src/index.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator/index.ts";

export const SAMPLE: string = fileURLToPath(new URL("../../assets/sample.mp3", import.meta.url));

export interface Pair extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly gateway: Gateway;
  /** Every call that the gateway's handler was given, in order. */
  readonly calls: Call[];
}

/** A gateway and a simulated WhatsApp that know each other, on ephemeral ports. */
export async function startPair(
  handler: CallHandler,
  options: { readonly simulator?: SimulatorOptions; readonly gateway?: Partial<GatewayOptions> } = {},
): Promise<Pair> {
  const simulator = createSimulator({ webhook: { retryDelaysMs: [50, 100] }, ...options.simulator });
  await simulator.start();
  const calls: Call[] = [];
  const gateway = createGateway({
    token: simulator.token,
    appSecret: simulator.appSecret,
    verifyToken: simulator.verifyToken,
    phoneNumbers: simulator.phoneNumbers.map((number) => number.id),
    media: { bindAddress: "127.0.0.1" },
    store: "memory",
    ...options.gateway,
    graph: { url: simulator.graphUrl, ...options.gateway?.graph },
  }).onCall((call) => {
    calls.push(call);
    return handler(call);
  });
  const { url } = await gateway.listen({ port: 0 });
  simulator.webhookUrl = url;
  return {
    simulator,
    gateway,
    calls,
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await simulator.close();
    },
  };
}

/** Answers, and stays on the line until the caller hangs up. */
export const answerAndHold: CallHandler = (call) => call.answer();

/** Resolves as soon as `holds` does, asked every 5 ms; rejects after `limitMs`. */
export async function until(holds: () => boolean, limitMs = 5_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
