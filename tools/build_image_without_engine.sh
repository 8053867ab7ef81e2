#!/bin/sh
# Build the image of the Dockerfile on a Debian machine that has no container engine and reaches no
# image registry: the base image is made from Debian's own packages, buildah runs each step in a
# chroot. Needs root, debootstrap and buildah (apt-get install debootstrap buildah).
#
#   tools/build_image_without_engine.sh [folder]
#
# `folder` (build/image) receives the base system, buildah's storage, and in `rootfs` the files of
# the finished image. tools/run_image_without_engine.sh runs a command in it.
#
# What the machine needs to reach the package index (pip's settings, certificates) is mounted while
# the image is built and is not part of it.
set -eu
cd "$(dirname "$0")/.."
folder=$(mkdir -p "${1:-build/image}" && cd "${1:-build/image}" && pwd)
base=localhost/python:3.13-debian-trixie
image=localhost/oa-bridge

# vfs needs no overlay file system, and chroot isolation no namespaces.
buildah() {
    command buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs "$@"
}

if [ ! -e "$folder/base/.complete" ]; then
    rm -rf "$folder/base"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        trixie "$folder/base"
    # The names that the official image gives them.
    ln -s /usr/bin/python3 "$folder/base/usr/local/bin/python"
    rm -rf "$folder"/base/var/cache/apt/archives/*.deb "$folder"/base/var/lib/apt/lists/*
    touch "$folder/base/.complete"
fi

if ! buildah images --quiet "$base" >/dev/null 2>&1; then
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$folder/base" /
    buildah config --env PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$container"
    buildah commit --quiet --rm "$container" "$base"
fi

# The machine's settings, read-only: what is not there is left out.
set --
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then
        set -- "$@" --volume "$file:$file:ro"
    fi
done

buildah bud --isolation chroot --format docker --pull-never \
    --build-arg PYTHON_IMAGE="$base" \
    ${PIP_INDEX_URL:+--build-arg PIP_INDEX_URL="$PIP_INDEX_URL"} \
    "$@" --tag "$image" .

container=$(buildah from --pull-never "$image")
mounted=$(buildah mount "$container")
rm -rf "$folder/rootfs"
cp -a "$mounted" "$folder/rootfs"
buildah umount "$container" >/dev/null
buildah rm "$container" >/dev/null
echo "The files of the image are in $folder/rootfs. Its settings:"
buildah inspect --type image --format \
    '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Healthcheck}}' \
    "$image"
