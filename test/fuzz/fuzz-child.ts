import { writeSync } from "node:fs";
import { fuzz } from "./fuzz-run.ts";
import { findTarget } from "./targets/index.ts";

/** The pipe that says which case comes next: seed of the batch and number in it, 4 bytes each. */
const PROGRESS_FD = 4;
const PROGRESS_BYTES = 8;

const [target = "", seed, seconds] = process.argv.slice(2);

const progress = Buffer.alloc(PROGRESS_BYTES);

const result = fuzz(findTarget(target), {
  seed: Number(seed),
  untilMs: performance.now() + Number(seconds) * 1_000,
  // Written, not sent: a message would leave only after the case, if it ever ends.
  onCase: (batchSeed, index) => {
    progress.writeInt32BE(batchSeed, 0);
    progress.writeInt32BE(index, 4);
    writeSync(PROGRESS_FD, progress);
  },
});
process.send?.(result, () => process.exit());
