#!/bin/sh
# Makes .build/autobahn, the Autobahn test suite for WebSockets (PyPI autobahntestsuite), which is written in Python 2.
# Ends with 3 where no Python 2.7 is to be found.
set -eu
cd "$(dirname "$0")/.."
suite=.build/autobahn
wanted='autobahntestsuite==25.10.1'
if [ -f $suite/made ] && [ "$(cat $suite/made)" = "$wanted" ]; then
    echo "the suite is there: $suite"
    exit 0
fi
python=
for candidate in "${PYTHON2:-}" "$(command -v python2.7 || true)" \
    "$(pyenv prefix 2.7.18 2>/dev/null || true)/bin/python" "$HOME/.pyenv/versions/2.7.18/bin/python"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && "$candidate" -m pip --version >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { echo "no Python 2.7 with pip; PYTHON2 may name one" >&2; exit 3; }
rm -rf $suite
mkdir -p $suite
"$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location --target $suite $wanted
# pip --target leaves zope a namespace without its marker.
touch $suite/zope/__init__.py
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "%s/bin/wstest" "$@"\n' "$PWD/$suite" "$python" "$PWD/$suite" >$suite/wstest
chmod +x $suite/wstest
printf '%s' "$wanted" >$suite/made
echo "the suite is there: $suite"
