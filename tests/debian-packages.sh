#!/usr/bin/env bash
# Installs the programs that some tests run for real, where they are absent and can be installed.
# Elsewhere it says what is missing; the tests that need it then fail and say so too.
set -euo pipefail

packages=()
command -v promtool >/dev/null || packages+=(prometheus)
command -v prometheus-node-exporter >/dev/null || packages+=(prometheus-node-exporter)
command -v amtool >/dev/null || packages+=(prometheus-alertmanager)
command -v chromium chromium-browser google-chrome google-chrome-stable chrome >/dev/null || packages+=(chromium fonts-dejavu-core)
command -v systemd-analyze >/dev/null || packages+=(systemd)
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
if ! command -v apt-get >/dev/null || { [ ${#as_root[@]} -gt 0 ] && ! sudo -n true 2>/dev/null; }; then
  echo "not installed, and not to be installed from here: ${packages[*]}" >&2
  exit 0
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${packages[@]}"
