import { expect, test } from "vitest";
import { type Logger, silentLogger } from "../logger.ts";
import { reportMedia } from "./report-media.ts";

const IDLE = {
  isUp: true,
  calls: 0,
  lateTicks: 0,
  skippedSlots: 0,
  worstLateMs: 0,
  datagramsDropped: 0,
  framesDropped: 0,
  restarts: 0,
};

function linesFor(...addresses: string[][]): [object, string][] {
  const lines: [object, string][] = [];
  const add = (fields: object, message: string): void => void lines.push([fields, message]);
  const logger: Logger = { ...silentLogger, info: add, warn: add };
  const workers = addresses.map((each, index) => ({ ...IDLE, port: 10_000 + index, addresses: each }));
  reportMedia(workers, logger);
  return lines;
}

test("every worker's port and addresses are told", () => {
  expect(linesFor(["203.0.113.7"], ["203.0.113.7", "2001:db8::7"])).toEqual([
    [{ worker: 1, udpPort: 10_000, addresses: ["203.0.113.7"] }, "media port"],
    [{ worker: 2, udpPort: 10_001, addresses: ["203.0.113.7", "2001:db8::7"] }, "media port"],
  ]);
});

test.each([
  "10.0.0.5",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.2",
  "100.64.0.1",
  "100.127.0.1",
  "169.254.7.7",
  "127.0.0.1",
  "fd12::1",
  "fe80::1",
  "::1",
])("%s alone is told to be private, with the setting that helps", (address) => {
  expect(linesFor([address]).slice(1)).toEqual([
    [{ setting: "MEDIA_PUBLIC_ADDRESS" }, expect.stringContaining("private address")],
  ]);
});

test("a machine without any address is told that no call can connect, not that its address is private", () => {
  expect(linesFor([]).slice(1)).toEqual([[{}, expect.stringContaining("no network address")]]);
});

test.each(["172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1", "2001:db8::1"])(
  "%s is public",
  (address) => {
    expect(linesFor([address])).toHaveLength(1);
    expect(linesFor(["10.0.0.5", address])).toHaveLength(1);
  },
);
