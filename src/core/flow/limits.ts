/** What a flow may be and do. The checker and the interpreter hold it to the same numbers (docs/flows.md has the table). */
export const FLOW_LIMITS = {
  /** Of a document, in UTF-8. */
  documentBytes: 262_144,
  /** Steps of a document, those of branches included. */
  steps: 1_000,
  /** Lists of steps in each other: branches in branches. The document's own list is the first. */
  nesting: 8,
  /** Steps that one call performs, skipped ones included. */
  stepsPerCall: 1_000,
  /** Redirects that one call follows. */
  redirects: 20,
  /** Steps in which no time passes, after which no step may come again. */
  stepsWithoutPause: 20,
  idChars: 64,
  /** Of a text to be spoken. */
  textChars: 5_000,
  urlChars: 2_048,
  pathChars: 1_024,
  /** Parts of a source. */
  sources: 32,
  /** In one step, and of one call. */
  tags: 64,
  tagChars: 256,
  holidays: 400,
  /** Ranges of one entry of opening hours. */
  ranges: 24,
  dialTargets: 20,
} as const;

/** A step that takes less is taken for one in which no time passes. One packet is as long. */
export const PAUSE_MS = 20;
