#!/bin/sh
# Run a command of the image that tools/build_image_without_engine.sh has built, under what
# compose.yaml asks of an engine: the user of the image, a root file system that is read-only, no
# capability, no new privileges; /data is kept, /tmp is empty. The network is the machine's own.
#
#   tools/run_image_without_engine.sh folder data NAME=value… -- command…
#
# `data` becomes /data; MEDIA, if it is set, is a folder that becomes /media. Needs root.
set -eu
user=10001
root=$(cd "$1" && pwd)/rootfs
mkdir -p "$2"
data=$(cd "$2" && pwd)
shift 2
chown "$user" "$data"
mkdir -p "$root/media"

# In a mount namespace of its own, so that nothing is left mounted behind it.
exec unshare --mount -- sh -c '
    set -eu
    root=$1 data=$2 user=$3 media=$4
    shift 4
    mount --bind "$root" "$root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount --bind "$data" "$root/data"
    mount -t tmpfs tmpfs "$root/tmp"
    if [ -n "$media" ]; then mount --bind "$media" "$root/media"; fi
    for file in /etc/resolv.conf /etc/hosts; do mount --bind "$file" "$root$file"; done
    mount -o remount,bind,ro "$root"
    count=0
    for word in "$@"; do
        count=$((count + 1))
        if [ "$word" = -- ]; then break; fi
    done
    number=0
    for word in "$@"; do
        number=$((number + 1))
        shift
        if [ "$number" -ne "$count" ]; then set -- "$@" "$word"; fi
    done
    exec chroot "$root" /usr/bin/setpriv --reuid "$user" --regid "$user" --clear-groups \
        --bounding-set=-all --inh-caps=-all --no-new-privs \
        /usr/bin/env --ignore-environment --chdir=/data \
        PATH=/opt/oa-bridge/bin:/usr/local/bin:/usr/bin:/bin \
        PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data "$@"
' sh "$root" "$data" "$user" "${MEDIA:-}" "$@"
