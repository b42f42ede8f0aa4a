"""Forecast with progress: lines of JSON, the last of which carries the answer.

    python stream.py [model]
"""

import json
import os
import sys

import httpx

BASE_URL = os.environ.get("TOLLAMA_BASE_URL", "http://127.0.0.1:11435")


def main() -> None:
    body = {
        "model": sys.argv[1] if len(sys.argv) > 1 else "auto",
        "horizon": 3,
        "series": [
            {
                "id": "monthly",
                "freq": "MS",
                "timestamps": [f"2024-{month:02}-01" for month in range(1, 13)],
                "target": [float(month) for month in range(1, 13)],
            }
        ],
    }
    with httpx.stream("POST", f"{BASE_URL}/api/forecast", json=body, timeout=300) as response:
        if response.is_error:
            response.read()
            sys.exit(f"{response.status_code}: {response.text}")
        for line in response.iter_lines():
            event = json.loads(line)
            if "error" in event:
                sys.exit(f"failed midway: {event['error']['detail']}")
            if event.get("done"):
                print(json.dumps(event["response"]["forecasts"], indent=2))
            else:
                print(event["status"], file=sys.stderr)


if __name__ == "__main__":
    main()
