import { describe, expect, it } from "vitest";
import { DigitReceiver } from "./digit-receiver.ts";
import { DigitSender } from "./digit-sender.ts";

/** What goes out in the slots until the sender has nothing left: `null` is a slot of the voice. */
function slots(sender: DigitSender, count: number): (string | null)[] {
  return Array.from({ length: count }, (_, slot) => {
    const packet = sender.next(slot * 960, slot * 20);
    return (
      packet && `${packet.timestamp} ${packet.payload.toString("hex")} ${packet.marker ? "M" : ""}`.trim()
    );
  });
}

describe("the phone's digits", () => {
  it("are five updates of 20 ms, the end three times, then the voice for 20 ms", () => {
    const sender = new DigitSender();
    void sender.push("5#");
    expect(slots(sender, 17)).toEqual([
      "0 050a00a0 M",
      "0 050a0140",
      "0 050a01e0",
      "0 050a0280",
      "0 058a0320",
      "0 058a0320",
      "0 058a0320",
      null,
      "7680 0b0a00a0 M",
      "7680 0b0a0140",
      "7680 0b0a01e0",
      "7680 0b0a0280",
      "7680 0b8a0320",
      "7680 0b8a0320",
      "7680 0b8a0320",
      null,
      null,
    ]);
  });

  it.each([
    [40, ["0 050a00a0 M", "0 058a0140", "0 058a0140", "0 058a0140", null]],
    [60, ["0 050a00a0 M", "0 050a0140", "0 058a01e0", "0 058a01e0", "0 058a01e0", null]],
  ])("of %i ms are as many updates, and the end three times", (toneMs, expected) => {
    const sender = new DigitSender();
    void sender.push("5", { toneMs });
    expect(slots(sender, expected.length)).toEqual(expected);
  });

  it("follow one another at once after the shortest gap", () => {
    const sender = new DigitSender();
    void sender.push("12", { toneMs: 40, gapMs: 40 });
    expect(slots(sender, 5).map((slot) => slot?.slice(0, 7))).toEqual([
      "0 010a0",
      "0 018a0",
      "0 018a0",
      "0 018a0",
      "3840 02",
    ]);
  });

  it("last 8 s at the most, in one segment", () => {
    const sender = new DigitSender();
    void sender.push("5", { toneMs: 8000 });
    expect(slots(sender, 403).slice(398)).toEqual([
      "0 050af960",
      "0 058afa00",
      "0 058afa00",
      "0 058afa00",
      null,
    ]);
  });

  it("are noted with the times of their packets", async () => {
    const sender = new DigitSender();
    const first = sender.push("1w2", { toneMs: 40 });
    const second = sender.push("#");
    for (let slot = 0; slot < 60; slot += 1) sender.next(slot * 960, slot * 20);
    const one = { digit: "1", toneMs: 40, firstPacketAtMs: 0, lastPacketAtMs: 60 };
    const two = { digit: "2", toneMs: 40, firstPacketAtMs: 600, lastPacketAtMs: 660 };
    const hash = { digit: "#", toneMs: 100, firstPacketAtMs: 700, lastPacketAtMs: 820 };
    expect(await first).toEqual([one, two]);
    expect(await second).toEqual([hash]);
    expect(sender.pressed).toEqual([one, two, hash]);
  });

  it("that are dropped half-way are told", async () => {
    const sender = new DigitSender();
    const pressed = sender.push("12");
    for (let slot = 0; slot < 8; slot += 1) sender.next(slot * 960, slot * 20);
    sender.clear();
    expect((await pressed).map(({ digit }) => digit)).toEqual(["1"]);
  });

  it.each([
    [{ toneMs: 20 }, "toneMs"],
    [{ toneMs: 50 }, "toneMs"],
    [{ toneMs: 8020 }, "toneMs"],
    [{ toneMs: Number.NaN }, "toneMs"],
    [{ gapMs: 20 }, "gapMs"],
    [{ gapMs: 8020 }, "gapMs"],
  ])("are not pressed with %o", (timing, option) => {
    const refusal = expect.objectContaining({ code: "OPTION_INVALID", details: { option } });
    expect(() => new DigitSender().push("1", timing)).toThrowError(refusal);
  });

  it("are read back by the phone's own ear", () => {
    const sender = new DigitSender();
    const receiver = new DigitReceiver();
    void sender.push("0123456789*#abCD");
    for (let slot = 0; slot < 16 * 8; slot += 1) {
      const packet = sender.next(slot * 960, slot * 20);
      if (packet !== null) receiver.add(packet.timestamp, packet.payload);
    }
    expect(receiver.digits).toBe("0123456789*#ABCD");
  });

  it("wait half a second for a w, and report when the last one is out", async () => {
    const sender = new DigitSender();
    let isDone = false;
    const done = sender.push("w1").then(() => {
      isDone = true;
    });
    expect(slots(sender, 25)).toEqual(new Array(25).fill(null));
    expect(sender.next(0, 0)).not.toBeNull();
    await Promise.resolve();
    expect(isDone).toBe(false);
    slots(sender, 7);
    await done;
    expect(isDone).toBe(true);
  });

  it("that are dropped do not keep anybody waiting", async () => {
    const sender = new DigitSender();
    const done = sender.push("123");
    sender.clear();
    await expect(done).resolves.toEqual([]);
    expect(sender.next(0, 0)).toBeNull();
  });

  it("must be digits, and not too many", () => {
    const sender = new DigitSender();
    expect(() => sender.push("12x")).toThrowError(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(() => sender.push("1".repeat(257))).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
    expect(sender.next(0, 0)).toBeNull();
  });
});
