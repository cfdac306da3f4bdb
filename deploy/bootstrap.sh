#!/bin/sh
# Installs what is missing: system packages where we may, and .venv from the lock.
# `deploy/bootstrap.sh runtime|dev`. Does nothing, and needs no network, when nothing is missing.
set -eu

kind=${1:-runtime}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
venv=$root/.venv
lock=requirements/$kind.txt

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    for candidate in python3.11 python3 /usr/bin/python3.11 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 is needed: on Debian 12 install the package python3."
}

# ---- system packages ----------------------------------------------------------------------------

missing_packages() {
    missing=
    if [ ! -x "$venv/bin/python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing="$missing python3-venv"
    fi
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing="$missing rabbitmq-server"
    if ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 ||
        ! ls /usr/share/postgresql/*/extension/btree_gist.control >/dev/null 2>&1; then
        missing="$missing postgresql-15"
    fi
    [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
    [ "$kind" = runtime ] || missing="$missing$(missing_for_tests)"
    if [ -n "$missing" ] && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
        missing="$missing ca-certificates"
    fi
    echo "$missing"
}

missing_for_tests() {
    # Gives one process another time of day.
    ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || printf ' libfaketime'
    # Has promtool, which tries the alert rules.
    command -v promtool >/dev/null 2>&1 || printf ' prometheus'
    # Shows the pages as people see them.
    command -v chromium >/dev/null 2>&1 || printf ' chromium'
    # Runs the checker of the pages' HTML.
    command -v java >/dev/null 2>&1 || printf ' default-jre-headless'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    grep -qE '^(ID|ID_LIKE)=.*(debian|ubuntu)' /etc/os-release 2>/dev/null || return 1
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# Packages would start servers of their own; a policy of the machine's owner stays as it is.
forbid_starting() {
    [ -e /usr/sbin/policy-rc.d ] && return
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
    as_root chmod 755 /usr/sbin/policy-rc.d
}

allow_starting() {
    trap - EXIT INT TERM HUP
    if [ "$1" = ours ]; then as_root rm -f /usr/sbin/policy-rc.d; fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q "$@" >>"$log" 2>&1
}

install_packages() {
    mkdir -p "$root/.run"
    log=$root/.run/bootstrap.log
    echo "Installing$1 (see .run/bootstrap.log)"
    policy=theirs
    [ -e /usr/sbin/policy-rc.d ] || policy=ours
    forbid_starting
    if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -7 2>/dev/null | head -n 1)" ]; then
        apt update || fail "apt-get update did not work; see $log"
    fi
    # shellcheck disable=SC2086  a list of words
    apt install -y --no-install-recommends $1 ||
        { apt update && apt install -y --no-install-recommends $1; } ||
        fail "The packages could not be installed; see $log"
    allow_starting "$policy"
}

# ---- .venv --------------------------------------------------------------------------------------

stamp_of() {
    cat "$@" | sha256sum | cut -d' ' -f1
    echo "$root"
}

is_stamped() {
    [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --no-input -qq "$@"
}

make_venv() {
    if "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
    then return; fi
    echo "Making .venv"
    "$python" -m venv --clear "$venv"
}

install_locked() {
    stamp=$(stamp_of "$lock")
    if ! is_stamped "$venv/.$kind-lock" "$stamp"; then
        echo "Installing the locked $kind packages into .venv"
        pip install --require-hashes --no-deps -r "$lock"
        echo "$stamp" >"$venv/.$kind-lock"
    fi
    stamp=$(stamp_of pyproject.toml)
    if ! is_stamped "$venv/.project" "$stamp"; then
        pip install --no-deps --no-build-isolation -e .
        echo "$stamp" >"$venv/.project"
    fi
}

python=$(find_python)
missing=$(missing_packages)
if [ -n "$missing" ]; then
    may_install || fail "Missing:$missing. Install them as root: apt-get install --no-install-recommends$missing"
    install_packages "$missing"
    missing=$(missing_packages)
    [ -z "$missing" ] || fail "Still missing after the installation:$missing"
fi
exec 9>"$root/.venv.lock"
flock 9
make_venv
install_locked
