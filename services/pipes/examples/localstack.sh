#!/bin/sh
# Beside LocalStack. Needs curl and Docker; 4.14.0 is the last version that wants no account.
set -eu
cd "$(dirname "$0")"

: "${PORT:=4566}"
docker run --rm --publish "127.0.0.1:$PORT:4566" --env LOCALSTACK_HOST="127.0.0.1:$PORT" \
    --env SQS_ENDPOINT_STRATEGY=path localstack/localstack:4.14.0 &
emulator=$! HEALTH=/_localstack/health

. ./run.sh
