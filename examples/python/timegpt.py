"""The plain nixtla client against a local daemon: forecast, history, cross-validation, anomalies.

    pip install nixtla zstandard
    tollama serve &
    python timegpt.py [model]
"""

import os
import sys

import numpy as np
import pandas as pd
from nixtla import NixtlaClient

BASE_URL = os.environ.get("TOLLAMA_BASE_URL", "http://127.0.0.1:11435")
API_KEY = os.environ.get("TOLLAMA_API_KEY", "local")


def sales(name: str, level: float, days: int = 120) -> pd.DataFrame:
    t = np.arange(days)
    promo = (t % 9 == 0).astype(float)
    return pd.DataFrame(
        {
            "unique_id": name,
            "ds": pd.date_range("2024-01-01", periods=days, freq="D"),
            "y": level + 10 * np.sin(2 * np.pi * t / 7) + 25 * promo,
            "promo": promo,
        }
    )


def main() -> None:
    model = {"model": sys.argv[1]} if len(sys.argv) > 1 else {}
    client = NixtlaClient(base_url=BASE_URL, api_key=API_KEY)
    frame = pd.concat([sales("north", 50), sales("south", 200)])
    plain = frame.drop(columns="promo")

    print(client.forecast(plain, h=3, freq="D", level=[80], **model))

    last = frame["ds"].max()
    future = pd.DataFrame(
        [(name, last + pd.Timedelta(days=k + 1), float(k == 1)) for name in ("north", "south") for k in range(3)],
        columns=["unique_id", "ds", "promo"],
    )
    print(client.forecast(frame, h=3, freq="D", X_df=future, **model))
    print(client.cross_validation(plain, h=3, n_windows=2, freq="D", **model))

    plain.loc[plain["ds"] == last - pd.Timedelta(days=4), "y"] += 300
    found = client.detect_anomalies_online(plain, h=7, detection_size=10, freq="D", **model)
    print(found[found["anomaly"]])


if __name__ == "__main__":
    main()
