import { createDatachannelEngine } from "../../src/media/datachannel-engine.ts";
import { describeMediaEngine } from "./media-engine-conformance.ts";

describeMediaEngine("datachannel", () => createDatachannelEngine({ bindAddress: "127.0.0.1" }));
