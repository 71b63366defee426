import { isAbsolute, resolve } from "node:path";
import {
  compileFlow,
  type FlowDocument,
  type FlowSource,
  type FlowSourceItem,
  type FlowStep,
} from "../../core/flow/index.ts";
import { RingbackError } from "../../errors.ts";
import type { PlaySource } from "../verbs/types.ts";

export interface SourcePlace {
  /** Where relative paths begin; null: the working directory. */
  readonly folder: string | null;
  /** The document came from elsewhere: it may name files in the folder and below it alone. */
  readonly isRemote: boolean;
}

/**
 * What a flow names, as a call plays it.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE` for a file that is not to be read.
 */
export function toPlaySources(source: FlowSource, place: SourcePlace): readonly PlaySource[] {
  const items = (Array.isArray(source) ? source : [source]) as readonly FlowSourceItem[];
  return items.map((item) => (typeof item === "string" ? locate(item, place) : item));
}

/** Files, tones and words of a flow, each once: what can be made ready before a call needs it. */
export function soundsOf(flow: FlowDocument, folder: string): readonly PlaySource[] {
  const sounds = new Map<string, PlaySource>();
  for (const { step } of compileFlow(flow).nodes) {
    const source = sourceOf(step);
    if (source === undefined) continue;
    // What a URL gives may be another thing by then.
    const items = toPlaySources(source, { folder, isRemote: false }).filter((item) => !isUrl(item));
    for (const item of items) sounds.set(JSON.stringify(item), item);
  }
  return [...sounds.values()];
}

function sourceOf(step: FlowStep): FlowSource | undefined {
  if (step.verb === "play") return step.source;
  if (step.verb === "gather") return step.prompt;
  if (step.verb === "record") return step.announcement;
  if (step.verb !== "say") return undefined;
  const { text, voice, language } = step;
  return {
    say: text,
    ...(voice === undefined ? {} : { voice }),
    ...(language === undefined ? {} : { language }),
  };
}

function isUrl(source: PlaySource): boolean {
  return typeof source === "string" && /^https?:\/\//i.test(source);
}

function locate(text: string, { folder, isRemote }: SourcePlace): string {
  if (isUrl(text)) return text;
  if (isRemote && (folder === null || leavesItsFolder(text))) {
    throw new RingbackError(
      "MEDIA_FILE_UNUSABLE",
      "A document of a redirect may name files in the flow's folder alone.",
      { details: { path: text, reason: "unreadable" } },
    );
  }
  return folder === null ? text : resolve(folder, text);
}

/** Another server must not have files played that it was not given: recordings, for instance. */
function leavesItsFolder(path: string): boolean {
  const isElsewhere = isAbsolute(path) || /^[\\/]|^[A-Za-z]:/.test(path);
  return isElsewhere || path.split(/[\\/]/).includes("..");
}
