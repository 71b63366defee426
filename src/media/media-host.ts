import type { AudioDescription, LocalAudio } from "../core/sdp/model.ts";
import type { Logger } from "../logger.ts";
import type { MediaSession, MediaSessionListener } from "./media-session.ts";
import type { SessionAudio } from "./session-audio.ts";

/** Where the media of calls runs: in this thread, or in threads of its own. */
export interface MediaHost {
  /**
   * Opens our side of a call toward the peer that `offer` describes. Nothing is sent yet.
   *
   * @param logger Takes what is to be said about this call. Default: the host's own.
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  openSession(
    offer: AudioDescription,
    listener: MediaSessionListener,
    logger?: Logger,
  ): Promise<HostedSession>;
  status(): MediaStatus;
  /** Closes every session. Idempotent. */
  close(): Promise<void>;
}

/** One call's audio, wherever it runs. What is asked of it takes effect in the order in which it was asked. */
export interface HostedSession
  extends SessionAudio,
    Pick<MediaSession, "connect" | "startRtp" | "sendDigits" | "setFramesWanted" | "stats" | "close"> {
  /** Our side's parameters, for the SDP. */
  readonly local: LocalAudio;
}

export interface MediaStatus {
  readonly workers: readonly MediaWorkerStatus[];
}

/** How one thread that carries media is doing. */
export interface MediaWorkerStatus {
  /** False while a thread that broke down is not back yet. */
  readonly isUp: boolean;
  /** UDP port of its calls; null when the engine does not say. */
  readonly port: number | null;
  /** Addresses that its SDPs announce, the preferred first; none when the engine does not say. */
  readonly addresses: readonly string[];
  readonly calls: number;
  /** Ticks of the media clock that came more than 5 ms late. */
  readonly lateTicks: number;
  /** Slots of 20 ms that no tick was made for. */
  readonly skippedSlots: number;
  /** How late the latest tick was, in ms. */
  readonly worstLateMs: number;
  /** Datagrams of all calls so far that were malformed, not authentic, replayed or nobody's. */
  readonly datagramsDropped: number;
  /** Received packets that nobody fetched in time (`call.onFrame`). */
  readonly framesDropped: number;
  /** How often it broke down and was started again. */
  readonly restarts: number;
}
