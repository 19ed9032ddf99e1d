#!/bin/sh
# Makes .build/cloudevents, a Python environment with the official CloudEvents SDK, for the conformance test.
set -eu
cd "$(dirname "$0")/.."
if .build/cloudevents/bin/python -c 'import cloudevents.core.v1.event' 2>/dev/null; then
    echo "the CloudEvents SDK is there: .build/cloudevents"
    exit 0
fi
command -v python3 >/dev/null || { echo "python3 is needed" >&2; exit 1; }
mkdir -p .build
python3 -m venv .build/cloudevents ||
    { echo "python3 has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
.build/cloudevents/bin/pip install --quiet --disable-pip-version-check 'cloudevents==2.2.0'
.build/cloudevents/bin/python -c 'import cloudevents.core.v1.event'
echo "the CloudEvents SDK is there: .build/cloudevents"
