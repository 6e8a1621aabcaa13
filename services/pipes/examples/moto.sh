#!/bin/sh
# Beside moto's server. Needs curl, and: pip install "moto[server]"
set -eu
cd "$(dirname "$0")"

: "${PORT:=5000}"
python -m moto.server --host 127.0.0.1 --port "$PORT" 2>/dev/null &
emulator=$! HEALTH=/moto-api/

. ./run.sh
