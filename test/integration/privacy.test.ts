import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { Logger } from "../../src/index.ts";
import { startPair } from "./fixture.ts";

const CALLER = "15557654321";
const NAME = "Zoë Müller";

/** Keeps every line as an operator could print it at worst: errors with their causes, all the way down. */
function recordingLogger(lines: string[]): Logger {
  const log = (fields: object, message: string): void => {
    lines.push(`${message} ${inspect(fields, { depth: 10 })}`);
  };
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return logger;
}

test("no log line of a good, a refused and an unusable call tells a number, a name, a secret or an SDP", async () => {
  const lines: string[] = [];
  await using pair = await startPair((call) => call.answer(), {
    gateway: { logger: recordingLogger(lines) },
  });
  const { simulator } = pair;

  const good = await simulator.call({ from: CALLER, name: NAME });
  expect(await good.accepted).toBe(true);
  good.hangUp();
  await good.ended;
  simulator.faults.add({ action: "pre_accept", kind: "refuse", status: 400, code: 100, details: "refused" });
  await (await simulator.call({ from: CALLER, name: NAME })).ended;
  await (await simulator.call({ from: CALLER, name: NAME, offerSdp: "v=0\r\nnonsense" })).ended;

  expect(lines.length).toBeGreaterThan(20);
  const log = lines.join("\n");
  const answer = good.answerSdp ?? "";
  const icePwd = /a=ice-pwd:(\S+)/.exec(answer)?.[1] ?? "";
  const fingerprint = /a=fingerprint:sha-256 (\S+)/.exec(answer)?.[1] ?? "";
  expect(icePwd).not.toBe("");
  expect(fingerprint).not.toBe("");
  const secrets = [
    CALLER,
    // Call ids hold the number in base64.
    ...pair.calls.map((call) => call.id.slice("wacid.".length, -16)),
    NAME,
    simulator.token,
    simulator.appSecret,
    simulator.verifyToken,
    icePwd,
    fingerprint,
  ];
  for (const secret of [...secrets, "v=0", "nonsense", "a=ice"]) {
    expect(log.includes(secret), `the log tells ${secret}`).toBe(false);
  }
});
