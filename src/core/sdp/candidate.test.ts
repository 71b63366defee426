import { expect, test } from "vitest";
import { parseCandidate, serializeCandidate } from "./candidate.ts";

const host = "2275956755 1 udp 2122260223 57.144.43.49 3480 typ host";

test("WhatsApp's candidate is read, extensions left out", () => {
  expect(parseCandidate(`${host} generation 0 network-cost 50 ufrag m9PlzIaKPAlU`)).toEqual({
    foundation: "2275956755",
    componentId: 1,
    transport: "udp",
    priority: 2_122_260_223,
    address: "57.144.43.49",
    port: 3_480,
    type: "host",
  });
});

test("upper-case transports are read", () => {
  expect(parseCandidate("1 1 UDP 2015364095 127.0.0.1 44258 typ host")?.transport).toBe("udp");
  expect(parseCandidate("2 1 TCP 1015022591 127.0.0.1 9 typ host tcptype active")?.transport).toBe("tcp");
});

test.each([
  ["an mDNS name", host.replace("57.144.43.49", "6b6a3e4c.local")],
  ["a port above 65535", host.replace("3480", "65536")],
  ["component 0", host.replace(" 1 udp", " 0 udp")],
  ["a negative priority", host.replace("2122260223", "-1")],
  ["another transport", host.replace("udp", "sctp")],
  ["another type", host.replace("host", "guest")],
  ["no type", host.replace(" typ host", "")],
  ["a foundation without end", host.replace("2275956755", "1".repeat(65))],
  ["nothing", ""],
])("%s is no candidate", (_what, value) => {
  expect(parseCandidate(value)).toBeNull();
});

test("a reflexive candidate is written with a related address that tells nothing", () => {
  const candidate = parseCandidate(
    "1 1 udp 1694498815 203.0.113.10 7371 typ srflx raddr 192.168.0.10 rport 51420",
  );
  expect(serializeCandidate(candidate!)).toBe(
    "1 1 udp 1694498815 203.0.113.10 7371 typ srflx raddr 0.0.0.0 rport 9",
  );
});
