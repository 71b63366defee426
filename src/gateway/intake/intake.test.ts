import { expect, test } from "vitest";
import { connectEvent } from "../../../test/support/call-rig.ts";
import { RingbackError } from "../../errors.ts";
import { silentLogger } from "../../logger.ts";
import type { JournalEntry, NewWebhook } from "../../store/types.ts";
import { ManualClock } from "../../testing/index.ts";
import { Intake } from "./intake.ts";

const event = (number: number) => connectEvent({ callId: `wacid.${number}` });

/** An intake whose journal takes everything, but for the entries in `known`, until `failure` is set. */
function setUp() {
  const journalled: NewWebhook[] = [];
  const known = new Set<number>();
  const reasons: string[] = [];
  const acted: (() => void)[] = [];
  let repeated = 0;
  const state = { failure: null as Error | null };
  const intake = new Intake({
    journal: {
      append: async (webhook) => {
        if (state.failure !== null) throw state.failure;
        journalled.push(webhook);
        return webhook.entries
          .filter(({ position }) => !known.has(position))
          .map((entry) => ({ ...entry, id: entry.position, webhookId: 1, receivedAt: 0 }) as JournalEntry);
      },
      unfinished: async () => [],
      finish: async () => {},
      backlog: async () => ({ count: 0, oldestReceivedAt: null }),
    },
    clock: new ManualClock(),
    logger: silentLogger,
    process: () => new Promise((resolve) => acted.push(resolve)),
    onRepeated: (count) => {
      repeated += count;
    },
    onUnavailable: (reason) => reasons.push(reason),
  });
  return { intake, journalled, known, reasons, acted, state, repeated: () => repeated };
}

const body = new Uint8Array([1]);

test("nothing personal is in the keys of the journal, and each event has its own", async () => {
  const { intake, journalled } = setUp();
  await intake.take(body, [event(1), event(2)], 0);
  const [one, two] = journalled[0]?.entries ?? [];
  expect(JSON.stringify([one?.dedupKey, one?.callKey])).not.toContain("wacid");
  expect(one?.dedupKey).not.toBe(two?.dedupKey);
  expect(one?.callKey).not.toBe(two?.callKey);
});

test("what was journalled before is not acted upon again", async () => {
  const { intake, known, acted, repeated } = setUp();
  known.add(0);
  const taken = await intake.take(body, [event(1), event(2)], 0);
  if (taken.outcome === "taken") taken.act();
  expect(acted).toHaveLength(1);
  expect(repeated()).toBe(1);
  expect(intake.waiting).toBe(1);
});

test("a store that is away refuses the webhook, says why, and keeps no place for it", async () => {
  const { intake, reasons, state } = setUp();
  state.failure = new RingbackError("STORE_UNAVAILABLE", "full", { details: { reason: "disk-full" } });
  expect((await intake.take(body, [event(1)], 0)).outcome).toBe("refused");
  expect(reasons).toEqual(["disk-full"]);
  expect(intake.waiting).toBe(0);
});

test("more events than can wait are refused, and taken again when there is room", async () => {
  const { intake, acted } = setUp();
  const many = Array.from({ length: 10_000 }, (_, number) => event(number));
  const taken = await intake.take(body, many, 0);
  expect((await intake.take(body, [event(-1)], 0)).outcome).toBe("refused");
  if (taken.outcome === "taken") taken.act();
  for (const done of acted) done();
  await intake.idle();
  expect((await intake.take(body, [event(-1)], 0)).outcome).toBe("taken");
});

test("it is idle only when what was answered with 200 was acted upon", async () => {
  const { intake, acted } = setUp();
  const taken = await intake.take(body, [event(1)], 0);
  let isIdle = false;
  const idle = intake.idle().then(() => {
    isIdle = true;
  });
  await Promise.resolve();
  expect(isIdle).toBe(false);
  if (taken.outcome === "taken") taken.act();
  acted[0]?.();
  await idle;
});

test("a webhook without a call event is taken, and not journalled", async () => {
  const { intake, journalled } = setUp();
  expect((await intake.take(body, [], 0)).outcome).toBe("taken");
  expect(journalled).toEqual([]);
});
