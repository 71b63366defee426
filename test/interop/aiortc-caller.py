"""A caller on aiortc: offers audio on standard output, takes the answer on standard input, says a tone, records what it hears.

Usage: aiortc-caller.py HEARD_FILE TONE_HZ TONE_LEVEL. Protocol: one JSON object a line. The recording is raw 16-bit mono at 48 kHz.
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


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, hz, level):
        super().__init__()
        self.step = 2 * math.pi * hz / RATE_HZ
        self.peak = 32767 * level
        self.samples = 0
        self.started = None

    async def recv(self):
        if self.started is None:
            self.started = time.monotonic()
        due = self.started + self.samples / RATE_HZ
        await asyncio.sleep(max(0, due - time.monotonic()))
        values = [int(self.peak * math.sin(self.step * (self.samples + i))) for i in range(FRAME_SAMPLES)]
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) for value in values))
        frame.sample_rate = RATE_HZ
        frame.pts = self.samples
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self.samples += FRAME_SAMPLES
        return frame


async def record(track, path):
    mono = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with open(path, "wb", buffering=0) as heard:
        try:
            while True:
                frame = await track.recv()
                for part in mono.resample(frame):
                    heard.write(bytes(part.planes[0])[: part.samples * 2])
        except MediaStreamError:
            return


async def main(path, hz, level):
    open(path, "wb").close()
    peer = RTCPeerConnection()
    recordings = []
    peer.addTrack(Tone(hz, level))

    @peer.on("track")
    def on_track(track):
        recordings.append(asyncio.ensure_future(record(track, path)))

    await peer.setLocalDescription(await peer.createOffer())
    print(json.dumps({"offer": peer.localDescription.sdp}), flush=True)
    read_line = lambda: asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    answer = json.loads(await read_line())["answer"]
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await read_line()
    await peer.close()
    await asyncio.gather(*recordings)


asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
