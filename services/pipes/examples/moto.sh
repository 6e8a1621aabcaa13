#!/bin/sh
# Beside moto's server. Needs curl, and: pip install "moto[server]"
set -eu
cd "$(dirname "$0")"

python -c 'import moto.server, boto3' 2>/dev/null && command -v eventbridge-pipes >/dev/null || {
    echo "Something is not installed. In the root of the repository, run: pip install 'moto[server]' ./services/pipes" >&2
    exit 2
}

: "${PORT:=5000}"
python -m moto.server --host 127.0.0.1 --port "$PORT" 2>/dev/null &
emulator=$! HEALTH=/moto-api/

. ./run.sh
