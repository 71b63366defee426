import { ipVersion } from "../core/sdp/ip-version.ts";
import type { AudioDescription, DtlsSetup } from "../core/sdp/model.ts";
import {
  answerRole,
  type CallTransportOptions,
  noDrops,
  TRANSPORT_DROPS,
  type TransportDrop,
} from "../core/transport/call-transport.ts";
import type { DtlsRole } from "../core/transport/dtls/dtls-association.ts";
import type { DtlsCertificate } from "../core/transport/dtls/dtls-certificate.ts";
import type { IceCredentials } from "../core/transport/ice/ice-agent.ts";
import { RingbackError } from "../errors.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { systemTimers } from "../platform/timers.ts";
import type { MediaEngine, MediaLeg, MediaLegListener } from "./engine.ts";
import { findBinding } from "./transport-binding.ts";
import { CertificateSource } from "./transport-certificate.ts";
import { TransportDeadlines } from "./transport-deadlines.ts";
import { TRANSPORT_ENGINE_NAME, transportFailed } from "./transport-error.ts";
import { TransportLeg } from "./transport-leg.ts";
import {
  announcedAddresses,
  createIceCredentials,
  createLocalAudio,
  hostCandidates,
} from "./transport-local.ts";
import { checkTransportOptions, type TransportEngineOptions } from "./transport-options.ts";
import type { PortLease } from "./transport-port.ts";
import { TransportPorts, type TransportPortsStats } from "./transport-ports.ts";
import { offererRole, readTransportRemote, type TransportRemote } from "./transport-remote.ts";

export type { TransportEngineOptions } from "./transport-options.ts";

/** Our own media engine: every call on one UDP port. */
export interface TransportEngine extends MediaEngine {
  readonly port: number;
  /** The addresses that our SDP announces, the preferred first. */
  readonly addresses: readonly string[];
  /** Opens our side of a call that we offer, toward a peer that is known by its answer only. */
  openOffer(options: TransportOfferOptions, listener: MediaLegListener): Promise<TransportOffer>;
  /** The certificate of legs that are opened from now on. */
  useCertificate(certificate: DtlsCertificate): void;
  stats(): TransportEngineStats;
}

export interface TransportOfferOptions {
  /** We answer checks and send none (RFC 8445 §2.5). Default false. */
  readonly iceLite?: boolean;
  /** Default `actpass`. */
  readonly setup?: DtlsSetup;
}

export interface TransportOffer {
  readonly leg: MediaLeg;
  /**
   * Takes the peer's answer, once. The leg connects after it, whenever `connect` was called.
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  accept(answer: AudioDescription): Promise<void>;
}

export interface TransportEngineStats extends TransportPortsStats {
  /** Open now. */
  readonly legs: number;
  /** Of all legs so far: datagrams dropped, by reason. */
  readonly dropped: Readonly<Record<TransportDrop, number>>;
}

/**
 * Binds the port and is then ready for calls.
 *
 * @throws {RingbackError} `OPTION_INVALID`; `MEDIA_ENGINE_FAILED` when the port cannot be bound.
 */
export async function createTransportEngine(options: TransportEngineOptions = {}): Promise<TransportEngine> {
  checkTransportOptions(options);
  const binding = findBinding(options.bindAddress);
  const addresses = announcedAddresses(binding.hostAddresses, options.publicAddress ?? null);
  if (options.publicAddress !== undefined && !addresses.includes(options.publicAddress)) {
    throw new RingbackError(
      "OPTION_INVALID",
      `publicAddress must be of an IP version that this machine has an address of, which is not so for IPv${ipVersion(options.publicAddress)}: give one of the other version, or none.`,
      { details: { option: "publicAddress" } },
    );
  }
  const ports = await TransportPorts.open({
    binding,
    port: options.port ?? 0,
    extraPorts: options.extraPorts ?? null,
    logger: options.logger ?? silentLogger,
  });
  return new SharedPortEngine(options, ports, addresses);
}

/** Our side of a leg, before its place is known. */
interface Side {
  readonly isLite: boolean;
  readonly setup: DtlsSetup;
  readonly credentials: IceCredentials;
  readonly certificate: DtlsCertificate;
}

class SharedPortEngine implements TransportEngine {
  readonly name: string = TRANSPORT_ENGINE_NAME;
  readonly addresses: readonly string[];
  readonly #ports: TransportPorts;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #deadlines: TransportDeadlines;
  readonly #certificates: CertificateSource;
  readonly #legs = new Set<TransportLeg>();
  /** Of the legs that are over. */
  readonly #dropped = noDrops();
  #isClosed = false;

  constructor(options: TransportEngineOptions, ports: TransportPorts, addresses: readonly string[]) {
    this.addresses = addresses;
    this.#ports = ports;
    this.#random = options.random ?? systemRandom;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#deadlines = new TransportDeadlines(this.#clock, options.timers ?? systemTimers);
    this.#certificates = new CertificateSource(options.certificate ?? null, this.#clock, this.#random);
  }

  get port(): number {
    return this.#ports.number;
  }

  async openLeg(offer: AudioDescription, listener: MediaLegListener): Promise<MediaLeg> {
    const remote = readTransportRemote(offer, this.#ports.ipVersions);
    const { setup, role } = answerRole(offer.setup);
    const side = this.#createSide(false, setup);
    const lease = await this.#ports.lease(side.credentials.ufrag, remote.addresses);
    const leg = this.#createLeg(side, lease, listener);
    try {
      // RFC 8445 §6.1.1: of two full agents the one that offers controls, toward a lite one the full one does.
      leg.join(this.#joinOptions(side, remote, role, remote.ice.isLite), lease);
    } catch (error) {
      leg.close();
      throw error;
    }
    return leg;
  }

  async openOffer(options: TransportOfferOptions, listener: MediaLegListener): Promise<TransportOffer> {
    const side = this.#createSide(options.iceLite ?? false, options.setup ?? "actpass");
    const lease = await this.#ports.lease(side.credentials.ufrag, []);
    const leg = this.#createLeg(side, lease, listener);
    return { leg, accept: (answer) => this.#accept(side, leg, answer) };
  }

  useCertificate(certificate: DtlsCertificate): void {
    this.#certificates.use(certificate);
  }

  stats(): TransportEngineStats {
    const dropped = { ...this.#dropped };
    for (const leg of this.#legs) addDrops(dropped, leg);
    return { ...this.#ports.stats(), legs: this.#legs.size, dropped };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const leg of this.#legs) leg.close();
    await this.#ports.close();
  }

  async #accept(side: Side, leg: TransportLeg, answer: AudioDescription): Promise<void> {
    const remote = readTransportRemote(answer, this.#ports.ipVersions);
    const role = offererRole(answer.setup);
    if (!leg.isWaitingForPeer) throw notWaiting();
    const lease = await this.#ports.extend(leg.lease, remote.addresses);
    if (!leg.isWaitingForPeer) {
      if (lease !== leg.lease) lease.release();
      throw notWaiting();
    }
    const isControlling = !side.isLite || remote.ice.isLite;
    leg.join(this.#joinOptions(side, remote, role, isControlling), lease);
  }

  #createSide(isLite: boolean, setup: DtlsSetup): Side {
    return {
      isLite,
      setup,
      credentials: createIceCredentials(this.#random),
      certificate: this.#certificates.current(),
    };
  }

  /** The lease is the leg's, or given back when there is none. */
  #createLeg(side: Side, lease: PortLease, listener: MediaLegListener): TransportLeg {
    try {
      return this.#addLeg(side, lease, listener);
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  #addLeg(side: Side, lease: PortLease, listener: MediaLegListener): TransportLeg {
    if (this.#isClosed) throw transportFailed("The media engine was closed.", "closed");
    const leg = new TransportLeg({
      local: createLocalAudio({
        credentials: side.credentials,
        sha256Fingerprint: side.certificate.sha256Fingerprint,
        setup: side.setup,
        candidates: hostCandidates(this.addresses, lease.port.number),
        random: this.#random,
      }),
      lease,
      listener,
      deadlines: this.#deadlines,
      clock: this.#clock,
      logger: this.#logger,
      onOver: this.#onLegOver,
    });
    this.#legs.add(leg);
    return leg;
  }

  readonly #onLegOver = (leg: TransportLeg): void => {
    this.#legs.delete(leg);
    addDrops(this.#dropped, leg);
  };

  #joinOptions(
    side: Side,
    remote: TransportRemote,
    role: DtlsRole,
    isControlling: boolean,
  ): CallTransportOptions {
    return {
      ice: {
        local: side.credentials,
        remote: remote.ice,
        isLite: side.isLite,
        isControlling,
        ipVersions: this.#ports.ipVersions,
      },
      dtls: { role, certificate: side.certificate, remoteFingerprints: remote.fingerprints },
      random: this.#random,
    };
  }
}

function notWaiting(): RingbackError<"MEDIA_ENGINE_FAILED"> {
  return transportFailed("The leg has an answer already, or is closed.", "closed");
}

function addDrops(total: Record<TransportDrop, number>, leg: TransportLeg): void {
  const dropped = leg.transportStats()?.dropped;
  if (dropped === undefined) return;
  for (const reason of TRANSPORT_DROPS) total[reason] += dropped[reason];
}
