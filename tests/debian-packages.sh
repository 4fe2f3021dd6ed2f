#!/usr/bin/env bash
# Installs the programs that some tests run for real, where they are absent and can be installed.
# Elsewhere it says what is missing; the tests that need it then fail and say so too.
#
# It needs Debian or one of its kind, and to be root or to have sudo without a password. Called
# again it does nothing. MODELMON_DRY_RUN=1 only says what it would install.
set -euo pipefail

# A program (or several, one of which is enough) and the packages that it comes with.
needed=(
  "promtool prometheus"
  "prometheus-node-exporter prometheus-node-exporter"
  "amtool prometheus-alertmanager"
  "chromium|chromium-browser|google-chrome|google-chrome-stable|chrome chromium fonts-dejavu-core"
  "systemd-analyze systemd"
  "nginx nginx"
  "unshare util-linux"
)

there() {
  local program
  for program in ${1//|/ }; do
    command -v "$program" >/dev/null && return
  done
  return 1
}

missing() {
  local entry
  for entry in "${needed[@]}"; do
    there "${entry%% *}" || echo "${entry#* }"
  done
}

packages=$(missing)
[ -n "$packages" ] || exit 0
if [ -n "${MODELMON_DRY_RUN:-}" ]; then
  echo "$packages"
  exit 0
fi

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
if ! command -v apt-get >/dev/null; then
  why="there is no apt-get"
elif [ ${#as_root[@]} -gt 0 ] && ! sudo -n true 2>/dev/null; then
  why="it needs root, or sudo without a password"
else
  why=""
  "${as_root[@]}" apt-get update -qq || why="the lists of packages could not be had"
  # One by one: a package that this release does not have keeps none of the others away.
  for package in $packages; do
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$package" ||
      why="$why${why:+; }apt-get could not install $package"
  done
fi
packages=$(missing | tr '\n' ' ')
[ -z "$packages" ] || echo "not installed: $packages(${why:-installed, and still not found})" >&2
