#!/bin/sh
# Fetches TradingView's Lightweight Charts 5.1 (Apache-2.0) for the dashboard, out of a PyPI wheel that carries it.
# Never fails the build: without the file the dashboard says so and works without charts.
set -u
cd "$(dirname "$0")/.." || exit 1

wheel="litecharts==0.2.0"
member="litecharts/js/lightweight-charts.js"
sum="756b0ba9f58930226d6b8b9d47ad310448ab85d799ea1f7c2c02304777c10b52"
file="Sources/TidingsGateway/Dashboard/Resources/lightweight-charts.js"

matches() { echo "$sum  $1" | sha256sum --check --status 2>/dev/null; }

matches "$file" && exit 0
# A file of another content would be embedded as it is.
rm -f "$file"
scratch=$(mktemp -d) || exit 0
trap 'rm -rf "$scratch"' EXIT
if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$scratch" "$wheel" >/dev/null 2>&1 \
    || ! python3 -m zipfile -e "$scratch"/*.whl "$scratch/wheel" 2>/dev/null; then
    echo "The chart library could not be fetched ($wheel from PyPI); the dashboard is built without charts." >&2
    exit 0
fi
if ! matches "$scratch/wheel/$member"; then
    echo "The chart library in $wheel is not the one we know (SHA-256); the dashboard is built without charts." >&2
    exit 0
fi
mv "$scratch/wheel/$member" "$file"
