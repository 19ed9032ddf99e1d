#!/bin/sh
# Takes pictures of every view of the dashboard, light and dark: screenshots.sh PROGRAM FOLDER
set -eu
program=$1
folder=$2

browser=$(command -v chromium || command -v chromium-headless-shell || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "No Chromium here: install chromium to take the screenshots." >&2
    exit 1
fi
mkdir -p "$folder"
scratch=$(mktemp -d)
"$program" demo --listen 127.0.0.1:0 --quiet >"$scratch/output" 2>"$scratch/log" &
demo=$!
trap 'kill "$demo" 2>/dev/null; wait "$demo" 2>/dev/null || true; rm -rf "$scratch"' EXIT

address=""
for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$scratch/output" "$scratch/log" | head -n 1)
    [ -n "$address" ] && break
    sleep 0.2
done
[ -n "$address" ] || { echo "The demo did not start:" >&2; cat "$scratch/log" >&2; exit 1; }
# The charts and the log fill for a while.
sleep "${SCREENSHOT_WARMUP:-20}"

picture() { # NAME VIEW SIZE FLAGS...
    name=$1 view=$2 size=$3
    shift 3
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
        --user-data-dir="$scratch/profile" --window-size="$size" --timeout=6000 "$@" \
        --screenshot="$folder/$name.png" "http://$address/#/$view" >"$scratch/browser.log" 2>&1 \
        || { cat "$scratch/browser.log" >&2; exit 1; }
    [ -s "$folder/$name.png" ] || { echo "No picture of $name." >&2; exit 1; }
    echo "$folder/$name.png"
}

for view in now markets events dead-letters; do
    picture "$view-light" "$view" 1440,900
    picture "$view-dark" "$view" 1440,900 --blink-settings=preferredColorScheme=0
    picture "$view-phone" "$view" 500,900
done
