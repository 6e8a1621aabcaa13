#!/bin/sh
# Beside MiniStack. Needs curl, and: pip install ministack==1.5.33
set -eu
cd "$(dirname "$0")"

: "${PORT:=4566}"
GATEWAY_PORT=$PORT BIND_HOST=127.0.0.1 LOG_LEVEL=WARNING python -m ministack &
emulator=$! HEALTH=/_ministack/health

. ./run.sh
