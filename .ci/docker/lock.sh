#!/usr/bin/env bash
# Renews the lock files of these images: all versions with hashes. Arguments go to uv: --upgrade.
set -euo pipefail
cd "$(dirname "$0")"
for image in lambda-runtime ministack localstack; do
  ../../.venv/bin/uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 \
    --generate-hashes --no-emit-index-url --custom-compile-command .ci/docker/lock.sh \
    "$@" --output-file "$image/requirements.txt" "$image/requirements.in"
done
