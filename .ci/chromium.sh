#!/usr/bin/env bash
# Chromium, for the tests in a browser, on Debian, as root. One that is there already is left as it is.
set -euo pipefail
. "$(dirname "$0")/docker/common.sh"

command -v chromium >/dev/null || install_packages chromium
