import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ipVersion } from "./ip-version.ts";

test.each([
  ["57.144.43.49", 4],
  ["0.0.0.0", 4],
  ["2a03:2880:f312:131:face:b00c:0:699c", 6],
  ["::", 6],
  ["::1", 6],
  ["1::", 6],
  ["::ffff:192.0.2.1", 6],
  ["256.1.1.1", null],
  ["1.2.3", null],
  ["01.2.3.4", null],
  ["1::2::3", null],
  ["1:2:3:4:5:6:7:8::", null],
  ["1:2:3:4:5:6:7", null],
  [":1:2:3:4:5:6:7:8", null],
  ["192.0.2.1::", null],
  ["fe80::1%eth0", null],
  ["e2b0a7c1.local", null],
  ["", null],
])("%s is of version %s", (address, version) => {
  expect(ipVersion(address)).toBe(version);
});

test("agrees with Node's own judgement on everything but zones", () => {
  const group = fc.constantFrom("0", "1", "ffff", "12345", "", "192.0.2.1", "g");
  const shaped = fc.array(group, { maxLength: 9 }).map((groups) => groups.join(":"));
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), shaped, fc.string());
  fc.assert(
    fc.property(address, (text) => {
      if (!text.includes("%")) expect(ipVersion(text) ?? 0).toBe(isIP(text));
    }),
  );
});
