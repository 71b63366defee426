// What the transport has to reach, judged by this run's figures alone.
const OURS = "ringback";
const REQUIRED_CALLS_PER_CORE = 700;
const GOAL_CALLS_PER_CORE = 1_000;
const JUDGED_AT_CALLS = 200;
const GOAL_FIRST_RTP_MS = 20;
const GOAL_SETUP_CPU_MS = 1;
const GOAL_KB_PER_CALL = 100;
const GOAL_GAP_P99_MS = 22;
const GOAL_LIVE_CALLS_PER_CORE = 100;
/** What is decoded of what comes in: less, and the figure is one of other work. */
const HEARD_PERCENT = 98;
const GOAL_JOURNAL = { perSecond: 100, p99Ms: 10 };
const GOAL_START_MS = 1_500;
/** What the store may add to the cost of a call. */
const STORE_SHARE = 0.05;
/** Junk may move the gaps by so much before calls count as disturbed. */
const JUNK_GAP_MS = 2;

/** Columns in which less is better. */
const COLUMNS = [
  { name: "CPU per call-second", pick: (row) => row.cpuMsPerCallSecond },
  { name: "offer → answer p50", pick: (row) => row.answerMs.p50 },
  { name: "offer → answer p95", pick: (row) => row.answerMs.p95 },
  { name: "offer → first RTP p50", pick: (row) => row.firstRtpMs.p50 },
  { name: "offer → first RTP p95", pick: (row) => row.firstRtpMs.p95 },
  { name: "memory per call", pick: (row) => row.kbPerCall },
  { name: "gap p99", pick: (row) => row.gapMs.p99 },
];

/** The same, of calls that come one after the other. */
const SETUP_COLUMNS = [
  { name: "setup CPU", pick: (row) => row.setupCpuMs },
  { name: "offer → answer p50", pick: (row) => row.answerMs.p50 },
  { name: "offer → first RTP p50", pick: (row) => row.firstRtpMs.p50 },
];

export function judge({
  sideBySide = [],
  setup = [],
  mostCalls = [],
  junk = null,
  talk = [],
  gateway = [],
  durability = null,
}) {
  return [
    ...judgeDensity(sideBySide),
    ...judgeAhead(sideBySide, setup, mostCalls),
    ...judgeSetup(setup),
    ...judgeMemory(sideBySide),
    ...judgeGap(sideBySide, mostCalls),
    ...judgeFirstRtp(gateway),
    ...judgeJunk(junk),
    ...judgeTalk(talk),
    ...judgeDurability(durability),
  ];
}

function judgeDensity(rows) {
  const ours = find(rows, OURS, JUDGED_AT_CALLS);
  if (ours === undefined) return [];
  const verdict = (kind, least) => ({
    kind,
    text: `${least} calls a core at ${JUDGED_AT_CALLS} calls`,
    holds: ours.callsPerCore >= least,
    figure: String(ours.callsPerCore),
  });
  return [verdict("required", REQUIRED_CALLS_PER_CORE), verdict("goal", GOAL_CALLS_PER_CORE)];
}

function judgeAhead(rows, setup, mostCalls) {
  const others = new Set([...rows, ...setup, ...mostCalls].map((row) => row.program));
  if (!others.delete(OURS)) return [];
  return [...others].map((other) => {
    const behind = [
      ...rows.filter((row) => row.program === other).flatMap((row) => columnsBehind(rows, row)),
      ...setupBehind(setup, other),
      ...mostCallsBehind(mostCalls, other),
    ];
    return {
      kind: "required",
      text: `ahead of ${other} in every column`,
      holds: behind.length === 0,
      figure: behind.length === 0 ? "all" : `not in: ${behind.join("; ")}`,
    };
  });
}

function setupBehind(setup, other) {
  const [ours, theirs] = [OURS, other].map((name) => setup.find((row) => row.program === name));
  if (ours === undefined || theirs === undefined) return [];
  return SETUP_COLUMNS.filter(({ pick }) => pick(ours) >= pick(theirs)).map(
    ({ name, pick }) => `${name}, one call after the other (${pick(ours)}, theirs ${pick(theirs)})`,
  );
}

function mostCallsBehind(mostCalls, other) {
  const [ours, theirs] = [OURS, other].map((name) => mostCalls.find((row) => row.program === name));
  if (ours === undefined || theirs === undefined || ours.calls > theirs.calls) return [];
  return [`most calls (${ours.calls}, theirs ${theirs.calls})`];
}

function columnsBehind(rows, theirs) {
  const ours = find(rows, OURS, theirs.calls);
  if (ours === undefined) return [];
  const behind = COLUMNS.filter(({ pick }) => pick(ours) >= pick(theirs)).map(
    ({ name, pick }) => `${name} at ${theirs.calls} (${pick(ours)}, theirs ${pick(theirs)})`,
  );
  // There is nothing ahead of no loss.
  const loss = (row) => Math.max(row.lossPercent, row.inboundLossPercent);
  if (loss(ours) > loss(theirs))
    behind.push(`loss at ${theirs.calls} (${loss(ours)} %, theirs ${loss(theirs)} %)`);
  return behind;
}

function judgeSetup(setup) {
  const ours = setup.find((row) => row.program === OURS);
  if (ours === undefined) return [];
  return [
    {
      kind: "goal",
      text: `setup under ${GOAL_SETUP_CPU_MS} ms of CPU`,
      holds: ours.setupCpuMs < GOAL_SETUP_CPU_MS,
      figure: `${ours.setupCpuMs} ms`,
    },
  ];
}

function judgeMemory(rows) {
  const ours = find(rows, OURS, JUDGED_AT_CALLS);
  if (ours === undefined) return [];
  return [
    {
      kind: "goal",
      text: `under ${GOAL_KB_PER_CALL} KB a call at ${JUDGED_AT_CALLS} calls`,
      holds: ours.kbPerCall < GOAL_KB_PER_CALL,
      figure: `${ours.kbPerCall} KB`,
    },
  ];
}

/** Half load: the measured size that is nearest to half of the most calls. */
function judgeGap(rows, mostCalls) {
  const most = mostCalls.find((result) => result.program === OURS);
  if (most === undefined || most.calls === 0) return [];
  const half = most.calls / 2;
  const sizes = [...rows.filter((row) => row.program === OURS), ...most.steps.filter((step) => step.gapMs)];
  const [nearest] = sizes.toSorted((a, b) => Math.abs(a.calls - half) - Math.abs(b.calls - half));
  return [
    {
      kind: "goal",
      text: `gap p99 under ${GOAL_GAP_P99_MS} ms at half load (${nearest.calls} calls)`,
      holds: nearest.gapMs.p99 < GOAL_GAP_P99_MS,
      figure: `${nearest.gapMs.p99} ms`,
    },
  ];
}

function judgeFirstRtp(rows) {
  return rows.map(({ calls, webhookToFirstRtpMs: { p50, p95 } }) => ({
    kind: "goal",
    text: `first RTP within ${GOAL_FIRST_RTP_MS} ms of the webhook, ${calls} calls`,
    holds: p95 <= GOAL_FIRST_RTP_MS,
    figure: `p50 ${p50} ms, p95 ${p95} ms`,
  }));
}

function judgeJunk(result) {
  if (result === null) return [];
  const { without, during } = result;
  const isLossFree =
    during.lossPercent <= without.lossPercent && during.inboundLossPercent <= without.inboundLossPercent;
  const isSteady = during.gapMs.p99 <= without.gapMs.p99 + JUNK_GAP_MS && during.callsLost === 0;
  const gaps = `gap p99 ${without.gapMs.p99} → ${during.gapMs.p99} ms`;
  return [
    {
      kind: "required",
      text: `${result.perSecond} junk datagrams a second leave ${result.calls} calls undisturbed`,
      holds: isLossFree && isSteady,
      figure: `${gaps}, loss ${during.lossPercent} % out, ${during.inboundLossPercent} % in, CPU +${result.cpuPercent} % of a core`,
    },
  ];
}

function judgeTalk(rows) {
  return rows
    .filter(({ kind }) => kind === "live")
    .map(({ calls, callsPerCore, heardPercent }) => ({
      kind: "goal",
      text: `${GOAL_LIVE_CALLS_PER_CORE} calls a core for live encode plus decode, at ${calls} calls`,
      holds: callsPerCore >= GOAL_LIVE_CALLS_PER_CORE && heardPercent >= HEARD_PERCENT,
      figure: `${callsPerCore}, ${heardPercent} % of the audio heard`,
    }));
}

function judgeDurability(result) {
  if (result === null) return [];
  const { webhooks, start, density } = result;
  const { p99Ms, refused } = webhooks.find(
    ({ of, perSecond }) => of === "calls" && perSecond === GOAL_JOURNAL.perSecond,
  );
  return [
    {
      kind: "goal",
      text: `webhook to 200 with the journal: p99 under ${GOAL_JOURNAL.p99Ms} ms at ${GOAL_JOURNAL.perSecond} a second`,
      holds: p99Ms < GOAL_JOURNAL.p99Ms && refused === 0,
      figure: `${p99Ms} ms`,
    },
    {
      kind: "goal",
      text: `ready within ${GOAL_START_MS} ms of the start`,
      holds: Math.max(start.firstMs, start.medianMs) < GOAL_START_MS,
      figure: `${start.firstMs} ms with a new database, then ${start.medianMs} ms`,
    },
    {
      kind: "required",
      text: `the store adds no more than ${STORE_SHARE * 100} % to what a call costs`,
      holds: density.ratio <= 1 + STORE_SHARE,
      figure: `${round((density.ratio - 1) * 100)} %`,
    },
  ];
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function find(rows, program, calls) {
  return rows.find((row) => row.program === program && row.calls === calls);
}
