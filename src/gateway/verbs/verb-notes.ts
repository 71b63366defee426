import { RingbackError } from "../../errors.ts";
import { snakeCase } from "../records/event-data.ts";
import type { RecordKeeper } from "../records/record-keeper.ts";
import type { GatherResult, Playing } from "./types.ts";

/** Notes a playback in the call's record: that it was asked for, and how it ended. */
export function notePlayback(keeper: RecordKeeper, playing: Playing): void {
  keeper.record("playback.started", {});
  playing.then(
    ({ outcome, playedMs }) => {
      keeper.record("playback.ended", { outcome: snakeCase(outcome), played_ms: Math.round(playedMs) });
    },
    (error: unknown) => {
      const code = error instanceof RingbackError ? error.code : "UNKNOWN";
      keeper.record("playback.ended", { outcome: "failed", played_ms: 0, error_code: code });
    },
  );
}

/** What was pressed may be a card's number: personal. */
export function noteGather(keeper: RecordKeeper, { outcome, digits, finishedBy }: GatherResult): void {
  const data = { outcome, finished_by: finishedBy === null ? null : snakeCase(finishedBy) };
  keeper.record("gather.completed", data, { digits });
}
