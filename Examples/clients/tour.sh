#!/bin/sh
# A tour of a Tidings server with curl: tour.sh [URL]. With a token in TIDINGS_TOKEN where the server wants one.
set -eu
url=${1:-http://127.0.0.1:8765}
ask() { curl --silent --show-error --fail-with-body ${TIDINGS_TOKEN:+--header "Authorization: Bearer $TIDINGS_TOKEN"} "$@"; echo; }

# Publish one event; with an event_id, sending it again does no harm.
ask "$url/api/v1/events" --json '{"event_id": "order-17", "event_type": "order.created", "source": "shop",
    "payload": {"symbol": "BTC-USD", "price": 65012.50}}'
# Publish many, one a line.
printf '%s\n' '{"event_type": "order.paid", "source": "shop", "parent_event_id": "order-17"}' \
    '{"event_type": "order.sent", "source": "shop", "parent_event_id": "order-17"}' |
    ask "$url/api/v1/events" --header 'Content-Type: application/x-ndjson' --data-binary @-
# Read them back: by type, by time, by page.
ask "$url/api/v1/events?type=order.*&since=1h&limit=10"
# What led to an event, and what came of it.
ask "$url/api/v1/events/order-17/tree"
# How things are.
ask "$url/readyz"
ask "$url/api/v1/metrics"
# Follow what comes, for two seconds here; --no-buffer shows it as it comes.
curl --silent --no-buffer --max-time 2 ${TIDINGS_TOKEN:+--header "Authorization: Bearer $TIDINGS_TOKEN"} \
    "$url/api/v1/stream?type=order.*&after=0" || test $? -eq 28
