import { ipVersion } from "../../../src/core/sdp/ip-version.ts";
import { createIntegrityKey } from "../../../src/core/transport/stun/message-integrity.ts";
import { isStunRequest, readLocalUfrag } from "../../../src/core/transport/stun/stun-demux.ts";
import { StunView } from "../../../src/core/transport/stun/stun-view.ts";
import {
  RFC5769_IPV4_RESPONSE,
  RFC5769_IPV6_RESPONSE,
  RFC5769_PASSWORD,
  RFC5769_REQUEST,
} from "../../fixtures/stun/samples.ts";
import { stunLayout } from "../layouts.ts";
import { sealStun } from "../stun-seal.ts";
import { type FuzzTarget, must } from "../target.ts";

const KEY = createIntegrityKey(RFC5769_PASSWORD);
const OTHER_KEY = createIntegrityKey("of somebody else");
const SAMPLES = [RFC5769_REQUEST, RFC5769_IPV4_RESPONSE, RFC5769_IPV6_RESPONSE];

export const STUN: FuzzTarget = {
  name: "stun",
  layoutOf: stunLayout,
  open() {
    const view = new StunView();
    return {
      samples: SAMPLES,
      take(mutated, { choice }) {
        const key = choice % 3 === 0 ? KEY : null;
        const datagram = choice % 2 === 0 ? mutated : sealStun(mutated, key);
        isStunRequest(datagram);
        must((readLocalUfrag(datagram)?.length ?? 0) <= 256, "a user name has its length");
        if (view.read(datagram) !== null) return;
        const mapped = view.mappedAddress();
        must(mapped === null || ipVersion(mapped.address) !== null, "a mapped address is an address");
        must(view.transactionId.length === 12, "a transaction has its number");
        must(!view.isAuthentic(OTHER_KEY), "no key but the right one fits");
        must(view.unknownTypeCount <= view.unknownTypes.length, "the unknown types have a bound");
        must(view.errorCode === 0 || (view.errorCode >= 300 && view.errorCode <= 699), "an error has a code");
      },
      check() {
        for (const sample of SAMPLES) {
          must(view.read(sample) === null && view.isAuthentic(KEY), "valid messages are still read");
        }
      },
    };
  },
};
