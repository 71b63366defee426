import { describe, expect, it } from "vitest";
import { createDeferred } from "../deferred.ts";
import { SpeechQueue } from "./speech-queue.ts";
import { Utterance } from "./utterance.ts";

/** An utterance of so many packets, each with the letter in it. */
function utteranceOf(letter: string, packets: number): Utterance {
  const part = {
    part: 0,
    kind: "tone",
    packets: new Array<Buffer>(packets).fill(Buffer.from(letter)),
  } as const;
  return new Utterance("say", [part]);
}

/** What leaves in the slots, 20 ms each: `-` is a slot of the voice. */
function slots(queue: SpeechQueue, count: number, firstSlot = 0): string {
  const letters = Array.from(
    { length: count },
    (_, i) => queue.next((firstSlot + i) * 20)?.toString() ?? "-",
  );
  return letters.join("");
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what the phone was told to say", () => {
  it("leaves packet by packet, and then its times are told", async () => {
    const queue = new SpeechQueue();
    const spoken = queue.say(async () => utteranceOf("a", 3));
    await settle();
    expect(slots(queue, 5)).toBe("aaa--");
    expect(await spoken).toEqual({
      isComplete: true,
      firstPacketAtMs: 0,
      lastPacketAtMs: 40,
      parts: [{ source: "say", part: 0, kind: "tone", firstPacketAtMs: 0, lastPacketAtMs: 40 }],
    });
    expect(queue.spoken).toHaveLength(1);
  });

  it("keeps the order in which it was told, whatever is encoded first", async () => {
    const queue = new SpeechQueue();
    const slow = createDeferred<Utterance>();
    void queue.say(() => slow.promise);
    void queue.say(async () => utteranceOf("b", 2));
    await settle();
    expect(slots(queue, 2)).toBe("--");
    slow.resolve(utteranceOf("a", 1));
    await settle();
    expect(slots(queue, 4)).toBe("abb-");
  });

  it("goes on with the next when one cannot be encoded", async () => {
    const queue = new SpeechQueue();
    const failed = queue.say(() => Promise.reject(new Error("no such file")));
    void queue.say(async () => utteranceOf("b", 1));
    await expect(failed).rejects.toThrow("no such file");
    await settle();
    expect(slots(queue, 2)).toBe("b-");
  });

  it("is dropped at the end, and tells how far it came", async () => {
    const queue = new SpeechQueue();
    const cut = queue.say(async () => utteranceOf("a", 3));
    const never = queue.say(async () => utteranceOf("b", 3));
    await settle();
    slots(queue, 2);
    queue.close();
    expect(await cut).toMatchObject({ isComplete: false, firstPacketAtMs: 0, lastPacketAtMs: 20 });
    expect(await never).toEqual({
      isComplete: false,
      firstPacketAtMs: null,
      lastPacketAtMs: null,
      parts: [],
    });
    expect(await queue.say(async () => utteranceOf("c", 1))).toMatchObject({ isComplete: false });
    expect(queue.spoken).toHaveLength(1);
    expect(slots(queue, 2)).toBe("--");
  });

  it("is 64 speeches at the most", async () => {
    const queue = new SpeechQueue();
    const waiting = Array.from({ length: 64 }, () => queue.say(async () => utteranceOf("a", 1)));
    await expect(queue.say(async () => utteranceOf("b", 1))).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    queue.close();
    await Promise.all(waiting);
  });
});
