import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RtpHeader, SrtcpSession, SrtpSession } from "werift";
import {
  SRTP_KEY_BYTES,
  SRTP_MAX_OVERHEAD_BYTES,
  SRTP_PROFILE_IDS,
  type SrtpProfile,
} from "../../src/core/transport/srtp/srtp-profile.ts";
import { SrtpReceiver } from "../../src/core/transport/srtp/srtp-receiver.ts";
import { SrtpSender } from "../../src/core/transport/srtp/srtp-sender.ts";

const PROFILES = Object.keys(SRTP_PROFILE_IDS) as SrtpProfile[];
const SSRC = 0xfedcba98;
const FIRST_INDEX = 65_300;
/** Packets go in an order of the network's: across a wrap, with losses, some of them late. */
const ORDER = Array.from(
  { length: 400 },
  (_, i) => FIRST_INDEX + (i % 10 === 4 ? i + 3 : i % 10 === 7 ? i - 3 : i),
).filter((index) => index % 13 !== 5 || index === FIRST_INDEX);

function createMaster(profile: SrtpProfile) {
  return { key: randomBytes(SRTP_KEY_BYTES[profile].key), salt: randomBytes(SRTP_KEY_BYTES[profile].salt) };
}

function rtp(index: number): Buffer {
  const contributors = index % 3;
  const hasExtension = index % 2 === 0;
  const packet = randomBytes(12 + 4 * contributors + (hasExtension ? 12 : 0) + (index % 200));
  packet[0] = 0x80 | contributors | (hasExtension ? 0x10 : 0);
  packet.writeUInt16BE(index & 0xffff, 2);
  packet.writeUInt32BE(SSRC, 8);
  if (hasExtension) packet.writeUInt32BE(0xbede0002, 12 + 4 * contributors);
  return packet;
}

function rtcp(words: number): Buffer {
  const packet = randomBytes(8 + 4 * words);
  packet.writeUInt32BE(0x80c80000 + words + 1, 0);
  packet.writeUInt32BE(SSRC, 4);
  return packet;
}

function protectRtp(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_MAX_OVERHEAD_BYTES);
  return out.subarray(0, sender.protectRtp(packet, packet.length, out, 0));
}

function protectRtcp(sender: SrtpSender, packet: Buffer): Buffer {
  const out = Buffer.alloc(packet.length + SRTP_MAX_OVERHEAD_BYTES);
  return out.subarray(0, sender.protectRtcp(packet, packet.length, out, 0));
}

/** In the order of sending; they are delivered in `ORDER`. */
function packetsInOrder(): Map<number, Buffer> {
  return new Map([...ORDER].sort((a, b) => a - b).map((index) => [index, rtp(index)]));
}

describe("werift", () => {
  function weriftConfig(profile: SrtpProfile, { key, salt }: { key: Buffer; salt: Buffer }) {
    const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };
    return { keys, profile: SRTP_PROFILE_IDS[profile] };
  }

  test.each(PROFILES)("%s: each reads the other's RTP", (profile) => {
    const master = createMaster(profile);
    const werift = new SrtpSession(weriftConfig(profile, master));
    const sender = new SrtpSender(profile, master);
    const receiver = new SrtpReceiver(profile, master);
    for (const [index, packet] of packetsInOrder()) {
      const header = RtpHeader.deSerialize(packet);
      // werift reads into extensions, and takes their random bytes for a longer header.
      if (header.extension) continue;
      const theirs = werift.encrypt(packet.subarray(header.payloadOffset), header);
      expect(theirs.subarray(0, receiver.unprotectRtp(theirs)), `theirs ${index}`).toEqual(packet);
      expect(werift.decrypt(protectRtp(sender, packet)), `ours ${index}`).toEqual(packet);
    }
  });

  test.each(PROFILES)("%s: each reads the other's RTCP", (profile) => {
    const master = createMaster(profile);
    const werift = new SrtcpSession(weriftConfig(profile, master));
    const sender = new SrtpSender(profile, master);
    const receiver = new SrtpReceiver(profile, master);
    for (let words = 0; words < 60; words++) {
      const packet = rtcp(words);
      const theirs = werift.encrypt(packet);
      expect(theirs.subarray(0, receiver.unprotectRtcp(theirs))).toEqual(packet);
      expect(werift.decrypt(protectRtcp(sender, packet))).toEqual(packet);
    }
  });
});

const PEER_SOURCE = fileURLToPath(new URL("./libsrtp-peer.c", import.meta.url));
const hasLibsrtp = spawnSync("cc", ["-fsyntax-only", PEER_SOURCE]).status === 0;
if (!hasLibsrtp) console.warn("skipped: no C compiler with libsrtp (Debian packages gcc, libsrtp2-dev)");

describe.skipIf(!hasLibsrtp)("libsrtp", () => {
  let folder = "";
  let program = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ringback-"));
    program = join(folder, "libsrtp-peer");
    expect(spawnSync("cc", ["-o", program, PEER_SOURCE, "-lsrtp2"]).status).toBe(0);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  interface Request {
    readonly operation: "p" | "u" | "P" | "U";
    readonly packet: Buffer;
  }

  /** Answers in the order of the requests; null where libsrtp refused. */
  function ask(
    profile: SrtpProfile,
    master: { key: Buffer; salt: Buffer },
    requests: Request[],
  ): (Buffer | null)[] {
    const key = Buffer.concat([master.key, master.salt]).toString("hex");
    const lines = requests.map(({ operation, packet }) => `${operation} ${packet.toString("hex")}`);
    const input = [`${SRTP_PROFILE_IDS[profile]} ${key}`, ...lines, ""].join("\n");
    const { stdout, status } = spawnSync(program, { input, encoding: "utf8" });
    expect(status).toBe(0);
    const answers = stdout.trimEnd().split("\n");
    expect(answers).toHaveLength(requests.length);
    return answers.map((answer) => (answer === "refused" ? null : Buffer.from(answer, "hex")));
  }

  test.each(PROFILES)("%s: what libsrtp writes is what we write, and we read it", (profile) => {
    const master = createMaster(profile);
    const sender = new SrtpSender(profile, master);
    const receiver = new SrtpReceiver(profile, master);
    const packets = packetsInOrder();
    const theirs = ask(
      profile,
      master,
      [...packets.values()].map((packet) => ({ operation: "p", packet })),
    );
    const theirsByIndex = new Map([...packets.keys()].map((index, i) => [index, theirs[i]!]));
    for (const [index, packet] of packets)
      expect(protectRtp(sender, packet)).toEqual(theirsByIndex.get(index));
    for (const index of ORDER) {
      const packet = theirsByIndex.get(index)!;
      expect(packet.subarray(0, receiver.unprotectRtp(packet))).toEqual(packets.get(index));
    }
  });

  test.each(PROFILES)(
    "%s: libsrtp reads what we write, in any order, and refuses the same replays",
    (profile) => {
      const master = createMaster(profile);
      const sender = new SrtpSender(profile, master);
      const packets = packetsInOrder();
      const ours = new Map([...packets].map(([index, packet]) => [index, protectRtp(sender, packet)]));
      const sent = [...ORDER, ...ORDER];
      const answers = ask(
        profile,
        master,
        sent.map((index) => ({ operation: "u", packet: ours.get(index)! })),
      );
      const receiver = new SrtpReceiver(profile, master);
      for (const [i, index] of sent.entries()) {
        expect(answers[i]).toEqual(i < ORDER.length ? packets.get(index) : null);
        expect(receiver.unprotectRtp(Buffer.from(ours.get(index)!)) < 0).toBe(i >= ORDER.length);
      }
    },
  );

  test.each(PROFILES)("%s: each reads the other's RTCP", (profile) => {
    const master = createMaster(profile);
    const sender = new SrtpSender(profile, master);
    const receiver = new SrtpReceiver(profile, master);
    const packets = Array.from({ length: 60 }, (_, words) => rtcp(words));
    const ours = packets.map((packet) => protectRtcp(sender, packet));
    expect(
      ask(
        profile,
        master,
        ours.map((packet) => ({ operation: "U", packet })),
      ),
    ).toEqual(packets);
    const theirs = ask(
      profile,
      master,
      packets.map((packet) => ({ operation: "P", packet })),
    );
    for (const [i, packet] of packets.entries()) {
      expect(theirs[i]!.subarray(0, receiver.unprotectRtcp(theirs[i]!))).toEqual(packet);
    }
  });
});
