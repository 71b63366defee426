"""A caller on GStreamer's webrtcbin, with the usage and protocol of aiortc-caller.py."""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

VOICE = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "audiotestsrc is-live=true wave=sine freq={hz} volume={level} ! audio/x-raw,rate=48000,channels=1 "
    "! opusenc ! rtpopuspay pt=111 "
    "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! peer."
)
EAR = (
    "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1 "
    "! filesink buffer-mode=unbuffered sync=false location={path}"
)


class Caller:
    def __init__(self, path, hz, level):
        open(path, "wb").close()
        self.path = path
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(VOICE.format(hz=hz, level=level))
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self.on_negotiation_needed)
        self.peer.connect("notify::ice-gathering-state", self.on_gathering)
        self.peer.connect("pad-added", self.on_pad)

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.read, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def read(self):
        for line in sys.stdin:
            GLib.idle_add(self.take, json.loads(line)["answer"])
        GLib.idle_add(self.loop.quit)

    def on_negotiation_needed(self, peer):
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer, None))

    def on_offer(self, promise, _):
        # The offer dies with the reply: it needs a name.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, peer, _):
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            offer = peer.get_property("local-description").sdp.as_text()
            print(json.dumps({"offer": offer}), flush=True)

    def take(self, text):
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text.encode(), message)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def on_pad(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        ear = Gst.parse_bin_from_description(EAR.format(path=self.path), True)
        self.pipeline.add(ear)
        ear.sync_state_with_parent()
        pad.link(ear.get_static_pad("sink"))


Gst.init(None)
Caller(sys.argv[1], sys.argv[2], sys.argv[3]).run()
