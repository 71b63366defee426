/** Something that has a vector of features for each frame of 20 ms. */
export interface FeatureFrames {
  readonly frames: number;
  readonly features: number;
  at(frame: number, feature: number): number;
}

/** A pause has to explain as much as this many average frames of the reference would. */
const PAUSE_COST_FRAMES = 4;

/**
 * Follows a reference through a recording in which pauses were put between its frames, as a sender does that was held up
 * and goes on where it stopped: each frame is found where the one before it was, or later.
 *
 * @param actual Has `maxDelayFrames` frames more than `expected`.
 * @returns For each frame of `expected` how many frames later it is in `actual`, 0 to `maxDelayFrames`, never falling.
 */
export function followDelays(
  expected: FeatureFrames,
  actual: FeatureFrames,
  maxDelayFrames: number,
): Int16Array {
  const a = freedOfMean(expected);
  const b = freedOfMean(actual);
  const pauseCost = PAUSE_COST_FRAMES * meanSquare(a, expected.features);
  const delays = maxDelayFrames + 1;
  /** Least cost of the frames so far, by the delay of the latest one. */
  let costs = new Float64Array(delays);
  let next = new Float64Array(delays);
  const cameFrom = new Int16Array(expected.frames * delays);
  for (let frame = 0; frame < expected.frames; frame += 1) {
    let cheapestEarlier = Number.POSITIVE_INFINITY;
    let earlier = 0;
    for (let delay = 0; delay < delays; delay += 1) {
      const stays = costs[delay] ?? 0;
      const pauses = frame > 0 && cheapestEarlier + pauseCost < stays;
      cameFrom[frame * delays + delay] = pauses ? earlier : delay;
      next[delay] =
        (pauses ? cheapestEarlier + pauseCost : stays) +
        distance(a, frame, b, frame + delay, expected.features);
      if (stays < cheapestEarlier) {
        cheapestEarlier = stays;
        earlier = delay;
      }
    }
    [costs, next] = [next, costs];
  }
  return traceBack(cameFrom, costs, expected.frames);
}

function traceBack(cameFrom: Int16Array, costs: Float64Array, frames: number): Int16Array {
  const path = new Int16Array(frames);
  let delay = costs.indexOf(Math.min(...costs));
  for (let frame = frames - 1; frame >= 0; frame -= 1) {
    path[frame] = delay;
    delay = cameFrom[frame * costs.length + delay] ?? delay;
  }
  return path;
}

function distance(
  a: Float64Array,
  frameA: number,
  b: Float64Array,
  frameB: number,
  features: number,
): number {
  let sum = 0;
  for (let i = 0; i < features; i += 1) {
    const difference = (a[frameA * features + i] ?? 0) - (b[frameB * features + i] ?? 0);
    sum += difference * difference;
  }
  return sum;
}

function freedOfMean(source: FeatureFrames): Float64Array {
  const { frames, features } = source;
  const values = new Float64Array(frames * features);
  for (let feature = 0; feature < features; feature += 1) {
    let sum = 0;
    for (let frame = 0; frame < frames; frame += 1) sum += source.at(frame, feature);
    for (let frame = 0; frame < frames; frame += 1) {
      values[frame * features + feature] = source.at(frame, feature) - sum / frames;
    }
  }
  return values;
}

/** Mean of the squared lengths of the frames. */
function meanSquare(values: Float64Array, features: number): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return (sum * features) / Math.max(1, values.length);
}
