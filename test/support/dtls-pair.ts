import { createHash, randomBytes } from "node:crypto";
import {
  DtlsAssociation,
  type DtlsEndReason,
  type DtlsOptions,
  type DtlsResult,
  type DtlsRole,
} from "../../src/core/transport/dtls/dtls-association.ts";
import { createCertificate, type DtlsCertificate } from "../../src/core/transport/dtls/dtls-certificate.ts";

/** One way of the path, in virtual ms. */
const ONE_WAY_MS = 10;
/** First retransmission timeout of both sides. */
export const INITIAL_TIMEOUT_MS = 100;

export const CERTIFICATES: Readonly<Record<DtlsRole, DtlsCertificate>> = {
  client: makeCertificate(),
  server: makeCertificate(),
};

export function makeCertificate(): DtlsCertificate {
  return createCertificate({ nowMs: 1_790_000_000_000, lifetimeMs: 86_400_000, random: randomBytes });
}

export function fingerprintOf(certificate: DtlsCertificate) {
  return [{ algorithm: "sha-256", value: certificate.sha256Fingerprint }];
}

/** Random bytes that are the same in each run. */
export function seededRandom(seed: string) {
  let counter = 0;
  return (byteLength: number): Uint8Array => {
    counter += 1;
    return createHash("shake256", { outputLength: byteLength }).update(`${seed}/${counter}`).digest();
  };
}

export interface SentDatagram {
  readonly from: DtlsRole;
  /** Counts all datagrams of both sides from 0. */
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** What the path makes of a datagram: what arrives, and how late. Nothing when it is lost. */
export type Link = (
  sent: SentDatagram,
) => readonly { readonly delayMs: number; readonly bytes: Uint8Array }[];

export const PERFECT_LINK: Link = ({ bytes }) => [{ delayMs: ONE_WAY_MS, bytes }];

export function losing(...indexes: readonly number[]): Link {
  return (sent) => (indexes.includes(sent.index) ? [] : PERFECT_LINK(sent));
}

export class Endpoint {
  readonly association: DtlsAssociation;
  readonly ends: DtlsEndReason[] = [];
  readonly results: DtlsResult[] = [];
  readonly data: string[] = [];
  connectedAtMs = Number.NaN;
  /** Called from within every call of the association to its sink. */
  react: () => void = () => {};

  constructor(options: DtlsOptions, send: (bytes: Uint8Array) => void, nowMs: () => number) {
    this.association = new DtlsAssociation(options, {
      sendDtls: (bytes) => {
        send(bytes);
        this.react();
      },
      onDtlsConnected: (result) => {
        this.results.push(result);
        this.connectedAtMs = nowMs();
        this.react();
      },
      onDtlsEnd: (reason) => {
        this.ends.push(reason);
        this.react();
      },
      onDtlsData: (data) => {
        this.data.push(Buffer.from(data).toString());
        this.react();
      },
    });
  }
}

export interface PairOptions {
  readonly client?: Partial<DtlsOptions>;
  readonly server?: Partial<DtlsOptions>;
  readonly link?: Link;
}

interface Arrival {
  readonly atMs: number;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/** A client and a server back to back, in virtual time. */
export class DtlsPair {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly sent: SentDatagram[] = [];
  link: Link;
  nowMs = 0;
  #arrivals: Arrival[] = [];

  constructor({ client, server, link }: PairOptions = {}) {
    this.link = link ?? PERFECT_LINK;
    this.client = this.#open("client", client);
    this.server = this.#open("server", server);
  }

  /** Starts both sides and runs. */
  static connect(options: PairOptions = {}, untilMs = 1_000): DtlsPair {
    const pair = new DtlsPair(options);
    pair.start();
    pair.run(untilMs);
    return pair;
  }

  get isConnected(): boolean {
    return this.client.results.length === 1 && this.server.results.length === 1;
  }

  /** Time at which the later side was connected; NaN when one is not. */
  get connectedAtMs(): number {
    return Math.max(this.client.connectedAtMs, this.server.connectedAtMs);
  }

  start(): void {
    this.server.association.start(this.nowMs, INITIAL_TIMEOUT_MS);
    this.client.association.start(this.nowMs, INITIAL_TIMEOUT_MS);
  }

  /** Carries out all that is due up to `untilMs`, in order of time. */
  run(untilMs: number): void {
    for (;;) {
      const arrival = this.#arrivals[0];
      const deadlineMs = Math.min(this.client.association.deadlineMs, this.server.association.deadlineMs);
      const nextMs = Math.min(arrival?.atMs ?? Number.POSITIVE_INFINITY, deadlineMs);
      if (nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (arrival !== undefined && arrival.atMs <= deadlineMs) {
        this.#arrivals.shift();
        arrival.to.association.receive(arrival.bytes, this.nowMs);
      } else {
        for (const { association } of [this.client, this.server]) {
          if (association.deadlineMs <= this.nowMs) association.handleTimeout(this.nowMs);
        }
      }
    }
    this.nowMs = untilMs;
  }

  #open(role: DtlsRole, options: Partial<DtlsOptions> | undefined): Endpoint {
    const peer = role === "client" ? "server" : "client";
    const all = {
      role,
      certificate: CERTIFICATES[role],
      remoteFingerprints: fingerprintOf(CERTIFICATES[peer]),
      random: randomBytes,
      ...options,
    };
    return new Endpoint(
      all,
      (bytes) => this.#onSent(role, bytes),
      () => this.nowMs,
    );
  }

  #onSent(from: DtlsRole, bytes: Uint8Array): void {
    const sent = { from, index: this.sent.length, bytes: Uint8Array.from(bytes), atMs: this.nowMs };
    this.sent.push(sent);
    for (const { delayMs, bytes: arriving } of this.link(sent)) {
      const to = from === "client" ? this.server : this.client;
      this.#arrivals.push({ atMs: this.nowMs + delayMs, to, bytes: Uint8Array.from(arriving) });
    }
    this.#arrivals.sort((a, b) => a.atMs - b.atMs); // Stable: what was sent first arrives first.
  }
}
