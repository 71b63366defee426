import { DTLS_SAMPLES, openDtlsPair, passesData } from "../dtls-samples.ts";
import { dtlsLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

/** Nobody but the two has the keys: whatever comes, they go on. */
export const DTLS_CONNECTED: FuzzTarget = {
  name: "dtls-connected",
  layoutOf: dtlsLayout,
  open() {
    const pair = openDtlsPair();
    pair.start();
    pair.run(1_000);
    must(
      pair.isConnected && passesData(pair, "client") && passesData(pair, "server"),
      "the two are connected",
    );
    const samples = [...pair.sent, ...DTLS_SAMPLES].map(({ bytes }) => bytes);
    for (const side of [pair.client, pair.server]) side.data.length = 0;
    return {
      samples,
      take(bytes, { choice, waitMs }) {
        pair.run(pair.nowMs + waitMs);
        pair[choice % 2 === 0 ? "client" : "server"].association.receive(bytes, pair.nowMs);
        if (pair.sent.length > 200) pair.sent.splice(0, 100);
      },
      check() {
        for (const { data, ends } of [pair.client, pair.server]) {
          must(data.length === 0, "nothing forged or repeated is handed on");
          must(ends.length === 0, "nothing forged or repeated ends it");
        }
        must(passesData(pair, "client") && passesData(pair, "server"), "the two still talk");
      },
    };
  },
};
