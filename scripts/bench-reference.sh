#!/bin/sh
# Makes .build/cryptofeed, a Python environment with what `tidings bench feed` compares itself with.
set -eu
cd "$(dirname "$0")/.."
if .build/cryptofeed/bin/python -c 'import cryptofeed' 2>/dev/null; then
    echo "cryptofeed is there: .build/cryptofeed"
    exit 0
fi
command -v python3 >/dev/null || { echo "python3 is needed" >&2; exit 1; }
mkdir -p .build
python3 -m venv .build/cryptofeed ||
    { echo "python3 has no venv module; on Debian: apt-get install python3-venv python3-dev gcc" >&2; exit 1; }
# The version the figures in the documentation are for; newer ones may be installed by hand.
.build/cryptofeed/bin/pip install --quiet --disable-pip-version-check 'cryptofeed==2.4.1'
.build/cryptofeed/bin/python -c 'import cryptofeed'
echo "cryptofeed is there: .build/cryptofeed"
