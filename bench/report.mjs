// The figures as tables for people: GitHub's Markdown, aligned, so that they can be pasted into the docs.
import { SRTP_PROFILES } from "./rig.mjs";

export function printHeader({ cpu, cores, kernel, node, pinning }, programs, settings) {
  console.log(`\n# Ringback bench, ${new Date().toISOString().slice(0, 10)}\n`);
  console.log(`- Machine: ${cores} x ${cpu}, Linux ${kernel}, Node ${node}`);
  console.log(`- Pinning: ${pinning}`);
  for (const { name, version, missing } of programs) {
    console.log(`- ${name}${version ? ` ${version}` : ""}${missing ? `: left out, ${missing}` : ""}`);
  }
  console.log(
    `- 50 packets/s each way, ${SRTP_PROFILES[settings.srtp]}, windows of ${settings.seconds} s; times in ms\n`,
  );
}

export function printSideBySide(rows) {
  print("The same calls with each program", rows, [
    ["calls", (r) => r.calls],
    ["program", (r) => r.program],
    ["CPU ms / call-s", (r) => r.cpuMsPerCallSecond.toFixed(2)],
    ["calls / core", (r) => r.callsPerCore],
    ["offer → answer p50 / p95", (r) => pair(r.answerMs)],
    ["offer → first RTP p50 / p95", (r) => pair(r.firstRtpMs)],
    ["KB / call", (r) => r.kbPerCall],
    ["gap p99", (r) => r.gapMs.p99.toFixed(1)],
    ["loss % out / in", (r) => `${r.lossPercent} / ${r.inboundLossPercent}`],
    ["CPU % program / load", (r) => `${r.programPercent} / ${r.loadPercent}${r.isDisturbed ? " *" : ""}`],
  ]);
  printDisturbance(rows);
}

export function printSetup(rows) {
  print("Setting up one call after the other", rows, [
    ["program", (r) => r.program],
    ["setup CPU", (r) => r.setupCpuMs.toFixed(2)],
    ["offer → answer p50 / p95", (r) => pair(r.answerMs)],
    ["offer → DTLS up p50 / p95", (r) => pair(r.connectedMs)],
    ["offer → first RTP p50 / p95", (r) => pair(r.firstRtpMs)],
  ]);
}

export function printMostCalls(results) {
  print("As many calls as one core carries", results, [
    ["program", (r) => r.program],
    ["calls", (r) => r.calls],
    ["CPU ms / call-s", (r) => r.at?.cpuMsPerCallSecond.toFixed(2) ?? "-"],
    ["CPU % program / load", (r) => (r.at ? `${r.at.programPercent} / ${r.at.loadPercent}` : "-")],
    ["gap p99", (r) => r.at?.gapMs.p99.toFixed(1) ?? "-"],
    ["loss % out / in", (r) => (r.at ? `${r.at.lossPercent} / ${r.at.inboundLossPercent}` : "-")],
    ["limit of the next step", (r) => r.limit],
  ]);
}

export function printJunk(result) {
  const rows = [
    { name: "without", ...result.without },
    { name: "with", ...result.during },
  ];
  const from = `${result.forgedPerSecond} of them from the calls' own addresses`;
  print(`${result.calls} calls under ${result.perSecond} junk datagrams a second, ${from}`, rows, [
    ["junk", (r) => r.name],
    ["CPU % of a core", (r) => r.programPercent],
    ["gap p99", (r) => r.gapMs.p99.toFixed(1)],
    ["loss % out / in", (r) => `${r.lossPercent} / ${r.inboundLossPercent}`],
    ["calls lost", (r) => r.callsLost],
  ]);
}

export function printTalk(rows) {
  print("What is done with a call's audio", rows, [
    ["calls", (r) => r.calls],
    ["audio", (r) => r.name],
    ["CPU ms / call-s", (r) => r.cpuMsPerCallSecond.toFixed(2)],
    ["calls / core", (r) => r.callsPerCore],
    ["heard %", (r) => (r.heardPercent > 0 ? r.heardPercent : "-")],
    ["bytes / packet out", (r) => r.bytesPerPacket],
    ["gap p99", (r) => r.gapMs.p99.toFixed(1)],
    ["loss % out / in", (r) => `${r.lossPercent} / ${r.inboundLossPercent}`],
    ["CPU % program / load", (r) => `${r.programPercent} / ${r.loadPercent}${r.isDisturbed ? " *" : ""}`],
  ]);
  for (const { calls, cpuMsPerCallSecond } of rows.filter(({ kind }) => kind === "bridge")) {
    const pairMs = 2 * cpuMsPerCallSecond;
    const pairsPerCore = Math.round(1_000 / pairMs);
    console.log(
      `A bridged pair, at ${calls} calls: ${pairMs.toFixed(2)} ms a second, ${pairsPerCore} pairs a core.`,
    );
  }
  console.log("");
  printDisturbance(rows);
}

export function printGateway(rows) {
  print("The whole gateway, from the webhook on (times p50 / p95)", rows, [
    ["calls", (r) => r.calls],
    ["webhook → 200", (r) => pair(r.webhookTo200Ms)],
    ["webhook → answer", (r) => pair(r.webhookToAnswerMs)],
    ["webhook → first RTP", (r) => pair(r.webhookToFirstRtpMs)],
    ["CPU ms / call-s", (r) => r.cpuMsPerCallSecond],
    ["gap p99", (r) => r.gapP99Ms],
    ["lost", (r) => r.packetsLost],
    ["slots skipped", (r) => r.slotsSkipped],
  ]);
}

export function printDurability({ webhooks, outbox, start, density }) {
  print("Webhooks that are on the disk before their 200 (ms)", webhooks, [
    ["of", (r) => r.of],
    ["webhooks / s", (r) => r.perSecond],
    ["webhooks", (r) => r.webhooks],
    ["median", (r) => r.medianMs.toFixed(2)],
    ["p99", (r) => r.p99Ms.toFixed(2)],
    ["longest", (r) => r.maxMs.toFixed(1)],
    ["refused", (r) => r.refused],
    ["CPU % of a core", (r) => r.programPercent],
  ]);
  const rows = [
    [
      "events through the outbox",
      `${outbox.perSecond} a second`,
      `${outbox.received} of ${outbox.calls} calls, one endpoint`,
    ],
    ["start to ready, with a new database", `${start.firstMs} ms`, "`ringback serve`, `/readyz`"],
    [
      "start to ready, median",
      `${start.medianMs} ms`,
      `${start.starts - 1} more, the longest ${start.worstMs} ms`,
    ],
    ["CPU ms / call-s with the store", density.withMs.toFixed(2), `${density.calls} calls`],
    ["CPU ms / call-s without", density.withoutMs.toFixed(2), `${density.calls} calls, at the same time`],
    ["with / without", density.ratio.toFixed(3), `by round: ${density.rounds.join(", ")}`],
  ];
  print("What else the store costs", rows, [
    ["what", ([what]) => what],
    ["figure", ([, figure]) => figure],
    ["of", ([, , of]) => of],
  ]);
}

export function printVerdicts(verdicts) {
  if (verdicts.length === 0) return;
  console.log("## What was asked for\n");
  for (const { kind, text, holds, figure } of verdicts) {
    console.log(`- ${kind}: ${text}: ${holds ? "yes" : "NO"} (${figure})`);
  }
  console.log("");
}

function print(title, rows, columns) {
  const cells = [
    columns.map(([name]) => name),
    ...rows.map((row) => columns.map(([, pick]) => String(pick(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const toLine = (line) => `| ${line.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  console.log(`## ${title}\n`);
  console.log(toLine(cells[0]));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const line of cells.slice(1)) console.log(toLine(line));
  console.log("");
}

function printDisturbance(rows) {
  if (!rows.some((row) => row.isDisturbed)) return;
  console.log("\\* other programs were at work on these cores: measure again on a quiet machine.\n");
}

function pair({ p50, p95 }) {
  return `${p50.toFixed(1)} / ${p95.toFixed(1)}`;
}
