import type { SdpDocument } from "./sdp-document.ts";

/** One thing that was done to a document. */
export interface Change {
  /** Line of the text that was given; null when nothing stood there. */
  readonly line: number | null;
  readonly action: "dropped" | "replaced" | "added";
  readonly message: string;
}

export interface Mended {
  readonly document: SdpDocument;
  readonly changes: readonly Change[];
}
