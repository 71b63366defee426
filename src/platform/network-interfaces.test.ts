import { describe, expect, test } from "vitest";
import { reachableAddresses } from "./network-interfaces.ts";

type Interfaces = Parameters<typeof reachableAddresses>[0];

function interfaces(...addresses: string[]): Interfaces {
  const infos = addresses.map((address) => ({
    address,
    family: address.includes(":") ? ("IPv6" as const) : ("IPv4" as const),
    internal: address === "127.0.0.1" || address === "::1",
    netmask: "",
    mac: "",
    cidr: null,
    scopeid: 0,
  }));
  return { any: infos, down: undefined } as Interfaces;
}

describe("the addresses by which others may reach us are", () => {
  test.each([
    [
      ["127.0.0.1", "::1", "192.0.2.2", "fd00::2", "fe80::1"],
      ["192.0.2.2", "fd00::2"],
    ],
    [
      ["192.0.2.2", "192.0.2.2", "198.51.100.1"],
      ["192.0.2.2", "198.51.100.1"],
    ],
    [["127.0.0.1", "169.254.7.7", "fe80::1", "feb0::1"], ["169.254.7.7"]],
    [
      ["127.0.0.1", "::1"],
      ["127.0.0.1", "::1"],
    ],
    [[], []],
  ])("of %j: %j", (all, reachable) => {
    expect(reachableAddresses(interfaces(...all))).toEqual(reachable);
  });

  test("this machine's own", () => {
    expect(reachableAddresses().length).toBeGreaterThan(0);
  });
});
