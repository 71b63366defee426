#!/bin/sh
# Answers one call over the control API, plays a tone, hangs up, and prints each event. It needs curl alone.
set -eu
api=${RINGBACK_API:-http://127.0.0.1:3001}
auth="Authorization: Bearer $RINGBACK_KEY"

post() { curl -sS --fail-with-body -X POST -H "$auth" -H 'Content-Type: application/json' -d "$2" "$api$1" >/dev/null; }
# The first text of a name in a line of JSON.
field() { printf '%s' "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# Where the events stand now: each page begins behind the one before, and misses nothing.
page=$(curl -sS --fail-with-body -H "$auth" "$api/v1/events?after=now")
echo "waiting for a call"
while :; do
  page=$(curl -sS --fail-with-body -H "$auth" "$api/v1/events?limit=1&after=$(field next "$page")")
  case $page in '{"items":[]'*) sleep 0.2; continue ;; esac
  printf '%s\n' "$page"
  call=/v1/calls/$(field call_id "$page")
  case $page in
    *'"type":"call.incoming"'*)
      post "$call/answer" '{}'
      post "$call/tone" '{"tone":{"frequency_hz":800,"duration_ms":1000},"command_id":"greeting"}' ;;
    *'"command_id":"greeting"'*) post "$call/hangup" '{}' ;;
    *'"type":"call.ended"'*) break ;;
  esac
done
