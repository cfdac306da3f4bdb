#!/bin/sh
# A fresh clone in a minimal Debian 12: `make demo` to READY, again warm, then `make test`.
# As root with nothing installed, then as an ordinary user with the packages present.
# Needs root and debootstrap. The machine's own mirror, index and certificates are used and
# never written down. `tests/chroot.sh [folder [demo]]`: the folder keeps the base system as a
# tarball, and the logs; `demo` leaves out `make test`.
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-/var/tmp/kindred-chroot}
parts=${2:-demo test}
failed=0
port=${KINDRED_PORT:-8080}
suite=bookworm
base=$work/$suite.tar
system=$work/system

say() { printf '%s %s\n' "$(date +%T)" "$*"; }

debian_sources() {
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | sort -u
}

make_base() {
    [ -e "$base" ] && return
    mirror=$(debian_sources | awk -v suite=$suite '$3 == suite { print $2; exit }')
    [ -n "$mirror" ] || { echo "apt knows no Debian mirror: apt-get update first" >&2; exit 1; }
    say "making the base system"
    debootstrap --variant=minbase --include=make,git,python3 $suite "$work/base" "$mirror" \
        >"$work/debootstrap.log"
    tar -C "$work/base" -cf "$base.part" . && mv "$base.part" "$base"
    rm -rf "$work/base"
}

open_system() {
    rm -rf "$system"
    mkdir -p "$system"
    tar -C "$system" -xf "$base"
    debian_sources >"$system/etc/apt/sources.list"
    cp /etc/resolv.conf "$system/etc/resolv.conf"
    python3 -c 'import configparser, sys
both = configparser.RawConfigParser()
both.read(sys.argv[1:])
both.remove_option("global", "cert")
both.write(sys.stdout)' /etc/pip.conf "$HOME/.config/pip/pip.conf" >"$system/etc/pip.conf"
    cp /etc/ssl/certs/ca-certificates.crt "$system/etc/machine-certificates.crt"
    mount -t proc proc "$system/proc"
}

processes_inside() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/root") in "$system"*) echo "${process#/proc/}" ;; esac
    done
}

close_system() {
    for pid in $(processes_inside); do kill -9 "$pid" 2>/dev/null || true; done
    umount "$system/proc" 2>/dev/null || true
}

# A command as a user of the system; in a group of its own, so that Ctrl-C can be played to it.
inside() {
    user=$1 folder=$2
    shift 2
    setsid --wait chroot --userspec="$user" "$system" /usr/bin/env -i \
        HOME="$folder" PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        PIP_CERT=/etc/machine-certificates.crt KINDRED_PORT="$port" \
        sh -c "cd '$folder/kindred' && echo \$\$ >../group && exec $*"
}

clone_for() {
    user=$1 folder=$2
    mkdir -p "$system$folder"
    git clone -q --no-hardlinks "$repository" "$system$folder/kindred"
    chroot "$system" chown -R "$user" "$folder"
    chmod 700 "$system$folder"
}

demo() {
    user=$1 folder=$2 name=$3
    log=$work/$name.log
    began=$(date +%s)
    inside "$user" "$folder" make demo >"$log" 2>&1 &
    maker=$!
    while ! grep -q '^READY' "$log"; do
        kill -0 $maker 2>/dev/null || { tail -n 20 "$log"; say "$name: no READY"; return 1; }
        sleep 0.2
    done
    say "$name: READY after $(($(date +%s) - began)) s"
    env kill -INT -- -"$(cat "$system$folder/group")"
    wait $maker || true
    grep -q '^Stopped' "$log"
    [ -z "$(processes_inside)" ] || { say "$name left processes behind"; return 1; }
}

tests() {
    user=$1 folder=$2 name=$3
    began=$(date +%s)
    status=0
    inside "$user" "$folder" make test >"$work/$name.log" 2>&1 || status=$?
    closing=$(grep '^==* .* in .*==*$' "$work/$name.log" | tail -n 1)
    say "$name: $closing (exit $status, $(($(date +%s) - began)) s)"
    [ "$status" = 0 ] || failed=1
}

run_as() {
    user=$1 folder=$2
    clone_for "$user" "$folder"
    demo "$user" "$folder" "demo-$user"
    demo "$user" "$folder" "demo-warm-$user"
    case $parts in *test*) tests "$user" "$folder" "test-$user" ;; esac
}

mkdir -p "$work"
make_base
trap close_system EXIT
close_system
open_system
run_as root /root
chroot "$system" useradd --home-dir /home/somebody somebody
run_as somebody /home/somebody
exit $failed
