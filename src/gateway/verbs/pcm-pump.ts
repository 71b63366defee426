import type { PcmChannel } from "./pcm-channel.ts";

/**
 * Writes samples as they are played, and lets go of where they come from when they are not played any more.
 *
 * @param onBroken The samples broke off: what is played of them ends, and its outcome says how much that was.
 */
export async function pump(
  channel: PcmChannel,
  samples: AsyncIterable<Int16Array>,
  onBroken: (error: unknown) => void,
): Promise<void> {
  let isOver = false;
  try {
    const iterator = samples[Symbol.asyncIterator]();
    void channel.playback.finished.then(() => {
      isOver = true;
      // Also from one that waits for more, and may wait for long.
      return letGo(iterator);
    });
    for (let next = await iterator.next(); next.done !== true && !isOver; next = await iterator.next()) {
      await channel.write(next.value);
    }
    channel.finish();
  } catch (error) {
    if (!isOver) onBroken(error);
    channel.playback.stop();
  }
}

/** Whatever becomes of that, nobody waits for it any more. */
async function letGo(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It is gone all the same.
  }
}
