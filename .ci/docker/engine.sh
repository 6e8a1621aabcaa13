#!/usr/bin/env bash
# A Docker engine with Compose v2 and buildx, on Debian, as root, without systemd.
# Whatever of it is there already is left as it is. DEBIAN_MIRROR: where Compose comes from.
set -euo pipefail
. "$(dirname "$0")/common.sh"

PLUGINS=/usr/local/lib/docker/cli-plugins
LOG=/var/log/dockerd.log
SECONDS_TO_START=30

answers() { docker info >/dev/null 2>&1; }

# A pid file that an engine which was killed has left keeps the next one from starting.
forget_killed() {
  local file
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    [ -s "$file" ] || continue
    readlink "/proc/$(cat "$file")/exe" | grep -qE '/(dockerd|containerd)$' || rm -f "$file"
  done
}

# Containers must not send larger packets than the machine can: TLS would hang.
mtu() {
  local device
  device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
  cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500
}

start_engine() {
  local pid deadline
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one"
  { command -v dockerd && command -v iptables; } >/dev/null || install_packages docker.io iptables
  forget_killed
  setsid dockerd --mtu "$(mtu)" >>"$LOG" 2>&1 </dev/null 9<&- &
  pid=$!
  deadline=$((SECONDS + SECONDS_TO_START))
  until answers; do
    if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 5 "$LOG" >&2
      fail "the engine does not start; $LOG has more"
    fi
    sleep 0.2
  done
}

# Debian has them from 13 on: they are unpacked from there and not installed.
install_plugins() {
  local apt work package
  [ "$(id -u)" = 0 ] || fail "docker compose or buildx is missing, and only root can install it"
  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work"/{lists/partial,archives/partial} "$PLUGINS"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
    "${DEBIAN_MIRROR:-$(debian_mirror)} trixie main" >"$work/sources.list"
  apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=-
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  (cd "$work" && "${apt[@]}" download docker-compose docker-buildx)
  for package in "$work"/*.deb; do dpkg-deb --extract "$package" "$work/unpacked"; done
  install -m 755 "$work"/unpacked/usr/libexec/docker/cli-plugins/* "$PLUGINS"
}

one_at_a_time
if ! answers; then
  start_engine
  say "The Docker engine is up"
fi
if ! { docker compose version && docker buildx version; } >/dev/null 2>&1; then
  install_plugins
  say "Docker Compose and buildx are installed"
fi
