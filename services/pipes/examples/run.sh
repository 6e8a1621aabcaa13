# Read by the others: starts the service beside the emulator that is starting on $PORT, runs
# orders.py, and ends both.
export AWS_ENDPOINT_URL="http://127.0.0.1:$PORT"
export AWS_ENDPOINT_URL_PIPES="http://127.0.0.1:${PIPES_PORT:=4567}"
export AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

eventbridge-pipes --in-memory --port "$PIPES_PORT" &
service=$!
trap 'set +e; exec 2>/dev/null; kill $service; wait $service; kill $emulator; wait' EXIT
trap 'exit 1' INT TERM

for url in "$AWS_ENDPOINT_URL$HEALTH" "$AWS_ENDPOINT_URL_PIPES/health"; do
    until curl --silent --fail --output /dev/null "$url"; do
        kill -0 $service $emulator 2>/dev/null || {
            echo "The service or the emulator ended before it was ready (see above)." >&2
            exit 1
        }
        sleep 0.2
    done
done
python orders.py
