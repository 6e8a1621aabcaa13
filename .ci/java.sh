#!/usr/bin/env bash
# A JDK and Maven, for trials/ruler, on Debian, as root. What is there already is left as it is.
set -euo pipefail
. "$(dirname "$0")/docker/common.sh"

{ command -v javac && command -v mvn; } >/dev/null || install_packages default-jdk-headless maven
