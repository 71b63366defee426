import { describe, expect, test } from "vitest";
import { classifyAddress } from "./address-class.ts";
import { hostOf, parseAllowedHost } from "./allowed-host.ts";
import {
  judgeAddress,
  judgeName,
  portOf,
  readRequestUrl,
  type TargetRules,
  type UrlFault,
} from "./judge-target.ts";

const RULES: TargetRules = { allowHttp: false, allowedHosts: [], onlyAllowedHosts: false };
const HTTP: TargetRules = { ...RULES, allowHttp: true };

function allowing(...entries: string[]): TargetRules {
  return { ...RULES, allowedHosts: entries.map((entry) => parseAllowedHost(entry)!) };
}

function hostIn(text: string): string {
  const url = readRequestUrl(text, HTTP);
  if (typeof url === "string") throw new Error(url);
  return hostOf(url);
}

describe("a URL", () => {
  test.each<[UrlFault, readonly string[]]>([
    [
      "malformed",
      ["", "x", "/path", "//host/path", "https://", "https://a b/", "http://1.2.3.4.5/", "http://256.1.1.1/"],
    ],
    [
      "malformed",
      ["http://[fe80::1%25eth0]/", "http://./", "http://../", `https://a.example/${"x".repeat(8_192)}`],
    ],
    [
      "scheme",
      ["ftp://a.example/", "file:///etc/passwd", "data:,x", "javascript:1", "gopher://a/", "ws://a.example"],
    ],
    [
      "credentials",
      ["https://user@a.example/", "https://user:password@a.example/", "https://:password@a.example/"],
    ],
    ["port", ["https://a.example:0/"]],
    ["plain-http", ["http://a.example/", "HTTP://a.example"]],
  ])("is refused as %s: %j", (fault, texts) => {
    const rules = fault === "plain-http" ? RULES : HTTP;
    for (const text of texts) expect([text, readRequestUrl(text, rules)]).toEqual([text, fault]);
  });

  test("is taken over https, and over http where that is allowed", () => {
    expect(readRequestUrl("https://a.example/x?y", RULES)).toMatchObject({ href: "https://a.example/x?y" });
    expect(readRequestUrl("http://a.example:81/", HTTP)).toMatchObject({ port: "81" });
  });

  test("has the port of its scheme where it names none", () => {
    expect(portOf(new URL("https://a.example"))).toBe(443);
    expect(portOf(new URL("http://a.example"))).toBe(80);
    expect(portOf(new URL("https://a.example:8443"))).toBe(8_443);
  });

  test.each([
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.1../",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.01/",
    "http://0x7f000001/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://%31%32%37.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.0.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http:127.0.0.1",
    "http:\\\\127.0.0.1\\",
    "\thttp://127.0.\n0.1/",
  ])("leads to this machine in the form of %j", (text) => {
    expect(classifyAddress(hostIn(text))).toBe("loopback");
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://025177524776/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
  ])("leads to a cloud's metadata in the form of %j", (text) => {
    expect(classifyAddress(hostIn(text))).toBe("link-local");
  });

  test.each(["http://a.example./", "http://A.Example/", "http://a.example../", "http://ａ.example/"])(
    "has one spelling of its name: %j",
    (text) => {
      expect(hostIn(text)).toBe("a.example");
    },
  );
});

describe("a name", () => {
  test.each(["http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://a.b.localhost./"])(
    "of this machine is refused: %s",
    (text) => {
      expect(judgeName(hostIn(text), 80, RULES)).toEqual({ kind: "local-name" });
    },
  );

  test("of this machine passes where it is allowed", () => {
    expect(judgeName("localhost", 3_000, allowing("localhost:3000"))).toBeNull();
    expect(judgeName("localhost", 3_001, allowing("localhost:3000"))).toEqual({ kind: "local-name" });
    expect(judgeName("a.localhost", 80, allowing("*.localhost"))).toBeNull();
  });

  test("of another is not judged yet", () => {
    expect(judgeName("notlocalhost", 80, RULES)).toBeNull();
    expect(judgeName("localhost.example", 80, RULES)).toBeNull();
  });
});

describe("an address", () => {
  const target = { host: "a.example", port: 443, address: "10.0.0.5" };

  test("passes when it is public", () => {
    expect(judgeAddress({ ...target, address: "8.8.8.8" }, RULES)).toBeNull();
  });

  test("is refused with its class when it is not", () => {
    expect(judgeAddress(target, RULES)).toEqual({ kind: "address", addressClass: "private" });
    expect(judgeAddress({ ...target, address: "fe80::1%eth0" }, RULES)).toEqual({ kind: "unreadable" });
  });

  test("passes by its host's name or its own number where that is allowed", () => {
    expect(judgeAddress(target, allowing("a.example"))).toBeNull();
    expect(judgeAddress(target, allowing("10.0.0.0/24"))).toBeNull();
    expect(judgeAddress(target, allowing("10.0.1.0/24"))).toMatchObject({ kind: "address" });
  });

  test("is refused when nothing but the list is allowed, and it is not in it", () => {
    const rules = { ...allowing("b.example", "10.0.0.0/24"), onlyAllowedHosts: true };
    expect(judgeAddress({ ...target, address: "8.8.8.8" }, rules)).toEqual({ kind: "not-listed" });
    expect(judgeAddress({ ...target, host: "b.example", address: "8.8.8.8" }, rules)).toBeNull();
    expect(judgeAddress(target, rules)).toBeNull();
  });
});
