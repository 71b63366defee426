import type { Call, GatewayOptions } from "../../src/index.ts";
import type { PhoneCall, PhoneCallOptions } from "../../src/simulator/index.ts";
import { type Pair, startPair } from "./fixture.ts";

/** A call that is up: what the program has of it, and what the caller has. */
export interface TalkingCall {
  readonly call: Call;
  readonly phone: PhoneCall;
}

/** A gateway and a simulated WhatsApp for many calls, whose program is the test. */
export interface TalkingPair extends AsyncDisposable {
  readonly pair: Pair;
  /** Each from another caller. Resolves when both ends can talk. */
  connect(options?: PhoneCallOptions): Promise<TalkingCall>;
}

export async function startTalking(gateway: Partial<GatewayOptions> = {}): Promise<TalkingPair> {
  const waiting: ((call: Call) => void)[] = [];
  const pair = await startPair(
    async (call) => {
      await call.answer();
      waiting.shift()?.(call);
    },
    { gateway },
  );
  let callers = 0;
  return {
    pair,
    async connect(options = {}) {
      callers += 1;
      const answered = new Promise<Call>((resolve) => waiting.push(resolve));
      const phone = await pair.simulator.call({ from: String(15_550_002_000 + callers), ...options });
      const call = await answered;
      await phone.media.firstRtp;
      return { call, phone };
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

/** Lets a call go on for a while: what is said and heard in it takes its time. */
export function talkFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
