#!/bin/sh
# Makes .build/selector-tools, a Python environment with what selectors are compared with: selectolax, which has lexbor.
set -eu
cd "$(dirname "$0")/.."
tools=.build/selector-tools
# A fixed version, so that a new release finds nothing new on a day that nobody chose.
wanted='selectolax==1.0.2'
if [ -f $tools/made ] && [ "$(cat $tools/made)" = "$wanted" ]; then
    echo "the tools are there: $tools"
    exit 0
fi
command -v python3 >/dev/null || { echo "python3 is needed" >&2; exit 1; }
mkdir -p .build
python3 -m venv $tools ||
    { echo "python3 has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
$tools/bin/pip install --quiet --disable-pip-version-check "$wanted"
printf '%s' "$wanted" >$tools/made
echo "the tools are there: $tools"
