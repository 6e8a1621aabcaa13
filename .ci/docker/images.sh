#!/usr/bin/env bash
# The images that compose and the container tests run on, made from package registries alone, and
# on standard output the variables that lead to them: .ci/docker/README.md.
#   variables=$(.ci/docker/images.sh) && eval "$variables"
# The label of an image is the hash of all that it is made of; while that fits, nothing is done.
set -euo pipefail
. "$(dirname "$0")/common.sh"

PYTHON=inventory-ci/python:3.13-slim
LOCALSTACK=inventory-ci/localstack:4.14.0
MINISTACK=inventory-ci/ministack:1.5.33
REGISTRY=127.0.0.1:5000
REGISTRY_IMAGE=inventory-ci/registry:2
LAMBDA_RUNTIME=$REGISTRY/lambda/python:3.13
LABEL=inventory-ci.inputs

hash_of_input() { sha256sum | cut -c -32; }
is_current() {
  local format="{{index .Config.Labels \"$LABEL\"}}"
  [ "$(docker image inspect --format "$format" "$1" 2>/dev/null)" = "$2" ]
}

# Makes the image TAG by COMMAND TAG LABEL …, unless it is there and made of the same INPUTS.
image() {
  local tag=$1 inputs=$2 began=$SECONDS
  shift 2
  if is_current "$tag" "$inputs"; then
    say "$tag is there"
    return
  fi
  say "Making $tag …"
  "$1" "$tag" "$LABEL=$inputs" "${@:2}" >"$LOG" 2>&1
  say "$tag is made ($((SECONDS - began)) s)"
}

# Makes the image TAG of the Dockerfile in FOLDER, on the base.
image_of() {
  local inputs
  inputs=$({ docker image inspect --format '{{.Id}}' "$PYTHON" && cat "$2"/*; } | hash_of_input)
  image "$1" "$inputs" build "$2"
}

build() {
  local tag=$1 label=$2 context=$WORK/$3
  cp -r "$3" "$context"
  if [ -e "$context/pom.xml" ]; then
    command -v mvn >/dev/null || install_packages maven default-jre-headless
    mvn --quiet --batch-mode -Dstyle.color=never --file "$context/pom.xml" dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$context/libraries"
  fi
  docker build --tag "$tag" --label "$label" --build-arg BASE_IMAGE="$PYTHON" \
    --build-arg NPM_CONFIG_REGISTRY "$context"
}

# LocalStack pulls the runtime's image even where it is: a registry on the loopback has it.
serve_runtime() {
  local name=inventory-ci-registry
  if [ -z "$(docker ps --quiet --filter "name=^$name$" --filter "ancestor=$REGISTRY_IMAGE")" ]; then
    docker rm --force "$name" >/dev/null 2>&1 || true
    docker run --detach --name "$name" --restart unless-stopped \
      --publish "$REGISTRY:5000" "$REGISTRY_IMAGE" >/dev/null
  fi
  for _ in {1..20}; do
    docker push --quiet "$LAMBDA_RUNTIME" >"$LOG" 2>&1 && return
    sleep 0.5
  done
  exit 1
}

# The log of whatever failed is the reason.
leave() {
  local status=$?
  if [ "$status" != 0 ]; then
    tail -n 30 "$LOG" >&2
    say "images.sh: the last step failed; the lines above say why"
  fi
  rm -rf "$WORK"
}

[ "$(uname -m)" = x86_64 ] || fail "these images are made for x86_64 alone"
docker info >/dev/null 2>&1 || fail "no Docker engine answers; .ci/docker/engine.sh starts one"
one_at_a_time
cd "$(dirname "$0")"
WORK=$(mktemp -d)
LOG=$WORK/log
: >"$LOG"
trap leave EXIT
. ./base.sh

image "$PYTHON" "$(base_inputs | hash_of_input)" make_base
image_of "$REGISTRY_IMAGE" registry
image_of "$LAMBDA_RUNTIME" lambda-runtime
image_of "$MINISTACK" ministack
image_of "$LOCALSTACK" localstack
serve_runtime

cat <<VARIABLES
export BASE_IMAGE=$PYTHON
export LOCALSTACK_IMAGE=$LOCALSTACK
export MINISTACK_IMAGE=$MINISTACK
export LAMBDA_RUNTIME_IMAGE_MAPPING='{"python3.13":"$LAMBDA_RUNTIME"}'
export TESTCONTAINERS_CONNECTION_MODE=docker_host
export TESTCONTAINERS_RYUK_DISABLED=true
VARIABLES
