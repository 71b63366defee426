import { Counter, Histogram, type Registry } from "prom-client";
import type { MediaStats } from "../../media/index.ts";
import { JITTER_SECONDS, LOSS_RATIO, ROUND_TRIP_SECONDS } from "./buckets.ts";

type Direction = "in" | "out";

/** How calls sounded, from their statistics at the end. `in` is what we received, `out` what WhatsApp says of ours. */
export class SoundMetrics {
  readonly #packets: Counter<"direction">;
  readonly #lost: Counter<"direction">;
  readonly #loss: Histogram<"direction">;
  readonly #jitter: Histogram;
  readonly #roundTrip: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ["direction"] as const;
    this.#packets = new Counter({
      name: "ringback_rtp_packets_total",
      help: "RTP packets of ended calls, received (in) and sent (out).",
      labelNames,
      registers,
    });
    this.#lost = new Counter({
      name: "ringback_rtp_packets_lost_total",
      help: "RTP packets of ended calls that did not arrive: at us (in), and at WhatsApp by its reports (out).",
      labelNames,
      registers,
    });
    this.#loss = new Histogram({
      name: "ringback_call_loss_ratio",
      help: "Share of a call's packets that were lost, one value for each call and direction.",
      labelNames,
      buckets: LOSS_RATIO,
      registers,
    });
    this.#jitter = new Histogram({
      name: "ringback_call_jitter_seconds",
      help: "Interarrival jitter of what was received, at the end of the call (RFC 3550, section 6.4.1).",
      buckets: JITTER_SECONDS,
      registers,
    });
    this.#roundTrip = new Histogram({
      name: "ringback_call_round_trip_seconds",
      help: "Round trip by RTCP, at the end of the call.",
      buckets: ROUND_TRIP_SECONDS,
      registers,
    });
  }

  ended({ packetsSent, received, rtcp }: MediaStats): void {
    this.#count("in", received.packetsReceived, received.packetsLost);
    this.#count("out", packetsSent, Math.max(0, rtcp.remote?.packetsLost ?? 0));
    if (received.packetsReceived > 0) this.#jitter.observe(received.jitterMs / 1_000);
    if (rtcp.rttMs !== null) this.#roundTrip.observe(rtcp.rttMs / 1_000);
  }

  /** Those that we receive come beside those that were lost; what we sent has both in it. */
  #count(direction: Direction, packets: number, lost: number): void {
    const all = direction === "in" ? packets + lost : packets;
    this.#packets.inc({ direction }, packets);
    this.#lost.inc({ direction }, lost);
    if (all > 0) this.#loss.observe({ direction }, Math.min(1, lost / all));
  }
}
