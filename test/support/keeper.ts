import { RecordKeeper } from "../../src/gateway/records/record-keeper.ts";
import type { Clock } from "../../src/platform/clock.ts";
import type { CallChange } from "../../src/store/types.ts";

/** The record of a call that nobody stores: `changes` has what would be written. */
export function keeperInto(
  changes: CallChange[],
  { clock, phoneNumberId, number }: { clock: Clock; phoneNumberId: string; number: number },
): RecordKeeper {
  const recordId = `call_${String(number).padStart(32, "0")}`;
  const startedAt = clock.wallMs();
  return new RecordKeeper(
    { recordId, phoneNumberId, direction: "inbound", startedAt, answeredAt: null },
    {
      clock,
      random: (byteLength) => new Uint8Array(byteLength),
      write: (change) => changes.push(change),
    },
  );
}
