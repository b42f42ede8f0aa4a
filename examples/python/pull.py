"""Pull a model with a line of progress.

    python pull.py chronos-bolt-small [--accept-license]
"""

import json
import os
import sys

import httpx

BASE_URL = os.environ.get("TOLLAMA_BASE_URL", "http://127.0.0.1:11435")


def main() -> None:
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if len(names) != 1:
        sys.exit(__doc__)
    body = {"model": names[0], "accept_license": "--accept-license" in sys.argv}
    # No timeout: weights can be gigabytes.
    with httpx.stream("POST", f"{BASE_URL}/api/pull", json=body, timeout=None) as response:
        if response.is_error:
            response.read()
            error = response.json()
            sys.exit(f"{response.status_code}: {error['detail']}\n{error.get('hint', '')}")
        for line in response.iter_lines():
            event = json.loads(line)
            if "error" in event:
                sys.exit(event["error"]["message"])
            total = event.get("total_bytes") or 0
            if total:
                done = event["completed_bytes"]
                print(f"\r{done / 1e6:.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr)
            else:
                print(event["status"], file=sys.stderr)
    print(json.dumps(event))


if __name__ == "__main__":
    main()
