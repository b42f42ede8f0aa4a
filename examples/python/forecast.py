"""Forecast two series and print the means with their 80% intervals.

    pip install httpx
    tollama serve &
    python forecast.py [model]
"""

import os
import sys
from datetime import date, timedelta

import httpx

BASE_URL = os.environ.get("TOLLAMA_BASE_URL", "http://127.0.0.1:11435")
API_KEY = os.environ.get("TOLLAMA_API_KEY")


def days(count: int, start: date = date(2024, 1, 1)) -> list[str]:
    return [(start + timedelta(days=i)).isoformat() for i in range(count)]


def series(name: str, values: list[float]) -> dict:
    return {"id": name, "freq": "D", "timestamps": days(len(values)), "target": values}


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "auto"
    body = {
        "model": model,
        "horizon": 7,
        "quantiles": [0.1, 0.5, 0.9],
        "series": [
            series("shop", [20 + 5 * (i % 7) + 0.1 * i for i in range(70)]),
            series("web", [200 - 3 * (i % 7) for i in range(70)]),
        ],
    }
    headers = {"authorization": f"Bearer {API_KEY}"} if API_KEY else {}
    # A model that is not loaded yet may take a while.
    with httpx.Client(base_url=BASE_URL, headers=headers, timeout=300) as client:
        response = client.post("/v1/forecast", json=body)
    if response.is_error:
        error = response.json()
        sys.exit(f"{response.status_code}: {error['detail']}\n{error.get('hint', '')}")
    answer = response.json()
    for warning in answer["warnings"] or []:
        print(f"warning: {warning}", file=sys.stderr)
    for forecast in answer["forecasts"]:
        print(f"{forecast['id']} from {forecast['start_timestamp']}")
        quantiles = forecast["quantiles"]
        for mean, low, high in zip(forecast["mean"], quantiles["0.1"], quantiles["0.9"]):
            print(f"  {mean:8.2f}  [{low:8.2f}, {high:8.2f}]")


if __name__ == "__main__":
    main()
