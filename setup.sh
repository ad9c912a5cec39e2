#!/usr/bin/env bash
# Installs what is missing on a fresh Debian 12: packages, .venv, the locked Python and npm packages, the built web/.
# Idempotent; takes seconds when everything is there. `setup.sh PACKAGE ...` installs those Debian packages and nothing else.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

debian_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "missing Debian packages: ${missing[*]}; install them, or sudo" >&2; exit 1; }
        as_root=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    # Debian starts a cluster of its own with the package; wangge's is private and needs none.
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
}

# Runs a command when the stamp is absent or the checksum of the files it depends on has changed.
when_changed() {
    local stamp=$1 files=$2; shift 2
    local now; now=$(eval "cat $files" | sha256sum)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return
    "$@"
    mkdir -p "$(dirname "$stamp")"
    echo "$now" >"$stamp"
}

python_packages() {
    say "installing Python packages (requirements.lock)"
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
}

node_packages() {
    say "installing npm packages (web/package-lock.json)"
    web/npm ci --no-audit --no-fund --silent
}

web_build() {
    say "building web/"
    web/npm run --silent build
}

if [ $# -gt 0 ]; then
    debian_packages "$@"
    exit
fi
debian_packages python3-venv postgresql-15 postgresql-15-postgis-3 chromium fonts-noto-cjk gdal-bin
when_changed .venv/.packages "requirements.lock pyproject.toml" python_packages
when_changed web/node_modules/.packages "web/package-lock.json" node_packages
when_changed web/dist/.built "web/package-lock.json web/index.html web/*.config.ts web/tsconfig.json \$(find web/src -type f | sort)" web_build
