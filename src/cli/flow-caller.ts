import type { Call } from "../gateway/call.ts";
import type { FlowCall } from "../gateway/flow/flow-options.ts";
import type { PhoneCall } from "../simulator/index.ts";

/** A wait among the keys. */
const WAIT_KEY = "w";
const WAIT_MS = 500;
/** A key that is out has arrived by then, or never will. */
const ARRIVAL_MS = 1_000;
/** For what waits for a key to do something with it. */
const REACTION_MS = 20;

/** A caller who presses keys when asked for some, one after the other, for as long as somebody waits for them. */
export class KeyPresser {
  /** Presses one key, and resolves when it has arrived. */
  onPress: (key: string) => Promise<void> = async () => {};
  #left: string;

  /** @param keys As in `1w2#`. */
  constructor(keys: string) {
    this.#left = keys;
  }

  /** Keys that nobody has asked for yet. */
  get left(): string {
    return this.#left;
  }

  /** Presses keys until the answer is there. */
  async during<T>(answer: Promise<T>): Promise<T> {
    let isAsked = true;
    void this.#pressWhile(() => isAsked);
    try {
      return await answer;
    } finally {
      isAsked = false;
    }
  }

  async #pressWhile(isAsked: () => boolean): Promise<void> {
    while (isAsked() && this.#left !== "") {
      const key = this.#left.charAt(0);
      this.#left = this.#left.slice(1);
      if (key === WAIT_KEY) await delay(WAIT_MS);
      else await this.onPress(key);
    }
  }
}

/** Presses one key on a phone, and waits until the call has it. */
export async function pressKey(key: string, call: Call, phone: PhoneCall | null): Promise<void> {
  let listener = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    listener = resolve;
  });
  call.on("digit", listener);
  try {
    await phone?.sendDigits(key);
    await Promise.race([arrived, call.ended, delay(ARRIVAL_MS)]);
    await delay(REACTION_MS);
  } catch {
    // The call is over: nobody waits for keys any longer.
  } finally {
    call.off("digit", listener);
  }
}

/** A call whose caller presses keys while a `gather` or a `record` goes on. */
export function withKeys(call: Call, presser: KeyPresser): FlowCall {
  return {
    id: call.id,
    phoneNumberId: call.phoneNumberId,
    caller: call.caller,
    ended: call.ended,
    get phase() {
      return call.phase;
    },
    answer: () => call.answer(),
    reject: () => call.reject(),
    hangUp: () => call.hangUp(),
    tag: (tags) => call.tag(tags),
    play: (source, options) => call.play(source, options),
    say: (text, options) => call.say(text, options),
    tone: (tone, options) => call.tone(tone, options),
    sendDigits: (digits, options) => call.sendDigits(digits, options),
    gather: (options) => presser.during(call.gather(options)),
    record: (options) => presser.during(call.record(options)),
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
