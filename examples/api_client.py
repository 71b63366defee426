"""Answers one call over the control API, plays a tone, hangs up, and prints each event. Python 3.8, standard library alone."""
import json
import os
import urllib.request

API = os.environ.get("RINGBACK_API", "http://127.0.0.1:3001")
HEADERS = {"Authorization": "Bearer " + os.environ["RINGBACK_KEY"], "Content-Type": "application/json"}


def post(path, body):
    request = urllib.request.Request(API + path, json.dumps(body).encode(), HEADERS)
    return json.load(urllib.request.urlopen(request, timeout=10))


def events():
    headers = dict(HEADERS, Accept="text/event-stream")
    with urllib.request.urlopen(urllib.request.Request(API + "/v1/events", headers=headers)) as stream:
        print("waiting for a call", flush=True)
        for line in stream:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


for event in events():
    print(event["seq"], event["type"], json.dumps(event["data"]), flush=True)
    call = "/v1/calls/%s" % event["call_id"]
    if event["type"] == "call.incoming":
        post(call + "/answer", {})
        post(call + "/tone", {"tone": {"frequency_hz": 800, "duration_ms": 1000}, "command_id": "greeting"})
    elif event["data"].get("command_id") == "greeting":
        post(call + "/hangup", {})
    elif event["type"] == "call.ended":
        break
