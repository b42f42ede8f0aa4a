#!/bin/sh
# Entry of the container. `serve` starts the daemon and installs what TOLLAMA_PULL names, with spaces between:
# a model of the registry or the hub, or FOLDER=NAME for files that lie there. TOLLAMA_READY_FILE is made once all
# are there. Anything else runs as a command of tollama.
set -eu
if [ "${1:-}" != serve ]; then exec tollama "$@"; fi
shift
ready=${TOLLAMA_READY_FILE:-/tmp/tollama-ready}
port=${TOLLAMA_HOST##*:}
url="http://127.0.0.1:$port"
rm -f "$ready"
tollama serve "$@" &
daemon=$!
trap 'kill -TERM "$daemon" 2>/dev/null || true' TERM INT
until tollama list --base-url "$url" --quiet >/dev/null 2>&1; do
  kill -0 "$daemon" 2>/dev/null || { wait "$daemon"; exit $?; }
  sleep 0.2
done
for wanted in ${TOLLAMA_PULL:-}; do
  source=${wanted%%=*}
  name=${wanted#*=}
  if [ "$name" = "$wanted" ]; then set -- "$source"; else set -- "$source" --name "$name"; fi
  if [ "${TOLLAMA_ACCEPT_LICENSE:-}" = 1 ]; then set -- "$@" --accept-license; fi
  tollama pull "$@" --base-url "$url" --progress off || { kill -TERM "$daemon"; exit 1; }
done
touch "$ready"
# A signal ends the first wait; the second waits for the daemon to answer what it has begun.
status=0
wait "$daemon" || status=$?
if kill -0 "$daemon" 2>/dev/null; then status=0; wait "$daemon" || status=$?; fi
exit "$status"
