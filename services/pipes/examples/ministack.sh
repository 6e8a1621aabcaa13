#!/bin/sh
# Beside MiniStack. Needs curl, and: pip install ministack==1.5.33
set -eu
cd "$(dirname "$0")"

python -c 'import ministack, boto3' 2>/dev/null && command -v eventbridge-pipes >/dev/null || {
    echo "Something is not installed. In the root of the repository, run: pip install ministack==1.5.33 ./services/pipes" >&2
    exit 2
}

: "${PORT:=4566}"
GATEWAY_PORT=$PORT BIND_HOST=127.0.0.1 LOG_LEVEL=WARNING python -m ministack &
emulator=$! HEALTH=/_ministack/health

. ./run.sh
