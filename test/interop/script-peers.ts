import { CM_IN_BOTH_ROLES } from "./peer.ts";
import { scriptPeer } from "./script-peer.ts";

/** aiortc: aioice, OpenSSL's DTLS, libsrtp. */
export const AIORTC = scriptPeer({
  name: "aiortc",
  srtpProfiles: CM_IN_BOTH_ROLES,
  script: "./aiortc-caller.py",
  probe: "import aiortc",
  debianPackages: "python3-aiortc",
});

/** GStreamer's webrtcbin: libnice, OpenSSL's DTLS, libsrtp. */
export const GSTREAMER = scriptPeer({
  name: "GStreamer",
  srtpProfiles: CM_IN_BOTH_ROLES,
  script: "./gstreamer-caller.py",
  probe: `
import gi
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC
Gst.init(None)
assert all(Gst.ElementFactory.find(name) for name in ("webrtcbin", "nicesrc", "srtpenc", "opusenc", "rtpopuspay"))
`,
  debianPackages:
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice python3-gst-1.0 gir1.2-gst-plugins-bad-1.0",
});
