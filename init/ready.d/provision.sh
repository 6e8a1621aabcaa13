#!/bin/sh
# The emulator runs this once its APIs answer: the same provisioner as everywhere, on this very
# emulator. Its own Python has boto3.
export PYTHONPATH=/opt/inventory PYTHONDONTWRITEBYTECODE=1
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}"
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
exec python -m provisioner /opt/inventory/function/function.zip
