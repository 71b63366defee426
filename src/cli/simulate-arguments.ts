import { InvalidArgumentError } from "commander";
import { GRAPH_ACTIONS, type GraphFault, type GraphFaultKind, type PhoneVoice } from "../simulator/index.ts";

const DELAY_MS = 2_000;

const FAULTS: Readonly<Record<string, GraphFaultKind>> = {
  refuse: { kind: "refuse", status: 400, code: 100, details: "Refused by a fault of the simulator" },
  "server-error": { kind: "server-error" },
  hang: { kind: "hang" },
  garbage: { kind: "garbage" },
  disconnect: { kind: "disconnect" },
  delay: { kind: "delay", ms: DELAY_MS },
};

/** `accept:refuse`: the next request with this action meets this fault. */
export function parseFault(text: string): GraphFault {
  const [actionText, kindText = "", ...rest] = text.split(":");
  const action = GRAPH_ACTIONS.find((name) => name === actionText);
  const fault = Object.hasOwn(FAULTS, kindText) ? FAULTS[kindText] : undefined;
  if (action !== undefined && fault !== undefined && rest.length === 0) return { action, ...fault };
  throw new InvalidArgumentError(
    `It must be ACTION:FAULT with one of ${GRAPH_ACTIONS.join(", ")} and one of ${Object.keys(FAULTS).join(", ")}.`,
  );
}

/** `silence`, `mute`, `tone:440`, or a path. */
export function parseVoice(text: string): PhoneVoice {
  if (text === "silence" || text === "mute") return { type: text };
  const tone = /^tone:(\d{2,4})$/.exec(text)?.[1];
  return tone === undefined ? { type: "file", path: text } : { type: "tone", frequencyHz: Number(tone) };
}

/** `1w2#`. */
export function parseDigits(text: string): string {
  if (/^[0-9*#A-Da-dw]{1,256}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 256 of 0-9, *, #, A-D, and w for a wait of 500 ms.");
}

export function parseWholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
