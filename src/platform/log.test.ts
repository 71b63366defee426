import { describe, expect, test } from "vitest";
import { createJsonLogger } from "./log.ts";

function logged(write: (logger: ReturnType<typeof createJsonLogger>) => void): Record<string, unknown> {
  let line = "";
  write(createJsonLogger("debug", { write: (text) => (line += text) }));
  return JSON.parse(line) as Record<string, unknown>;
}

const fieldsOf = (fields: object) => logged((logger) => logger.info(fields, "it happened"));

describe("a line of the log", () => {
  test("has level, ISO time, the call's id and the message", () => {
    const record = "call_01934e5f6a7b7c8d9e0f112233445566";
    const line = logged((logger) =>
      logger.child({ record, call: "AAAA000000000AA" }).warn({ ms: 3 }, "late"),
    );
    expect(line).toMatchObject({ level: "warn", msg: "late", record, call: "AAAA000000000AA", ms: 3 });
    expect(line["time"]).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test.each([
    "token",
    "Authorization",
    "app_secret",
    "api-key",
    "sdp",
    "digits",
    "body",
    "verifyToken",
    "cookie",
  ])("never has what is called %s", (name) => {
    expect(fieldsOf({ [name]: "hunter2", deep: [{ [name]: "hunter2" }] })).toMatchObject({
      [name]: "[redacted]",
      deep: [{ [name]: "[redacted]" }],
    });
  });

  test.each(["from", "to", "number", "wa_id", "callId"])("has the last two digits of %s", (name) => {
    expect(fieldsOf({ [name]: "+1 555 765 4321" })[name]).toBe("[number …21]");
  });

  test("keeps the id of a business number, ports, times and ids of records", () => {
    const fields = {
      phoneNumberId: "100000000000001",
      numbers: ["100000000000001"],
      port: 10_000,
      url: "http://127.0.0.1:3000/webhook",
      evt: "evt_01934e5f6a7b7c8d9e0f112233445566",
      at: "2026-11-26T01:20:33.762Z",
    };
    expect(fieldsOf(fields)).toMatchObject(fields);
  });

  test.each([
    ["wacid.HBgLMTU1NTAwMDExMTEVAgASGCA=", "HBgL"],
    ["Authorization: Bearer abc.def", "abc.def"],
    ["a key rbk_0193_c2VjcmV0", "c2VjcmV0"],
    ["whsec_MfKQ9r8GKYqrTwjU", "MfKQ"],
    ["EAAGm0PX4ZCpsBAKZCZBexample", "m0PX"],
    ["v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\na=ice-pwd:thisisthesecret\r\n", "192.0.2.1"],
    ["a=ice-pwd:thisisthesecret", "thisisthe"],
    ["postgres://ringback:hunter2@db/ringback", "hunter2"],
    ["GET /v1/recordings/x?signature=abcdef&expires=1", "abcdef"],
    ["the caller 15557654321 is gone", "1555765"],
    ["the caller +4915112345678 is gone", "151123"],
    ["tel:15557654321: gone, sip:15557654321@example.com", "1555765"],
    ["15557654321-1", "1555765"],
  ])("does not tell what is secret in %j, be it a field, a message or an error", (text, secret) => {
    const lines = [
      logged((logger) => logger.info({ detail: text, list: [text] }, "x")),
      logged((logger) => logger.info({}, text)),
      logged((logger) => logger.error({ err: new Error(text) }, "x")),
      logged((logger) => logger.error({ deep: { cause: new Error(text) } }, "x")),
      logged((logger) => logger.child({ detail: text }).info({}, "x")),
    ];
    for (const line of lines) expect(JSON.stringify(line)).not.toContain(secret);
  });

  test("has an error's code, message and stack, and not its cause", () => {
    const error = Object.assign(new Error("it broke", { cause: new Error("hunter2") }), { code: "E_BROKEN" });
    const { err } = fieldsOf({ err: error });
    expect(err).toMatchObject({ name: "Error", code: "E_BROKEN", message: "it broke" });
    expect(Object.keys(err as object).sort()).toEqual(["code", "message", "name", "stack"]);
    expect(JSON.stringify(err)).toContain("log.test.ts");
    expect(JSON.stringify(err)).not.toContain("hunter2");
  });

  test("survives what is deep, circular or made of bytes", () => {
    const loop: Record<string, unknown> = { bytes: new Uint8Array(3) };
    loop["self"] = loop;
    expect(JSON.stringify(fieldsOf({ loop }))).toContain("[redacted]");
  });
});
