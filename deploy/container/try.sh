#!/usr/bin/env bash
# Builds the image of the Dockerfile and runs it as it is meant to be run, without a container engine:
# as user 10001 without capabilities, on a read-only file system, with one volume.
#
#   deploy/container/try.sh            about five minutes the first time, two and a half then
#
# It needs root on Debian, the network for packages, and: debootstrap buildah skopeo umoci runc. The base is
# Debian's own Python instead of the python image; everything else is as shipped.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
place=${MODELMON_CONTAINER:-$repository/build/container}
base=localhost/modelmon-base:bookworm
image=localhost/modelmon:try
name=modelmon-try-$$
port=9108

missing=()
for program in debootstrap buildah skopeo umoci runc python3; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -eq 0 ] || { echo "not installed: ${missing[*]}" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "it has to be run as root" >&2; exit 1; }

run=$(mktemp -d)
stop() {
  runc --root "$run/runc" delete --force "$name" >/dev/null 2>&1 || true
  rm -rf "$run"
}
trap stop EXIT
fail() {
  echo "FAILED: $*" >&2
  cat "$run/log" >&2 2>/dev/null || true
  exit 1
}

mkdir -p "$place"
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "base: Debian bookworm with Python"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm \
    "$run/rootfs" >"$place/debootstrap.log" || fail "see $place/debootstrap.log"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$run/rootfs" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

echo "image: the Dockerfile"
# The form of docker: that of OCI has no HEALTHCHECK. Certificates: a network may have its own.
buildah bud --isolation chroot --network host --format docker --build-arg BASE="$base" \
  --build-arg VERSION=try --volume /etc/ssl/certs:/etc/ssl/certs:ro --tag "$image" "$repository" \
  >"$place/build.log" 2>&1 || fail "see $place/build.log"
skopeo copy --quiet "containers-storage:$image" "docker-archive:$run/image.tar"
python3 "$repository/deploy/container/facts.py" "$run/image.tar" || fail "what the image says of itself"
skopeo copy --quiet "docker-archive:$run/image.tar" "oci:$run/layout:try"
umoci unpack --image "$run/layout:try" "$run/bundle" >/dev/null

mkdir -p "$run/var" "$run/config"
chown 10001:10001 "$run/var"
cp -r "$repository/config/." "$run/config"
chmod -R a+rX "$run/config"
chmod a+x "$run"
python3 "$repository/deploy/container/confine.py" "$run/bundle/config.json" \
  "$run/config=/srv/modelmon/config" "$repository/demo=/srv/modelmon/demo" "$run/var=/srv/modelmon/var"

echo "run: the demo, confined"
runc --root "$run/runc" run --bundle "$run/bundle" "$name" >"$run/log" 2>&1 &
running=$!
inside() { runc --root "$run/runc" exec "$name" "$@"; }
for _ in $(seq 120); do
  if inside modelmon healthcheck --ready >/dev/null 2>&1; then break; fi
  kill -0 "$running" 2>/dev/null || fail "it ended before it was ready"
  sleep 1
done
inside modelmon healthcheck || fail "the health check of the image"
ask='import os, sys, urllib.request
assert os.getuid() == os.getgid() == 10001, (os.getuid(), os.getgid())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
assert not int(status["CapEff"], 16) and int(status["NoNewPrivs"]) == 1, status
for path in ("/", "/srv/modelmon", "/opt/modelmon"):
    try:
        open(path + "/written", "w")
    except OSError as error:
        assert error.errno in (13, 30), error
    else:
        sys.exit(f"{path} may be written")
text = urllib.request.urlopen("http://127.0.0.1:'$port'/metrics").read().decode()
assert "modelmon_feature_drift_score{" in text, text[:2000]
print(len(text.splitlines()), "lines of metrics")'
inside /opt/modelmon/bin/python -c "$ask" || fail "what it may do, or what it shows"
[ -s "$run/var/modelmon.db" ] || fail "no database in the volume"

runc --root "$run/runc" kill "$name" TERM
code=0
wait "$running" || code=$?
[ "$code" -eq 0 ] || fail "SIGTERM ended it with $code"
echo "ok: built, ready, confined, healthy, scraped, and ended by SIGTERM with 0"
