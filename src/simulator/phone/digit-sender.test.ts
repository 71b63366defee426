import { describe, expect, it } from "vitest";
import { DigitReceiver } from "./digit-receiver.ts";
import { DigitSender } from "./digit-sender.ts";

/** What goes out in the slots until the sender has nothing left: `null` is a slot of the voice. */
function slots(sender: DigitSender, count: number): (string | null)[] {
  return Array.from({ length: count }, (_, slot) => {
    const packet = sender.next(slot * 960);
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

  it("are read back by the phone's own ear", () => {
    const sender = new DigitSender();
    const receiver = new DigitReceiver();
    void sender.push("0123456789*#abCD");
    for (let slot = 0; slot < 16 * 8; slot += 1) {
      const packet = sender.next(slot * 960);
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
    expect(sender.next(0)).not.toBeNull();
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
    await expect(done).resolves.toBeUndefined();
    expect(sender.next(0)).toBeNull();
  });

  it("must be digits, and not too many", () => {
    const sender = new DigitSender();
    expect(() => sender.push("12x")).toThrowError(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(() => sender.push("1".repeat(257))).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
    expect(sender.next(0)).toBeNull();
  });
});
