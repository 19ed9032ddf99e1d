#!/usr/bin/env bash
# Makes sure that what Tidings is built and tested with is there, and installs what is missing.
#
#   scripts/setup.sh           install through apt-get (Debian, Ubuntu); elsewhere say what is missing and fail
#   scripts/setup.sh --check   only look; fail if anything is missing
#
# Prints nothing when there is nothing to do.
set -euo pipefail

# One line per system library: Debian package | C header | linker name | who needs it
requirements="
libgumbo-dev   | gumbo.h   | gumbo   | TidingsScraping: the HTML5 tree
libsqlite3-dev | sqlite3.h | sqlite3 | TidingsSQLite (through GRDB): the log in a file
libxml2-dev    | libxml2/libxml/xmlexports.h | xml2    | TidingsScraping: XPath
zlib1g-dev     | zlib.h    | z       | TidingsWebSocket: permessage-deflate
"

# The oldest Swift that Package.swift is written for.
swift_major=6
swift_minor=2

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

check_swift() {
    have swift || fail "swift is not on the PATH; install Swift 6.3: https://www.swift.org/install"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ $version == *.* ]] || fail "'swift --version' does not say a version; install Swift 6.3: https://www.swift.org/install"
    if ((${version%%.*} < swift_major || (${version%%.*} == swift_major && ${version##*.} < swift_minor))); then
        fail "Swift $version is too old, $swift_major.$swift_minor is needed: https://www.swift.org/install"
    fi
}

is_debian() { have apt-get && have dpkg-query; }

# is_installed PACKAGE HEADER LIBRARY
is_installed() {
    if is_debian; then
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
    else
        local compiler
        compiler=$(command -v clang || command -v cc) || fail "no C compiler found to look for $2 with; Swift brings clang, put it on the PATH"
        printf '#include <%s>\nint main(void) { return 0; }\n' "$2" \
            | "$compiler" -x c - "-l$3" -o /dev/null >/dev/null 2>&1
    fi
}

# apt-get, as root.
apt() {
    local -a as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=120 "$@"
}

install_packages() {
    ((EUID == 0)) || have sudo || fail "neither root nor sudo: run this as root: apt-get install $*"
    say "installing $*"
    # The lists of a new machine are empty, those of an old one name files that are gone: get them and try once more.
    apt install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
    apt update >&2 || fail "apt-get update failed; see above"
    apt install -y --no-install-recommends "$@" >&2 || fail "apt-get could not install $*; see above"
}

check_swift

missing=()
reasons=()
while IFS='|' read -r package header library reason; do
    package=${package// /} header=${header// /} library=${library// /}
    [[ -n $package ]] || continue
    is_installed "$package" "$header" "$library" && continue
    missing+=("$package")
    reasons+=("  $package (<$header>, -l$library): ${reason# }")
done <<<"$requirements"

((${#missing[@]} == 0)) && exit 0

if [[ ${1:-} == --check ]] || ! is_debian; then
    say "these are missing, named as Debian names them:"
    printf '%s\n' "${reasons[@]}" >&2
    if is_debian; then
        say "install them with: make setup"
    else
        say "install them with your system's package manager, then try again"
    fi
    exit 1
fi

install_packages "${missing[@]}"
