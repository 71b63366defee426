"""A caller on aiortc: offers audio on standard output, takes the answer on standard input, sends a tone, records what it hears.

Usage: aiortc-caller.py HEARD_FILE SECONDS. Protocol: one JSON object a line. The recording is raw 16-bit mono at 48 kHz.
"""

import asyncio
import fractions
import json
import math
import sys
import time

import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE_HZ = 48000
FRAME_SAMPLES = 960
TONE_HZ = 440


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.samples = 0
        self.started = None

    async def recv(self):
        if self.started is None:
            self.started = time.monotonic()
        due = self.started + self.samples / RATE_HZ
        await asyncio.sleep(max(0, due - time.monotonic()))
        step = 2 * math.pi * TONE_HZ / RATE_HZ
        values = [int(8000 * math.sin(step * (self.samples + i))) for i in range(FRAME_SAMPLES)]
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) for value in values))
        frame.sample_rate = RATE_HZ
        frame.pts = self.samples
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self.samples += FRAME_SAMPLES
        return frame


def say(message):
    print(json.dumps(message), flush=True)


async def record(track, path):
    mono = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with open(path, "wb") as heard:
        try:
            while True:
                frame = await track.recv()
                for part in mono.resample(frame):
                    heard.write(bytes(part.planes[0])[: part.samples * 2])
        except MediaStreamError:
            return


async def main(path, seconds):
    peer = RTCPeerConnection()
    recordings = []
    peer.addTrack(Tone())

    @peer.on("track")
    def on_track(track):
        recordings.append(asyncio.ensure_future(record(track, path)))

    @peer.on("connectionstatechange")
    def on_state():
        say({"state": peer.connectionState})

    await peer.setLocalDescription(await peer.createOffer())
    say({"offer": peer.localDescription.sdp})
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await peer.setRemoteDescription(RTCSessionDescription(json.loads(line)["answer"], "answer"))
    await asyncio.sleep(seconds)
    await peer.close()
    await asyncio.gather(*recordings)
    say({"done": True})


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
