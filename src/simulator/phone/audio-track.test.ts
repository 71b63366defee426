import { describe, expect, it } from "vitest";
import { AudioTrack, sharedDecoder } from "./audio-track.ts";
import { encodePart } from "./speech-encoder.ts";

const SSRC = 7;

async function openTrack(keepAudioMs = 10_000): Promise<AudioTrack> {
  return new AudioTrack(await sharedDecoder(), keepAudioMs);
}

/** Half a second of a tone in packets. */
async function tone(): Promise<readonly Buffer[]> {
  return await encodePart({ tone: { frequencyHz: 440, durationMs: 500 } });
}

function put(track: AudioTrack, packet: Buffer, timestamp: number, atMs: number, ssrc = SSRC): void {
  track.add(ssrc, timestamp, packet, 0, packet.length, atMs);
}

describe("the packets of one direction", () => {
  it("lie at their timestamps, and the fastest one tells when sample 0 came", async () => {
    const track = await openTrack();
    expect(track.startMs).toBeNull();
    const packets = await tone();
    packets.forEach((packet, i) => {
      // All but the tenth are late.
      put(track, packet, (0xffff_fc40 + i * 960) >>> 0, 1000 + i * 20 + (i === 10 ? 0 : 5 + (i % 3)));
    });
    expect(track.pcm()).toHaveLength(25 * 960);
    expect(track.startMs).toBe(1000);
    expect(track.packets()).toHaveLength(25);
    expect(track.packets()[11]).toMatchObject({ arrivedAtMs: 1227, rtpTimestamp: 9600, sample: 10_560 });
    expect(track.packets()[11]!.levelDbfs).toBeCloseTo(-15, 0);
  });

  it("that come out of order are put in order, those before the first one too", async () => {
    const ordered = await openTrack();
    const mixed = await openTrack();
    const packets = await tone();
    packets.forEach((packet, i) => {
      put(ordered, packet, i * 960, i * 20);
    });
    for (const i of [2, 0, 1, 4, 3, ...packets.keys()].filter((i, place) => place < 5 || i > 4)) {
      put(mixed, packets[i]!, i * 960, i * 20 + 60);
    }
    expect(mixed.pcm()).toEqual(ordered.pcm());
    expect(mixed.startMs).toBe(60);
    expect(mixed.packets().map(({ sample }) => sample)).toEqual(packets.map((_, i) => i * 960));
  });

  it("of a new source lie where they came by time", async () => {
    const track = await openTrack();
    const [packet] = await tone();
    put(track, packet!, 5000, 100);
    put(track, packet!, 77, 400, SSRC + 1);
    put(track, packet!, 77 + 960, 420, SSRC + 1);
    expect(track.packets().map(({ sample }) => sample)).toEqual([0, 14_400, 15_360]);
  });

  it("are kept as long as was asked for", async () => {
    const track = await openTrack(100);
    for (const [i, packet] of (await tone()).entries()) put(track, packet, i * 960, i * 20);
    expect(track.pcm()).toHaveLength(4800);
    expect(track.packets()).toHaveLength(5);
  });

  it("that are no Opus are silence", async () => {
    const track = await openTrack();
    put(track, Buffer.from([0xff]), 0, 0);
    expect(track.pcm()).toEqual(new Int16Array(960));
    expect(track.packets()[0]?.levelDbfs).toBe(-120);
  });
});
