#!/bin/sh
# Makes .build/description-tools, a Python environment with what the descriptions of the gateway are checked with:
# validators of OpenAPI and AsyncAPI, a fuzzer that reads OpenAPI, and a WebSocket client.
set -eu
cd "$(dirname "$0")/.."
tools=.build/description-tools
# Fixed versions, so that a new release finds nothing new on a day that nobody chose.
wanted='schemathesis==4.32.5 openapi-spec-validator==0.9.0 asyncapi3==0.0.2 jsonschema==4.26.0 websockets==17.4
requests==2.34.2'
if [ -f $tools/made ] && [ "$(cat $tools/made)" = "$wanted" ]; then
    echo "the tools are there: $tools"
    exit 0
fi
command -v python3 >/dev/null || { echo "python3 is needed" >&2; exit 1; }
mkdir -p .build
python3 -m venv $tools ||
    { echo "python3 has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
# shellcheck disable=SC2086
$tools/bin/pip install --quiet --disable-pip-version-check $wanted
printf '%s' "$wanted" >$tools/made
echo "the tools are there: $tools"
