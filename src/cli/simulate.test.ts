import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Command } from "commander";
import { expect, test } from "vitest";
import { callsOf, readSdp } from "../../test/simulator/fixture.ts";
import type { CliIo } from "./io.ts";
import { addSimulateCommand } from "./simulate.ts";

interface Run {
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly exitCode: number | null;
}

/** Runs the command to its end, and shows each line to `onLine` as it comes. */
async function run(args: readonly string[], onLine: (line: string) => void = () => {}): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  let exitCode: number | null = null;
  const io: CliIo = {
    readFile: () => Promise.reject(new Error("not used")),
    write: (text) => void out.push(text),
    out: (line) => {
      out.push(line);
      onLine(line);
    },
    err: (line) => {
      err.push(line);
      onLine(line);
    },
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addSimulateCommand(program, io);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(["simulate", "--graph-port", "0", ...args], { from: "user" });
  return { out, err, exitCode };
}

interface Step {
  readonly action: string;
  readonly sdp?: string;
  readonly token?: string;
  /** How long the answer is waited for, in ms. */
  readonly patienceMs?: number;
}

/** Runs the command against a program that answers each call with these requests to the Graph API. */
async function runAgainst(
  steps: readonly Step[],
  args: readonly string[] = [],
  webhookStatus = 200,
): Promise<Run> {
  let graphUrl = "";
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(webhookStatus).end();
      for (const call of callsOf(Buffer.concat(chunks))) {
        if (call.event === "connect") void answer(graphUrl, call.id, steps);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  try {
    return await run(["--webhook", `http://127.0.0.1:${port}/webhook`, ...args], (line) => {
      graphUrl = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? graphUrl;
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

async function answer(graphUrl: string, callId: string, steps: readonly Step[]): Promise<void> {
  for (const { action, sdp, token = "simulator-token", patienceMs = 10_000 } of steps) {
    const session = sdp === undefined ? {} : { session: { sdp_type: "answer", sdp } };
    await fetch(`${graphUrl}/v26.0/100000000000001/calls`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ messaging_product: "whatsapp", call_id: callId, action, ...session }),
      signal: AbortSignal.timeout(patienceMs),
    }).catch(() => null);
  }
}

const goodAnswer = readSdp("aiortc-answer-fixed");

test("a call through a bad network reports what that lost", async () => {
  const { out } = await runAgainst([{ action: "reject" }], ["--loss", "5", "--jitter", "60", "--seed", "7"]);
  expect(out).toContain("  network          lost 0 of 0 datagrams to the program, 0 of 0 to the caller");
});

test("a webhook that nobody serves gives the line that starts the program under test", async () => {
  const { err, exitCode } = await run(["--webhook", "http://127.0.0.1:9/webhook"]);
  expect(exitCode).toBe(1);
  expect(err.join("\n")).toMatch(
    /GRAPH_API_URL=http:\/\/127\.0\.0\.1:\d+ WHATSAPP_TOKEN=simulator-token WHATSAPP_PHONE_NUMBER_ID=100000000000001 WHATSAPP_APP_SECRET=simulator-app-secret /,
  );
});

test("a secret of the user's own is not repeated", async () => {
  const { err } = await run(["--webhook", "http://127.0.0.1:9/webhook", "--app-secret", "0123secret"]);
  expect(err.join("\n")).toContain("WHATSAPP_APP_SECRET=(your --app-secret)");
  expect(err.join("\n")).not.toContain("0123secret");
});

test("a refused answer is the reason, in Meta's words", async () => {
  const { out, err, exitCode } = await runAgainst([
    { action: "pre_accept", sdp: readSdp("aiortc-answer-unfixed-3fp") },
    { action: "reject" },
  ]);
  expect(exitCode).toBe(1);
  expect(err).toEqual(["pre_accept refused with HTTP 400: Fingerprint algo is not SHA256"]);
  expect(out.some((line) => / ms {2}pre_accept refused with HTTP 400/.test(line))).toBe(true);
});

test("a fault is the reason for a call that was not accepted", async () => {
  const { err, exitCode } = await runAgainst(
    [{ action: "accept", sdp: goodAnswer }, { action: "terminate" }],
    ["--fault", "accept:refuse"],
  );
  expect(exitCode).toBe(1);
  expect(err).toEqual(["accept refused with HTTP 400: Refused by a fault of the simulator (fault refuse)"]);
});

test("an accepted call without audio says how far its media came", async () => {
  const { out, err, exitCode } = await runAgainst(
    [{ action: "accept", sdp: goodAnswer }],
    ["--hang-up-after", "1"],
  );
  expect(exitCode).toBe(1);
  expect(err).toEqual(["no RTP until the call ended (caller): no ICE check reached the phone"]);
  expect(out).toContainEqual(expect.stringMatching(/^Call COMPLETED, ended by caller, [1-9] s$/));
  expect(out).toContain("  first audio      never");
});

test("a call that a fault spoilt names the fault, whatever the program did then", async () => {
  const { err } = await runAgainst(
    [{ action: "accept", sdp: goodAnswer, patienceMs: 300 }, { action: "terminate" }],
    ["--fault", "accept:hang"],
  );
  expect(err).toEqual(["accept left without an answer (fault hang)"]);
});

test("a program with another token is told which one to take", async () => {
  const { err, exitCode } = await runAgainst([
    { action: "accept", sdp: goodAnswer, token: "mine" },
    { action: "reject" },
  ]);
  expect(exitCode).toBe(1);
  expect(err.join("\n")).toMatch(
    /accept refused with HTTP 401: .+; the program's WHATSAPP_TOKEN must be simulator-token/,
  );
});

test("a voice that is not there is the reason, and no webhook leaves", async () => {
  const { err, exitCode } = await runAgainst([], ["--audio", "/nowhere/hello.wav"]);
  expect(exitCode).toBe(1);
  expect(err).toEqual(["the phone's voice /nowhere/hello.wav is not there"]);
});

test("what was heard and cannot be written leaves the report on the screen", async () => {
  const { out, err, exitCode } = await runAgainst([{ action: "reject" }], ["--heard", "/nowhere/heard.wav"]);
  expect(exitCode).toBe(1);
  expect(out).toContain("Call FAILED, ended by rejected, 0 s");
  expect(err.at(-1)).toBe(
    "What the caller heard could not be written to /nowhere/heard.wav (ENOENT): does the folder exist?",
  );
});

test.each([
  [401, /HTTP 401: is --app-secret the app secret/],
  [404, /HTTP 404: is the path of --webhook right/],
  [503, /HTTP 503: expected 200/],
])("a webhook answered with %i says what to look at", async (status, message) => {
  const { err, exitCode } = await runAgainst([], [], status);
  expect(exitCode).toBe(1);
  expect(err.join("\n")).toMatch(message);
});

test("reports of several calls come as JSON", async () => {
  const { out, exitCode } = await runAgainst([{ action: "reject" }], ["--calls", "2", "--json"]);
  expect(exitCode).toBe(1);
  const reports: unknown = JSON.parse(out.join("\n"));
  const report = { endedBy: "rejected", status: "FAILED" };
  expect(reports).toMatchObject([
    { report, failure: "not accepted: the business rejected the call" },
    { report, failure: "not accepted: the business rejected the call" },
  ]);
});

test.each([
  [["--webhook", "localhost"], /http or https URL/],
  [["--webhook", "http://127.0.0.1:9/", "--calls", "0"], /whole number from 1 to 1000/],
  [["--webhook", "http://127.0.0.1:9/", "--loss", "101"], /whole number from 0 to 100/],
  [["--webhook", "http://127.0.0.1:9/", "--fault", "accept:sulk"], /ACTION:FAULT/],
  [["--webhook", "http://127.0.0.1:9/", "--digits", "12x"], /0-9, \*, #, A-D/],
  [["--webhook", "http://127.0.0.1:9/", "--digits", "1", "--digits-after", "10000"], /no key is pressed/],
])("a wrong argument is refused in words: %#", async (args, message) => {
  await expect(run(args)).rejects.toThrow(message);
});
