import { createTransportEngine } from "../../src/media/transport-engine.ts";
import { createDatachannelEngine } from "../support/datachannel/engine.ts";
import { describeMediaEngine } from "./media-engine-conformance.ts";

describeMediaEngine("datachannel", () => createDatachannelEngine({ bindAddress: "127.0.0.1" }), {
  // libdatachannel has it answered inside, or by nobody.
  reportsRtcp: false,
});
describeMediaEngine("transport", () => createTransportEngine({ bindAddress: "127.0.0.1" }));
