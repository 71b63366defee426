import { expect, test } from "vitest";
import { systemRandom } from "../platform/random.ts";
import {
  announcedAddresses,
  createIceCredentials,
  createLocalAudio,
  hostCandidates,
} from "./transport-local.ts";

test("ICE credentials are long enough, of ICE's characters, and never the same", () => {
  const made = Array.from({ length: 100 }, () => createIceCredentials(systemRandom));
  for (const { ufrag, pwd } of made) {
    expect(ufrag).toMatch(/^[A-Za-z0-9+/]{8}$/);
    expect(pwd).toMatch(/^[A-Za-z0-9+/]{24}$/);
  }
  expect(new Set(made.map(({ pwd }) => pwd)).size).toBe(100);
});

test("host candidates are preferred in the order of their addresses", () => {
  expect(hostCandidates(["fd00::2", "192.0.2.2"], 5000)).toEqual([
    {
      foundation: "1",
      componentId: 1,
      transport: "udp",
      // RFC 8445 §5.1.2.1: 2^24 * 126 + 2^8 * 65535 + 255.
      priority: 2_130_706_431,
      address: "fd00::2",
      port: 5000,
      type: "host",
    },
    {
      foundation: "2",
      componentId: 1,
      transport: "udp",
      priority: 2_130_706_175,
      address: "192.0.2.2",
      port: 5000,
      type: "host",
    },
  ]);
});

test("a public address takes the place of all of its IP version, once", () => {
  const own = ["fd00::2", "192.0.2.2", "10.0.0.5"];
  expect(announcedAddresses(own, "203.0.113.7")).toEqual(["fd00::2", "203.0.113.7"]);
  expect(announcedAddresses(own, "2001:db8::7")).toEqual(["2001:db8::7", "192.0.2.2", "10.0.0.5"]);
  expect(announcedAddresses(own, null)).toEqual(own);
});

test("SSRC, CNAME and session id come from the given source of randomness", () => {
  let next = 0;
  const random = (byteLength: number) => {
    next += 1;
    return new Uint8Array(byteLength).fill(next);
  };
  const parts = { sha256Fingerprint: "AB", setup: "active", candidates: [], random } as const;
  expect(createLocalAudio({ ...parts, credentials: createIceCredentials(random) })).toEqual({
    iceUfrag: "AQEBAQEB",
    icePwd: "AgICAgICAgICAgICAgICAgIC",
    sha256Fingerprint: "AB",
    setup: "active",
    candidates: [],
    ssrc: 0x03030303,
    cname: "BAQEBAQEBAQEBAQE",
    sessionId: String(0x05050505 >>> 1),
  });
});
