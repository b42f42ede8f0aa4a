"""A runner in plain Python: any model that you can call from Python becomes a family of the daemon.

The daemon starts this program, writes one JSON request a line to its stdin and reads one JSON answer a line from
its stdout. config.json of the state folder names it:

    {"version": 1, "daemon": {"runner_commands": {"my-family": ["python3", "/path/to/runner.py"]}}}

and a registry.yaml (TOLLAMA_MODEL_REGISTRY_PATH) names models of the family:

    models:
      - name: my-model
        family: my-family
        source: {type: local, repo_id: me/my-model, revision: main}
        license: {type: mit, needs_acceptance: false}

Its model repeats the last season; quantiles come from how far earlier seasons were off. Only `forecast` would
change for another model. Whatever else prints must print to stderr: stdout belongs to the protocol.
"""

import json
import sys
import time
from datetime import datetime, timedelta

PROTOCOL = 1
METHODS = ["hello", "ping", "capabilities", "load", "unload", "forecast"]


class Refusal(Exception):
    """An error that the client may see. BAD_REQUEST and MODEL_UNSUPPORTED become 400, others 502."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def next_timestamp(series):
    """One step after the last timestamp, written as the others are."""
    stamps = series["timestamps"]
    if all(stamp.lstrip("-").isdigit() for stamp in stamps):
        step = int(stamps[-1]) - int(stamps[-2]) if len(stamps) > 1 else 1
        return str(int(stamps[-1]) + step)
    try:
        times = [datetime.fromisoformat(stamp) for stamp in stamps[-2:]]
    except ValueError:
        raise Refusal("BAD_REQUEST", f"timestamp {stamps[-1]!r} is not an ISO time") from None
    last = times[-1]
    if series.get("freq") in ("MS", "M", "ME"):
        after = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
        if series["freq"] != "MS":  # The end of the month.
            after = (after + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    else:
        after = last + (last - times[0] if len(times) > 1 else timedelta(days=1))
    return after.isoformat()[: len(stamps[-1])]


def known_values(series):
    """The target, each missing value replaced by the one before it."""
    missing = set(series.get("missing_indices") or [])
    values = [None if i in missing else float(v) for i, v in enumerate(series["target"])]
    first = next((value for value in values if value is not None), None)
    if first is None:
        raise Refusal("BAD_REQUEST", f"series {series['id']!r} has no value at all")
    filled = []
    for value in values:
        filled.append(value if value is not None else (filled[-1] if filled else first))
    return filled


def quantile(ascending, level):
    """Linear between the two nearest."""
    rank = level * (len(ascending) - 1)
    below = int(rank)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (rank - below) * (ascending[above] - ascending[below])


def forecast_series(series, horizon, levels, season):
    values = known_values(series)
    season = min(season, len(values))
    cycle = values[-season:]
    mean = [cycle[step % season] for step in range(horizon)]
    errors = sorted(b - a for a, b in zip(values, values[season:])) or [0.0]
    quantiles = {
        f"{level:g}": [
            # Errors add up over the cycles ahead like the steps of a random walk.
            value + quantile(errors, level) * (1 + step // season) ** 0.5
            for step, value in enumerate(mean)
        ]
        for level in levels
    }
    return {
        "id": series["id"],
        "freq": series["freq"],
        "start_timestamp": next_timestamp(series),
        "mean": mean,
        "quantiles": quantiles or None,
    }


def hello(_):
    return {"name": "python-example", "version": "1.0", "protocol": PROTOCOL, "capabilities": METHODS}


def ping(_):
    return {"ok": True}


def capabilities(params):
    return {"model": params.get("model"), "family": "my-family"}


def load(params):
    # A model with weights would read params["model_local_dir"] here and keep it.
    return {"loaded": True, "model": params["model"]}


def unload(params):
    return {"unloaded": True, "model": params.get("model")}


def forecast(params):
    started = time.perf_counter()
    season = params.get("options", {}).get("season", 7)
    if not isinstance(season, int) or isinstance(season, bool) or season < 1:
        raise Refusal("BAD_REQUEST", f"option season = {season!r} is not a whole number of 1 or more")
    forecasts = [
        forecast_series(series, params["horizon"], params.get("quantiles", []), season)
        for series in params["series"]
    ]
    milliseconds = (time.perf_counter() - started) * 1000
    return {
        "model": params["model_name"],
        "forecasts": forecasts,
        "usage": {"runner": "python-example", "device": "cpu", "series_count": len(forecasts)},
        "timing": {"model_load_ms": 0, "inference_ms": milliseconds},
    }


HANDLERS = {
    "hello": hello,
    "ping": ping,
    "capabilities": capabilities,
    "load": load,
    "unload": unload,
    "forecast": forecast,
}


def answer(line):
    request_id = "unknown"
    try:
        request = json.loads(line)
        request_id = request["id"]
        method = request["method"]
    except (ValueError, KeyError, TypeError):
        return {"id": request_id, "error": {"code": -32600, "message": "not a request"}}
    handler = HANDLERS.get(method)
    if handler is None:
        error = {"code": -32601, "message": f"there is no method {method!r}"}
        return {"id": request_id, "error": error}
    try:
        return {"id": request_id, "result": handler(request.get("params") or {})}
    except Refusal as refusal:
        error = {"code": refusal.code, "message": str(refusal)}
    except Exception as bug:  # The daemon's log shows where; the client learns what.
        print(f"{method}: {bug!r}", file=sys.stderr)
        error = {"code": "FORECAST_ERROR", "message": f"{type(bug).__name__}: {bug}"}
    return {"id": request_id, "error": error}


def main():
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
