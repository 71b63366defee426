import type { LiveCall } from "../../live-calls.ts";
import { CallWork } from "./call-work.ts";

/** What commands are at, for each call on the line. Forgotten with the call. */
export class CallWorks {
  readonly #works = new Map<string, CallWork>();

  of(recordId: string, live: LiveCall): CallWork {
    const known = this.#works.get(recordId);
    if (known !== undefined) return known;
    const work = new CallWork();
    this.#works.set(recordId, work);
    void live.call.ended.then(() => this.#works.delete(recordId));
    return work;
  }
}
