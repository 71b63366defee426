import type { PhoneCallReport } from "../../src/simulator/index.ts";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import type { CallProgram } from "./call-plan.ts";

export const REAL_NUMBER = { id: "100000000000002", displayPhoneNumber: "15550008888" } as const;
const RETRY_DELAYS_MS = Array.from({ length: 20 }, () => 5_000);
const TALK_MS = 3_000;
const PROGRAM: CallProgram = { does: "answer", afterMs: 50, talkMs: TALK_MS };

/** Calls by the simulator's phones, with ICE, DTLS and packets, between the many light ones. */
export class RealCalls {
  readonly reports: PhoneCallReport[] = [];
  readonly #simulator: Simulator;
  readonly #calls: Promise<void>[] = [];

  private constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  static async start(appSecret: string): Promise<RealCalls> {
    const simulator = createSimulator({
      appSecret,
      phoneNumbers: [REAL_NUMBER],
      webhook: { retryDelaysMs: RETRY_DELAYS_MS, timeoutMs: 10_000 },
    });
    await simulator.start();
    return new RealCalls(simulator);
  }

  get graph(): { readonly graphUrl: string; readonly token: string } {
    return this.#simulator;
  }

  set webhookUrl(url: string) {
    this.#simulator.webhookUrl = url;
  }

  get placed(): number {
    return this.#calls.length;
  }

  /** One more, as soon as the gateway is there; never, if it does not come to that. */
  placeWhen(ready: Promise<unknown>): void {
    const number = this.#calls.length;
    this.#calls.push(
      ready.then(
        () => this.#placeOne(number),
        () => {},
      ),
    );
  }

  /** Rejects when one of them got no answer to its webhooks. */
  async allOver(): Promise<void> {
    await Promise.all(this.#calls);
  }

  close(): Promise<void> {
    return this.#simulator.close();
  }

  async #placeOne(index: number): Promise<void> {
    const call = await this.#simulator.call({
      from: String(15_550_200_000 + index),
      deeplinkPayload: JSON.stringify(PROGRAM),
      voice: { type: "tone", frequencyHz: 440 },
      hangUpAfterMs: TALK_MS,
      giveUpAfterMs: 90_000,
      keepAudioMs: 1_000,
      webhooks: { duplicate: 1 },
    });
    this.reports.push(await call.ended);
  }
}
