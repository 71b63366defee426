import { expect, test } from "vitest";
import { flow } from "./builder.ts";
import { checkFlow } from "./check-flow.ts";

test("each verb has a method with the fields of the document", () => {
  const hours = { timeZone: "Europe/Berlin", open: { "mon-fri": ["09:00-17:00"] } };
  const document = flow()
    .answer()
    .play("welcome.mp3", { interruptOn: "digit", loop: 2 })
    .say("Hello.", { language: "en", when: { hours }, on: { skipped: "menu" } })
    .gather({
      id: "menu",
      prompt: ["menu.mp3", { silenceMs: 500 }],
      retries: 1,
      on: { 1: flow().play("sales.mp3").hangup(), 2: "mailbox", timeout: "end" },
    })
    .record({ id: "mailbox", consent: "announce", announcement: "recorded.mp3", maxMs: 60_000 })
    .pause(500)
    .tone({ frequencyHz: [440, 480], durationMs: 200 })
    .dtmf("1w2#", { inBand: true })
    .tag({ department: "sales" })
    .dial([{ type: "sip", uri: "sip:100@pbx" }], { timeoutMs: 20_000 })
    .stream("wss://example.com/ws", { dialect: "twilio" })
    .redirect("https://example.com/next", { on: { failed: [{ verb: "hangup" }] } })
    .reject()
    .toJSON();
  const { mistakes, document: checked } = checkFlow(document);
  expect(mistakes).toEqual([]);
  expect(checked).toEqual(document);
  expect(document.steps.map(({ verb }) => verb)).toEqual(
    "answer play say gather record pause tone dtmf tag dial stream redirect reject".split(" "),
  );
  expect(document.steps[3]?.on).toEqual({
    1: [{ verb: "play", source: "sales.mp3" }, { verb: "hangup" }],
    2: "mailbox",
    timeout: "end",
  });
});

test("JSON.stringify writes the document, without what is undefined", () => {
  expect(JSON.stringify(flow().gather({ maxDigits: 1, on: {} }).hangup())).toBe(
    '{"version":1,"steps":[{"verb":"gather","maxDigits":1,"on":{}},{"verb":"hangup"}]}',
  );
});

test("its types refuse what the checker refuses", () => {
  // @ts-expect-error The caller's hang-up is the end of the flow.
  const wrongOutcome = flow().play("a", { on: { hangup: "end" } });
  // @ts-expect-error Consent has no default.
  const noConsent = flow().record({});
  expect([wrongOutcome, noConsent].map((each) => checkFlow(each).document)).toEqual([null, null]);
});
