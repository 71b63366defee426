import { createSocket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import {
  closeAll,
  connect,
  openPhone,
  rtpOf,
  SILENT_PACKET,
  toDescription,
  until,
} from "../../../test/phone/business-peer.ts";
import { buildStunMessage, checkAttributes, parseStunMessage, type StunMessage } from "./stun.ts";

afterEach(closeAll);

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

describe("the phone's port", () => {
  it.each([
    [{ host: "192.0.2.1" }, "host"],
    [{ host: "not an address" }, "host"],
    [{ keepAudioMs: Number.NaN }, "keepAudioMs"],
    [{ keepAudioMs: -1 }, "keepAudioMs"],
  ])("is not opened with %o", async (options, option) => {
    await expect(openPhone(options)).rejects.toMatchObject({ code: "OPTION_INVALID", details: { option } });
  });

  it("answers checks from any address, but none before the answer is known", async () => {
    const phone = await openPhone();
    const stranger = createSocket("udp4");
    try {
      const replies: StunMessage[] = [];
      stranger.on("message", (datagram) => replies.push(parseStunMessage(datagram)!));
      await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.1", resolve));
      const { port } = phone.parameters.candidates[0]!;
      const username = `${phone.parameters.iceUfrag}:biz`;
      const check = (id: number, role: "controlling" | "controlled") =>
        buildStunMessage(
          "request",
          Buffer.alloc(12, id),
          checkAttributes({ username, priority: 1, role, useCandidate: true }),
          phone.parameters.icePwd,
        );
      await new Promise((resolve) => stranger.send(check(1, "controlling"), port, "127.0.0.1", resolve));
      // One more datagram of a kind that is counted: when it is, the check before it was seen.
      stranger.send(Buffer.from([200]), port, "127.0.0.1");
      await until(() => phone.report().packetsRejected === 1, "the mark");
      phone.applyAnswer({ ...toDescription(""), iceUfrag: "biz", setup: "active" });
      stranger.send(check(2, "controlled"), port, "127.0.0.1");
      stranger.send(check(3, "controlling"), port, "127.0.0.1");
      await until(() => replies.length === 2, "two replies");
      expect(replies[0]).toMatchObject({ errorCode: 487 });
      expect(replies[1]).toMatchObject({ messageClass: "success" });
      expect(replies[1]!.mappedAddress).toEqual({ address: "127.0.0.1", port: stranger.address().port });
      expect(phone.report().roleConflicts).toBe(1);
    } finally {
      stranger.close();
    }
  });

  it.skipIf(!hasIpv6)("offers an IPv6 address too, and answers checks there", async () => {
    const phone = await openPhone();
    const [ipv4, ipv6] = phone.parameters.candidates;
    expect([ipv4, ipv6]).toMatchObject([
      { address: "127.0.0.1", priority: 2_122_260_223 },
      { address: "::1", priority: 2_122_262_783 },
    ]);
    phone.applyAnswer({ ...toDescription(""), iceUfrag: "biz", setup: "active" });
    const stranger = createSocket("udp6");
    const reply = new Promise<StunMessage | null>((resolve) => {
      stranger.on("message", (datagram) => resolve(parseStunMessage(datagram)));
    });
    await new Promise<void>((resolve) => stranger.bind(0, "::1", resolve));
    const username = `${phone.parameters.iceUfrag}:biz`;
    const attributes = checkAttributes({ username, priority: 1, role: "controlling", useCandidate: true });
    const check = buildStunMessage("request", Buffer.alloc(12), attributes, phone.parameters.icePwd);
    stranger.send(check, ipv6!.port, "::1");
    const mappedAddress = { address: "0:0:0:0:0:0:0:1", port: stranger.address().port };
    expect(await reply).toMatchObject({ messageClass: "success", mappedAddress });
    stranger.close();
  });

  it("counts rubbish and goes on with the call", async () => {
    const { phone, business } = await connect();
    const stranger = createSocket("udp4");
    const { port } = phone.parameters.candidates[0]!;
    let sent = 0;
    for (let first = 0; first < 256; first += 1) {
      for (const length of [1, 13, 40]) {
        const datagram = Buffer.alloc(length, 0xa5);
        datagram[0] = first;
        stranger.send(datagram, port, "127.0.0.1");
        sent += 1;
      }
      // A burst of all of it would not fit into the socket's buffer.
      if (first % 32 === 31) await until(() => phone.report().packetsRejected === sent, "the rubbish so far");
    }
    expect(phone.report().packetsRejected).toBe(768);
    stranger.close();
    phone.markAccepted();
    await until(() => business.rtp.length >= 3, "the voice");
    expect(phone.report()).toMatchObject({ packetsReceived: 0, packetsLost: 0 });
  });

  it("survives rubbish in every form from an address that passed a check", async () => {
    const phone = await openPhone();
    const stranger = createSocket("udp4");
    let answered = 0;
    stranger.on("message", () => {
      answered += 1;
    });
    await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.1", resolve));
    const { port } = phone.parameters.candidates[0]!;
    phone.applyAnswer({ ...toDescription(""), iceUfrag: "biz", setup: "active" });
    const username = `${phone.parameters.iceUfrag}:biz`;
    const attributes = checkAttributes({ username, priority: 1, role: "controlling", useCandidate: true });
    stranger.send(
      buildStunMessage("request", Buffer.alloc(12), attributes, phone.parameters.icePwd),
      port,
      "127.0.0.1",
    );
    await until(() => answered === 1, "the check's answer");

    // A hello without extensions, then each of its prefixes, then records of every type with nonsense in them.
    const hello = Buffer.from(
      `16fefd000000000000000000360100002a000000000000002afefd${"07".repeat(32)}00000004c02bc02f0100`,
      "hex",
    );
    const datagrams = Array.from(hello, (_, length) => hello.subarray(0, length + 1));
    for (let type = 20; type < 64; type += 1) {
      datagrams.push(Buffer.from(`${type.toString(16)}fefd000000000000000000080101010101010101`, "hex"));
      datagrams.push(Buffer.from(`${type.toString(16)}fefd000100000000000000080101010101010101`, "hex"));
    }
    for (const datagram of datagrams) stranger.send(datagram, port, "127.0.0.1");
    stranger.send(Buffer.alloc(60, 0x80), port, "127.0.0.1");
    await until(() => phone.report().packetsBeforeDtls === 1, "the last datagram");
    stranger.close();
    expect(phone.report().packetsRejected).toBeGreaterThan(10);
    expect(phone.report().dtlsConnectedMs).toBeNull();
  });

  it("closes more than once and keeps what it knows", async () => {
    const { phone, business } = await connect();
    business.track.sendMessageBinary(rtpOf({ sequence: 1, timestamp: 960, payload: SILENT_PACKET }));
    await until(() => phone.report().packetsReceived === 1, "a packet");
    await Promise.all([phone.close(), phone.close()]);
    await phone.close();
    expect(await phone.firstRtp).toBeNull();
    expect(phone.report().packetsReceived).toBe(1);
    expect(phone.heardPcm()).toHaveLength(960);
    await expect(phone.sendDigits("12")).resolves.toEqual([]);
    phone.markAccepted();
    expect(phone.report().packetsSent).toBe(0);
  });
});
