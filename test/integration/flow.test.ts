import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  type FlowOptions,
  type FlowResult,
  type FlowSpec,
  type FlowStepRecord,
  flow,
  runFlow,
} from "../../src/index.ts";
import { type Pair, SAMPLE, startPair, until } from "./fixture.ts";

const REQUESTS = { allowHttp: true, allowedHosts: ["127.0.0.1"] };
const TONE = { tone: { frequencyHz: 800, durationMs: 300 } };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface FlowPair extends Pair {
  readonly steps: FlowStepRecord[];
  /** Of the first call. */
  readonly result: Promise<FlowResult>;
  readonly results: FlowResult[];
}

/** A gateway whose calls go through a flow. */
async function startFlow(spec: FlowSpec, options: FlowOptions = {}): Promise<FlowPair> {
  const steps: FlowStepRecord[] = [];
  const results: FlowResult[] = [];
  let resolve: (result: FlowResult) => void = () => {};
  const result = new Promise<FlowResult>((resolveResult) => {
    resolve = resolveResult;
  });
  const recordingsFolder = mkdtempSync(join(tmpdir(), "ringback-flow-"));
  cleanUps.push(() => rmSync(recordingsFolder, { recursive: true }));
  const pair = await startPair(
    async (call) => {
      const onStep = (step: FlowStepRecord): void => void steps.push(step);
      results.push(await runFlow(call, spec, { ...options, requests: REQUESTS, onStep }));
      if (results[0] !== undefined) resolve(results[0]);
    },
    { gateway: { requests: REQUESTS, recordingsFolder } },
  );
  cleanUps.push(() => pair[Symbol.asyncDispose]());
  return Object.assign(pair, { steps, result, results });
}

type Listener = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Somebody's server, which gives steps and takes recordings. */
async function serve(listener: Listener): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => listener(request, response, Buffer.concat(chunks).toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function outcomes(steps: readonly FlowStepRecord[]): readonly string[] {
  return steps.map(({ id, index, outcome }) => `${id ?? index} ${outcome}`);
}

test("a menu: the caller breaks into the prompt with a wrong key, is asked again, and gets what was chosen", async () => {
  const spec = flow()
    .gather({
      id: "menu",
      prompt: SAMPLE,
      retries: 1,
      on: { 1: flow().play(TONE, { id: "one" }), timeout: "end" },
    })
    .play("missing.mp3", { id: "missing" })
    .hangup({ id: "bye" });
  const { simulator, steps, result } = await startFlow(spec);
  const phone = await simulator.call();
  await phone.accepted;
  await phone.media.firstRtp;
  await phone.sendDigits("9w1");
  expect(await result).toMatchObject({ reason: "completed", steps: 4 });
  expect(outcomes(steps)).toEqual(["menu digits", "one completed", "missing failed", "bye completed"]);
  expect(steps[0]).toMatchObject({ digits: "1", attempts: 2 });
  expect((await phone.ended).endedBy).toBe("business");
});

test("a caller who hangs up in the middle of a prompt ends the flow", async () => {
  const { simulator, steps, result, gateway } = await startFlow(
    flow().gather({ prompt: SAMPLE, retries: 5 }).hangup(),
  );
  const phone = await simulator.call();
  await phone.media.firstRtp;
  phone.hangUp();
  expect(await result).toMatchObject({ reason: "hangup" });
  expect(outcomes(steps)).toEqual(["0 hangup"]);
  await until(() => gateway.status.calls === 0);
});

test("a voicemail that the caller hangs up on reaches its server, with the recording", async () => {
  let posted = "";
  const url = await serve((_, response, body) => {
    posted = body;
    response.end();
  });
  const spec = flow()
    .record({ id: "mailbox", consent: "announce", announcement: TONE, beep: false, postTo: url })
    .hangup();
  const { simulator, steps, result } = await startFlow(spec);
  const phone = await simulator.call({ voice: { type: "tone", frequencyHz: 440 }, hangUpAfterMs: 4_000 });
  await phone.ended;
  expect(await result).toMatchObject({ reason: "hangup" });
  expect(steps).toMatchObject([
    { id: "mailbox", outcome: "hangup", recording: { status: "completed", consent: { state: "announced" } } },
  ]);
  expect(posted).toContain('"consent":{"mode":"announce","state":"announced"');
  expect(posted).toContain("OggS");
});

test("a server gives the next steps, for what was pressed", async () => {
  const events: unknown[] = [];
  const url = await serve((_, response, body) => {
    events.push(JSON.parse(body));
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify([
        { verb: "play", id: "remote", source: TONE },
        { verb: "play", source: SAMPLE },
      ]),
    );
  });
  const spec = flow().tag({ language: "de" }).gather({ id: "number", maxDigits: 2 }).redirect(url);
  const { simulator, steps, result } = await startFlow(spec);
  const phone = await simulator.call();
  await phone.accepted;
  await phone.media.firstRtp;
  await phone.sendDigits("42");
  expect(await result).toMatchObject({ reason: "completed", tags: { language: "de" } });
  expect(events).toMatchObject([
    {
      version: 1,
      step: { id: "number", outcome: "digits", digits: "42" },
      tags: { language: "de" },
      call: { phoneNumberId: simulator.phoneNumbers[0]?.id },
    },
  ]);
  // An absolute path is none of the server's business.
  expect(outcomes(steps)).toEqual([
    "0 completed",
    "number digits",
    "2 completed",
    "remote completed",
    "1 failed",
  ]);
});

test("a server that fails in one way after another leaves a flow that goes on", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/500") response.writeHead(500).end();
    else if (request.url === "/html") response.setHeader("content-type", "text/html").end("<h1>Login</h1>");
    else if (request.url === "/large") response.end("x".repeat(10_000_000));
    // Otherwise it never answers.
  });
  const spec = flow().answer();
  for (const path of ["500", "html", "large"]) spec.redirect(url + path, { id: `r${path}` });
  spec.redirect(`${url}never`, { id: "never" });
  const { simulator, steps, result } = await startFlow(spec);
  const phone = await simulator.call();
  await until(() => steps.length === 4, 10_000);
  expect(outcomes(steps)).toEqual(["0 completed", "r500 failed", "rhtml failed", "rlarge failed"]);
  phone.hangUp();
  expect(await result).toMatchObject({ reason: "hangup", steps: 5 });
});

test("calls that are hung up at any time leave no recording open and no call behind", async () => {
  const spec = flow()
    .answer()
    .play(TONE)
    .record({ consent: "none", beep: false, maxMs: 1_000 })
    .gather({ prompt: SAMPLE });
  const { simulator, gateway, results } = await startFlow(spec);
  const phones = await Promise.all(
    [1, 150, 350, 700, 1_200, 1_800].map((hangUpAfterMs, i) =>
      simulator.call({ from: `1555000200${i}`, hangUpAfterMs }),
    ),
  );
  await Promise.all(phones.map((phone) => phone.ended));
  await until(() => results.length === phones.length);
  expect(results.map(({ reason }) => reason)).toEqual(phones.map(() => "hangup"));
  await until(() => gateway.status.calls === 0);
});
