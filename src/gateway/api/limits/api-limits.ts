/** How fast something may be asked for: `burst` at once, `perSecond` in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Bounds of the API (docs/api.md has them for its users). */
export interface ApiLimits {
  /** Of a request's body. Default 256 KiB. */
  readonly bodyBytes: number;
  /** For the head of a request, in ms. Default 5 000. */
  readonly headersTimeoutMs: number;
  /** For a whole request, in ms: slow bodies are cut. Default 15 000. */
  readonly requestTimeoutMs: number;
  /** Requests that wait for their answer at the same time; further ones get 503. Streams do not count. Default 256. */
  readonly maxInFlight: number;
  /** Connections at the same time. Default 2 048. */
  readonly maxConnections: number;
  readonly perKey: Rate;
  readonly perAddress: Rate;
  /** Failed authentications of an address. */
  readonly failures: Rate;
  /** Commands of a call whose outcome is not known yet. Default 32. */
  readonly pendingCommands: number;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  bodyBytes: 262_144,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  maxInFlight: 256,
  maxConnections: 2_048,
  perKey: { burst: 200, perSecond: 50 },
  perAddress: { burst: 400, perSecond: 100 },
  failures: { burst: 20, perSecond: 0.2 },
  pendingCommands: 32,
};
