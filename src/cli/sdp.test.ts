import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { readSample, roleOf, sampleNames } from "../../test/fixtures/sdp/samples.ts";
import { SDP_RULES } from "../core/sdp/index.ts";
import type { CliIo } from "./io.ts";
import { addSdpCommands } from "./sdp.ts";

interface Run {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

/** Runs `ringback sdp …` over files in memory. */
async function runSdp(args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Run> {
  let out = "";
  let err = "";
  let exitCode = 0;
  const io: CliIo = {
    readFile: async (path) => files[path] ?? readSample(path),
    out: (line) => {
      out += `${line}\n`;
    },
    write: (text) => {
      out += text;
    },
    err: (line) => {
      err += `${line}\n`;
    },
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  const program = new Command().exitOverride();
  addSdpCommands(program, io);
  await program.parseAsync(["sdp", ...args], { from: "user" });
  return { out, err, exitCode };
}

const offer = "live-uic-offer-by-meta-20261002";

describe("sdp check", () => {
  test("a clean file is said to be clean, and the exit code is 0", async () => {
    const { out, exitCode } = await runSdp(["check", "pion-answer-active", "--offer", offer]);
    expect(out).toBe("Read as an answer (there is an offer).\nClean: WhatsApp takes this SDP.\n");
    expect(exitCode).toBe(0);
  });

  test("errors are shown with line, rule, reason and mend, and the exit code is 1", async () => {
    const { out, exitCode } = await runSdp(["check", "aiortc-answer"]);
    expect(out).toContain('line 21: error: The fingerprint\'s algorithm is "sha-384". [fingerprint-sha256]');
    expect(out).toContain("  | a=fingerprint:sha-384 D3:E7:A3:");
    expect(out).toContain("  why:  One sha-384 or sha-512 line makes WhatsApp refuse");
    expect(out).toContain("  mend: Drop the a=fingerprint lines that are not sha-256.");
    expect(out).toContain("2 errors, 1 warning. WhatsApp would refuse this SDP.");
    expect(exitCode).toBe(1);
  });

  test("warnings alone leave the exit code at 0", async () => {
    const { out, exitCode } = await runSdp(["check", "pion-answer"]);
    expect(out).toContain("0 errors, 1 warning. WhatsApp takes this SDP.");
    expect(exitCode).toBe(0);
  });

  test("the role is inferred from a=setup unless it is given", async () => {
    expect((await runSdp(["check", "chromium-offer"])).out).toContain(
      "Read as an offer (it says a=setup:actpass",
    );
    const asAnswer = await runSdp(["check", "chromium-offer", "--as", "answer"]);
    expect(asAnswer.out).toContain("[setup-answer]");
    expect(asAnswer.exitCode).toBe(1);
  });

  test("JSON has the findings and the verdict", async () => {
    const { out, exitCode } = await runSdp(["check", "aiortc-answer", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      as: "answer",
      accepted: false,
      findings: [
        { rule: "telephone-event-missing" },
        { rule: "fingerprint-sha256", line: 21, why: expect.stringContaining("makes WhatsApp refuse") },
        { line: 22 },
      ],
    });
    expect(exitCode).toBe(1);
  });

  test("unreadable text is a finding", async () => {
    const { out, exitCode } = await runSdp(["check", "-"], { "-": "v=0\\r\\no=- 1 1 IN IP4 0.0.0.0" });
    expect(out).toContain("decode the JSON string first");
    expect(exitCode).toBe(1);
  });

  test("passwords and keys are hidden, and nothing reaches the terminal that it would act on", async () => {
    const text = readSample("pion-answer-active")
      .replace(/a=ice-pwd:.*/, "a=ice-pwd:hush*")
      .replace("a=sendrecv", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:hush\r\na=candidate:\u001B[2J");
    const { out } = await runSdp(["check", "-"], { "-": text });
    expect(out).toContain("a=ice-pwd:(hidden)");
    expect(out).toContain("a=crypto:(hidden)");
    expect(out).not.toContain("hush");
    expect(out).not.toContain("\u001B");
  });

  test("standard input cannot be both files", async () => {
    await expect(runSdp(["check", "-", "--offer", "-"])).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("sdp fix", () => {
  const answers = sampleNames.filter((name) => roleOf(name) === "answer" && !name.includes("masked"));

  test.each(answers)("%s is fixed, and the result passes the check", async (name) => {
    const { out, exitCode } = await runSdp(["fix", name]);
    expect(exitCode).toBe(0);
    const again = await runSdp(["check", "fixed"], { fixed: out });
    expect(again.exitCode).toBe(0);
    expect((await runSdp(["fix", "fixed"], { fixed: out })).out).toBe(out);
  });

  test("standard output has the SDP and nothing else, standard error what was changed", async () => {
    const { out, err } = await runSdp(["fix", "aiortc-answer"]);
    expect(out).toBe(readSample("aiortc-answer").replace(/a=fingerprint:sha-(?:384|512).*\r\n/g, ""));
    expect(err).toContain("line 21: dropped: The fingerprint that is not sha-256. [fingerprint-sha256]");
  });

  test("a role that only the stack can change is left, with the advice", async () => {
    const { out, err } = await runSdp(["fix", "pion-answer"]);
    expect(out).toBe(readSample("pion-answer"));
    expect(err).toContain("Nothing to change.");
    expect(err).toContain("SetAnsweringDTLSRole");
  });

  test.each([
    ["meta-doc-sip-bic-sdes-answer-by-meta-202505-masked", "Set srtp_key_exchange_protocol to DTLS"],
    ["meta-doc-sip-uic-dtls-offer-by-meta-202503-masked", "masked"],
  ])("%s cannot be fixed, and the reason is said", async (name, reason) => {
    const { out, err, exitCode } = await runSdp(["fix", name]);
    expect(out).toBe("");
    expect(err).toContain("Cannot be fixed: ");
    expect(err).toContain(reason);
    expect(exitCode).toBe(1);
  });
});

test("sdp rules prints every rule with its source, as text and as JSON", async () => {
  const { out } = await runSdp(["rules"]);
  for (const { id, source } of SDP_RULES) {
    expect(out).toContain(`${id} (`);
    expect(out).toContain(source);
  }
  expect(JSON.parse((await runSdp(["rules", "--json"])).out)).toEqual(SDP_RULES);
});
