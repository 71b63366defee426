/** One `x=value` line. `line` counts from 1 in the text it was read from; 0 when it was added since. */
export interface SdpLine {
  /** The letter before the equals sign. */
  readonly type: string;
  readonly value: string;
  readonly line: number;
}

/** An `m=` line (RFC 8866 §5.14) and the lines that belong to it. */
export interface SdpMedia {
  readonly kind: string;
  readonly port: number;
  /** The number after `port/`, null when there is none. */
  readonly portCount: number | null;
  readonly profile: string;
  readonly formats: readonly string[];
  readonly lines: readonly SdpLine[];
  readonly line: number;
}

/** SDP as its syntax has it: nothing is interpreted, unknown lines are kept. */
export interface SdpDocument {
  /** The lines before the first `m=`, `v=0` included. */
  readonly session: readonly SdpLine[];
  readonly media: readonly SdpMedia[];
}

/** A value and the line it stands on. */
export interface Located<T> {
  readonly value: T;
  readonly line: number;
}
