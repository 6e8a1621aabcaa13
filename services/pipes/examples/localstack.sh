#!/bin/sh
# Beside LocalStack. Needs curl and Docker; 4.14.0 is the last version that wants no account.
set -eu
cd "$(dirname "$0")"

command -v docker >/dev/null && command -v eventbridge-pipes >/dev/null &&
    python -c 'import boto3' 2>/dev/null || {
    echo "Install Docker and, in the root of the repository, run: pip install ./services/pipes" >&2
    exit 2
}

: "${PORT:=4566}"
docker run --rm --publish "127.0.0.1:$PORT:4566" --env LOCALSTACK_HOST="127.0.0.1:$PORT" \
    --env SQS_ENDPOINT_STRATEGY=path localstack/localstack:4.14.0 &
emulator=$! HEALTH=/_localstack/health

. ./run.sh
