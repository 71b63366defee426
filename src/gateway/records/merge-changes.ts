import type { CallChange } from "../../store/types.ts";

/** One change for two of the same call, `first` before `second`. */
export function mergeChanges(first: CallChange, second: CallChange): CallChange {
  const create = first.create ?? second.create;
  return {
    callId: first.callId,
    ...(create !== undefined && { create }),
    update: { ...first.update, ...second.update },
    events: [...(first.events ?? []), ...(second.events ?? [])],
    // The later state of a recording takes the earlier one's place.
    recordings: [...(first.recordings ?? []), ...(second.recordings ?? [])],
    finished: [...(first.finished ?? []), ...(second.finished ?? [])],
  };
}
