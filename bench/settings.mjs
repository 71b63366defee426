import { parseArgs } from "node:util";
import { PROGRAM_NAMES } from "./programs.mjs";
import { SRTP_PROFILES } from "./rig.mjs";

export const PARTS = ["side-by-side", "setup", "most-calls", "junk", "talk", "gateway", "durability"];

const HELP = `npm run bench -- [options]

  --only NAMES     programs, of: ${PROGRAM_NAMES.join(", ")} (default: all)
  --calls NUMBERS  calls at the same time in the side-by-side part (default: 50,100,200,400) and in talk (default: 50)
  --seconds N      length of the steady window of each measurement (default: 10)
  --parts NAMES    of: ${PARTS.join(", ")} (default: all; with --only or --calls: side-by-side)
  --srtp NAME      gcm: AEAD_AES_128_GCM (default), cm: AES128_CM_HMAC_SHA1_80
  --cpu-prof DIR   write V8 CPU profiles of the Node programs, a file per thread
`;

/** @returns null when the help was asked for, and printed. */
export function readSettings(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: "string" },
      calls: { type: "string" },
      seconds: { type: "string", default: "10" },
      parts: { type: "string" },
      srtp: { type: "string", default: "gcm" },
      "cpu-prof": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return null;
  }
  const isNarrowed = values.only !== undefined || values.calls !== undefined;
  return {
    programs: names("--only", values.only, PROGRAM_NAMES, PROGRAM_NAMES),
    parts: names("--parts", values.parts, PARTS, isNarrowed ? ["side-by-side"] : PARTS),
    calls: counts("--calls", values.calls ?? "50,100,200,400"),
    talkCalls: counts("--calls", values.calls ?? "50"),
    seconds: count("--seconds", values.seconds),
    srtp: names("--srtp", values.srtp, Object.keys(SRTP_PROFILES), [])[0],
    profileDirectory: values["cpu-prof"] ?? null,
  };
}

function names(option, text, known, fallback) {
  if (text === undefined) return fallback;
  const given = text.split(",");
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option}: "${unknown}" is none of ${known.join(", ")}`);
  return known.filter((name) => given.includes(name));
}

function counts(option, text) {
  return text.split(",").map((one) => count(option, one));
}

export function count(option, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${option}: "${text}" is no positive number`);
  return number;
}
