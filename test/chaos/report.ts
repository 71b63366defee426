import type { Evidence, Verdict } from "./judge.ts";

/** What happened in the run, by itself neither good nor bad. */
export function figuresOf({ run, settled }: Evidence, seconds: number): Record<string, unknown> {
  const { options, post, consumer, whatsapp, real } = run;
  const outcomes = countBy(consumer.receipts.map(({ outcome }) => outcome));
  return {
    seed: options.seed,
    backend: options.database.backend,
    seconds: Math.round(seconds),
    calls: whatsapp.calls.length,
    realCalls: real.reports.length,
    realCallsHeard: real.reports.filter(({ media }) => media.packetsReceived > 0).length,
    kills: run.kills,
    killsBeforeListening: run.earlyKills,
    outageMs: options.outageMs,
    webhooks: post.counters.webhooks,
    webhookAttempts: post.counters.attempts,
    webhookRepeats: post.counters.repeats,
    webhookRefusals: post.counters.refusals,
    graphRequests: settled.graphRequests,
    strandedCalls: whatsapp.strandings,
    endedBy: countBy(whatsapp.calls.map(({ endedBy }) => endedBy ?? "nobody")),
    endReasons: countBy(settled.calls.map(({ endReason }) => endReason ?? "none")),
    events: settled.events.length,
    receipts: outcomes,
    deadLettersReplayed: run.deadLettersReplayed,
  };
}

export function printReport(figures: Record<string, unknown>, verdicts: readonly Verdict[]): void {
  console.log("\n## The run\n");
  for (const [name, value] of Object.entries(figures)) {
    console.log(`- ${name}: ${JSON.stringify(value)}`);
  }
  console.log("\n## Verdicts\n");
  const width = Math.max(...verdicts.map(({ text }) => text.length));
  console.log(`| ${"What must hold".padEnd(width)} | holds | figure |`);
  console.log(`|${"-".repeat(width + 2)}|-------|--------|`);
  for (const { text, holds, figure, examples } of verdicts) {
    console.log(`| ${text.padEnd(width)} | ${holds ? "yes  " : "NO   "} | ${figure} |`);
    for (const example of examples) console.log(`    ${example}`);
  }
  console.log(`\n${JSON.stringify({ ...figures, verdicts })}`);
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
