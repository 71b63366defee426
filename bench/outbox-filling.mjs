// A store with ended calls whose events wait for one endpoint.
import { join } from "node:path";
import { createId } from "../dist/core/events/id.js";
import { silentLogger } from "../dist/logger.js";
import { systemClock } from "../dist/platform/clock.js";
import { systemRandom } from "../dist/platform/random.js";
import { systemTimers } from "../dist/platform/timers.js";
import { openStore } from "../dist/store/index.js";

const TYPES = ["call.incoming", "call.connecting", "call.answered", "call.ended"];
const PARTY = { number: null, userId: "US.1", name: null, username: null };

/** @returns How many events wait. */
export async function fillOutbox({ folder, url, secret, calls }) {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
  const store = await openStore({ file: join(folder, "ringback.db"), node: null }, deps);
  try {
    await store.endpoints.create({
      id: newId("whe"),
      url,
      types: null,
      phoneNumberId: null,
      secrets: [{ secret, expiresAt: null }],
      state: "enabled",
      disabledReason: null,
      description: "bench",
      createdAt: Date.now(),
    });
    await Promise.all(Array.from({ length: calls }, (_, number) => store.calls.commit(endedCall(number))));
  } finally {
    await store.close();
  }
  return calls * TYPES.length;
}

function endedCall(number) {
  const callId = newId("call");
  const at = Date.now();
  const create = {
    id: callId,
    callKey: `bench-${number}`,
    phoneNumberId: "100000000000001",
    whatsappCallId: `wacid.filled${number}`,
    direction: "inbound",
    state: "ringing",
    party: PARTY,
    node: "ringback",
    createdAt: at,
  };
  const events = TYPES.map((type, index) => ({
    id: newId("evt"),
    type,
    at,
    seq: index + 1,
    data: {},
    personal: null,
  }));
  return { callId, create, update: { state: "ended", endedAt: at, endReason: "caller_hangup" }, events };
}

function newId(kind) {
  return createId(kind, Date.now(), systemRandom);
}
