#!/bin/sh
# The emulator runs this when its APIs answer. It deploys the template, as `inventory deploy` does.
# `python` has boto3 and PyYAML: LocalStack 4.14.0 activates its virtual environment at the start
# (bin/docker-entrypoint.sh), and calls this file as root (localstack/runtime/init.py; its Dockerfile
# sets no user). MiniStack's Dockerfile installs both for the only Python there is.
export PYTHONPATH=/opt/inventory PYTHONDONTWRITEBYTECODE=1
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}"
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
folder="${FUNCTION_FOLDER:-/opt/inventory/function}"

pipes_answer() {
  [ -z "$AWS_ENDPOINT_URL_PIPES" ] || python -c '
import os, socket, urllib.parse
url = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL_PIPES"])
socket.create_connection((url.hostname, url.port or 80), 1)' 2>/dev/null
}

# The services `deployer` and `pipes` start beside this one. If this one depended on them, or had the
# settings in its environment, Compose would recreate it whenever their code or a setting changes,
# and LocalStack would forget its data.
attempts=300
until [ -e "$folder/function.zip" ] && pipes_answer; do
  attempts=$((attempts - 1))
  if [ "$attempts" = 0 ]; then
    echo "The services deployer and pipes did not start: see docker compose logs deployer pipes" >&2
    exit 1
  fi
  sleep 0.2
done

exec python -m deploy "$folder/function.zip" "$folder/settings.json"
