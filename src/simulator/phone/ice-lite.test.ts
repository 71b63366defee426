import { describe, expect, it } from "vitest";
import { IceLiteAgent } from "./ice-lite.ts";
import {
  buildStunMessage,
  checkAttributes,
  hasValidIntegrity,
  type IceRole,
  parseStunMessage,
  type StunAddress,
} from "./stun.ts";

const PWD = "+219v9nKr3xSQIn8s+Fy8g==";
const TRANSACTION = Buffer.alloc(12, 3);
const BUSINESS: StunAddress = { address: "203.0.113.7", port: 40_000 };

interface Check {
  readonly username?: string | null;
  readonly role?: IceRole;
  readonly useCandidate?: boolean;
  readonly password?: string | null;
  readonly extra?: { readonly type: number; readonly value: Uint8Array };
}

function check(options: Check = {}): Uint8Array {
  const { username = "relay:biz", role = "controlling", useCandidate = false, password = PWD } = options;
  const attributes = checkAttributes({ username: username ?? "", priority: 1, role, useCandidate });
  const kept = username === null ? attributes.slice(1) : attributes;
  const all = options.extra === undefined ? kept : [...kept, options.extra];
  return buildStunMessage("request", TRANSACTION, all, password);
}

function openAgent(): IceLiteAgent {
  const agent = new IceLiteAgent({ ufrag: "relay", pwd: PWD });
  agent.setRemoteUfrag("biz");
  return agent;
}

describe("the ICE-lite agent", () => {
  it("answers a check with the address that it came from", () => {
    const agent = openAgent();
    const verdict = agent.receive(check(), BUSINESS);
    if (verdict.type !== "success") throw new Error(verdict.type);
    const reply = parseStunMessage(verdict.reply)!;
    expect(reply).toMatchObject({ messageClass: "success", mappedAddress: BUSINESS, hasFingerprint: true });
    expect(reply.transactionId).toEqual(TRANSACTION);
    expect(hasValidIntegrity(reply, PWD)).toBe(true);
    expect(verdict.nominated).toBe(false);
  });

  it.each([
    ["no USERNAME", { username: null }, 400],
    ["no MESSAGE-INTEGRITY", { password: null }, 400],
    ["another ufrag of ours", { username: "other:biz" }, 401],
    ["another ufrag of theirs", { username: "relay:other" }, 401],
    ["the ufrags the wrong way round", { username: "biz:relay" }, 401],
    ["a wrong password", { password: "wrong" }, 401],
    ["an attribute that must be understood", { extra: { type: 0x0003, value: new Uint8Array(4) } }, 420],
    ["a claim to be controlled", { role: "controlled" }, 487],
  ] as const)("refuses %s", (_name, options: Check, code) => {
    const agent = openAgent();
    const verdict = agent.receive(check(options), BUSINESS);
    if (verdict.type !== "refused") throw new Error(verdict.type);
    const reply = parseStunMessage(verdict.reply)!;
    expect(reply).toMatchObject({ messageClass: "error", errorCode: code });
    expect(hasValidIntegrity(reply, PWD)).toBe(code === 420 || code === 487);
    expect(agent.selected).toBeNull();
  });

  it("refuses a check without a FINGERPRINT", () => {
    const whole = Buffer.from(check());
    const without = whole.subarray(0, whole.length - 8);
    without.writeUInt16BE(without.length - 20, 2);
    expect(openAgent().receive(without, BUSINESS)).toMatchObject({ type: "refused", code: 400 });
  });

  it("stays silent before it knows the answer", () => {
    const agent = new IceLiteAgent({ ufrag: "relay", pwd: PWD });
    expect(agent.receive(check(), BUSINESS)).toEqual({ type: "ignored" });
    agent.setRemoteUfrag("biz");
    expect(agent.receive(check(), BUSINESS).type).toBe("success");
  });

  it("ignores indications and rejects responses and rubbish", () => {
    const agent = openAgent();
    const build = (kind: "indication" | "success" | "error") => buildStunMessage(kind, TRANSACTION, [], PWD);
    expect(agent.receive(build("indication"), BUSINESS).type).toBe("ignored");
    expect(agent.receive(build("success"), BUSINESS).type).toBe("rejected");
    expect(agent.receive(build("error"), BUSINESS).type).toBe("rejected");
    expect(agent.receive(Buffer.from([0, 1, 2]), BUSINESS).type).toBe("rejected");
    expect(agent.receive(new Uint8Array(0), BUSINESS).type).toBe("rejected");
  });

  it("sends to the latest nominated address and hears every one that passed a check", () => {
    const agent = openAgent();
    const other = { address: "198.51.100.9", port: 50_000 };
    agent.receive(check(), BUSINESS);
    expect(agent.selected).toEqual(BUSINESS);
    expect(agent.isNominated).toBe(false);
    agent.receive(check({ useCandidate: true }), other);
    expect(agent.selected).toEqual(other);
    agent.receive(check({ useCandidate: true }), BUSINESS);
    expect(agent.selected).toEqual(BUSINESS);
    expect(agent.isValid(other.address, other.port)).toBe(true);
    expect(agent.isValid(other.address, other.port + 1)).toBe(false);
  });

  it("remembers the last 16 addresses, and the nominated one always", () => {
    const agent = openAgent();
    agent.receive(check({ useCandidate: true }), BUSINESS);
    for (let port = 1; port <= 40; port += 1) agent.receive(check(), { address: "198.51.100.9", port });
    expect(agent.isValid("198.51.100.9", 24)).toBe(false);
    expect(agent.isValid("198.51.100.9", 25)).toBe(true);
    expect(agent.isValid(BUSINESS.address, BUSINESS.port)).toBe(true);
  });
});
