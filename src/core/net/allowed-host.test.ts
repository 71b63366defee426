import { describe, expect, test } from "vitest";
import {
  type AllowedHost,
  isAllowedHost,
  isAllowedName,
  parseAllowedHost,
  type Target,
} from "./allowed-host.ts";

function list(...entries: string[]): readonly AllowedHost[] {
  return entries.map((entry) => {
    const parsed = parseAllowedHost(entry);
    if (parsed === null) throw new Error(`${entry} was not read`);
    return parsed;
  });
}

function to(host: string, address: string, port = 443): Target {
  return { host, address, port };
}

describe("an allowed host", () => {
  test.each<[string, Target]>([
    ["ivr.example.com", to("ivr.example.com", "10.0.0.5")],
    ["IVR.Example.com.", to("ivr.example.com", "10.0.0.5")],
    ["ivr.example.com:8443", to("ivr.example.com", "10.0.0.5", 8_443)],
    ["*.example.com", to("a.b.example.com", "10.0.0.5")],
    ["localhost:3000", to("localhost", "127.0.0.1", 3_000)],
    ["redis", to("redis", "10.0.0.5")],
    ["bücher.example", to("xn--bcher-kva.example", "10.0.0.5")],
    ["10.0.0.5", to("ivr.example.com", "10.0.0.5")],
    ["10.0.0.5:8080", to("10.0.0.5", "10.0.0.5", 8_080)],
    ["10.0.0.5", to("::ffff:10.0.0.5", "::ffff:10.0.0.5")],
    ["0x0a000005", to("10.0.0.5", "10.0.0.5")],
    ["10.0.0.0/8", to("anything", "10.255.0.1")],
    ["10.0.0.0/9", to("anything", "10.127.255.255")],
    ["0.0.0.0/0", to("anything", "127.0.0.1")],
    ["fd00::/8", to("anything", "fd12::1")],
    ["fd00::5", to("fd00::5", "fd00::5")],
    ["[fd00::5]:8080", to("fd00::5", "fd00::5", 8_080)],
  ])("%s lets %j pass", (entry, target) => {
    expect(isAllowedHost(list(entry), target)).toBe(true);
  });

  test.each<[string, Target]>([
    ["ivr.example.com", to("example.com", "10.0.0.5")],
    ["ivr.example.com", to("a.ivr.example.com", "10.0.0.5")],
    ["ivr.example.com:8443", to("ivr.example.com", "10.0.0.5", 443)],
    ["*.example.com", to("example.com", "10.0.0.5")],
    ["*.example.com", to("badexample.com", "10.0.0.5")],
    ["10.0.0.5:8080", to("10.0.0.5", "10.0.0.5", 80)],
    ["10.0.0.0/8", to("10.example.com", "11.0.0.1")],
    ["10.0.0.0/9", to("anything", "10.128.0.0")],
    ["10.0.0.0/8", to("anything", "fd00::1")],
    ["0.0.0.0/0", to("anything", "::1")],
    ["::/0", to("anything", "::ffff:10.0.0.1")],
  ])("%s does not let %j pass", (entry, target) => {
    expect(isAllowedHost(list(entry), target)).toBe(false);
  });

  test.each([
    "",
    " ",
    "*",
    "*.",
    "*.10.0.0.5",
    "a.*.example",
    "https://ivr.example.com",
    "ivr.example.com/path",
    "user@ivr.example.com",
    "ivr.example.com:0",
    "ivr.example.com:65536",
    "ivr.example.com:http",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8:80",
    "fd00::/129",
    "::ffff:10.0.0.0/104",
    "[fd00::5",
    "fe80::1%eth0",
    "1.2.3.4.5",
  ])("is not read of %j", (text) => {
    expect(parseAllowedHost(text)).toBeNull();
  });

  test("lets a name pass before it is resolved only where it is named", () => {
    const allowed = list("localhost:3000", "127.0.0.0/8");
    expect(isAllowedName(allowed, "localhost", 3_000)).toBe(true);
    expect(isAllowedName(allowed, "localhost", 3_001)).toBe(false);
    expect(isAllowedName(allowed, "foo.localhost", 3_000)).toBe(false);
  });
});
