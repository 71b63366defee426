import { forgedCheck, forgedRecord, forgedRtcp, forgedRtp, noise } from "./junk.mjs";

const PERIOD_MS = 2;
const KINDS = 1_024;

/** Sends junk from the addresses of running calls: the only one that gets as far as the keys. */
export class Forger {
  #timer = null;

  start(calls, perSecond) {
    const junk = Array.from({ length: KINDS }, (_, i) => forged(i, calls[i % calls.length]));
    const beginMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - beginMs) * perSecond) / 1_000;
      for (; sent < due; sent++) calls[sent % calls.length].forge(junk[sent % KINDS]);
    }, PERIOD_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function forged(i, call) {
  switch (i % 5) {
    case 0:
      return forgedCheck(`${call.ufrags.program}:${call.ufrags.load}`);
    case 1:
      return forgedRecord(23, 1, 60);
    case 2:
      return forgedRtcp();
    case 3:
      return noise();
    default:
      return forgedRtp();
  }
}
