/** The Python client that an export brings: onnxruntime and numpy, nothing of ours. */
export const PYTHON_CLIENT = `"""Runs the exported model with onnxruntime alone.

    python client.py                       run the example and hold it against what tollama computed
    python client.py --series 1,2,3,...    forecast a series (models whose model.json has "feeding")
    python client.py --input FILE.json     forecast a JSON list of series; null where a value is missing
"""
import argparse
import base64
import json
import pathlib
import sys

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "int64": np.int64,
          "int32": np.int32, "int8": np.int8, "uint8": np.uint8, "bool": np.bool_}


def model_folder():
    """Beside this file, or in the newest version of the Triton repository beside it."""
    if (HERE / "model.json").exists():
        return HERE
    raise SystemExit(f"no model.json in {HERE}")


FOLDER = model_folder()
MODEL = json.loads((FOLDER / "model.json").read_text())


def open_graph(graph):
    return onnxruntime.InferenceSession(str(FOLDER / graph["file"]), providers=["CPUExecutionProvider"])


def tensor(stored):
    values = np.frombuffer(base64.b64decode(stored["base64"]), dtype=DTYPES[stored["dtype"]])
    return values.reshape(stored["dims"])


def multiple_of(shape, axis):
    """4*patches -> 4: what the length of an axis must be a multiple of; a number where it is fixed."""
    size = shape[axis]
    if isinstance(size, int):
        return size, True
    head = size.split("*")[0]
    return (int(head) if head.isdigit() else 1), False


def padded_length(shape, length):
    step, fixed = multiple_of(shape, -1)
    return step if fixed else -(-max(1, length) // step) * step


def feeds_of(graph, feeding, contexts, horizon):
    """Series are aligned to the right; what is missing is NaN (or 0), and 0 in the mask."""
    limit = MODEL["context_length"] or max(len(row) for row in contexts)
    rows = [np.asarray(row, dtype=np.float32)[-limit:] for row in contexts]
    feeds = {}
    for described in graph["inputs"]:
        name, shape = described["name"], described["shape"]
        role = feeding["inputs"][name]
        future = role.endswith("-future")
        length = padded_length(shape, horizon if future else max(len(row) for row in rows))
        dense = np.full((len(rows), length), 0.0 if role == "zeros-future" else np.nan, dtype=np.float32)
        if not future:
            for i, row in enumerate(rows):
                kept = row[-length:]
                if len(kept):
                    dense[i, length - len(kept):] = kept
        if role == "observed":
            dense = (~np.isnan(dense)).astype(np.float32)
        elif role == "values" and feeding["missing"] == "zero":
            dense = np.nan_to_num(dense, nan=0.0)
        feeds[name] = dense[:, None, :] if len(shape) == 3 else dense
    return feeds


def forecast(contexts, horizon=None):
    """[series][points] -> {"levels": [...], "values": array}; axes as feeding.layout says."""
    feeding = MODEL.get("feeding")
    if feeding is None:
        raise SystemExit(f"{MODEL['family']}: {MODEL.get('roll_out') or MODEL['prepared']}")
    graph = MODEL["graphs"][0]
    steps = horizon or MODEL["native_horizon"]
    session = open_graph(graph)
    (values,) = session.run([feeding["output"]], feeds_of(graph, feeding, contexts, steps))
    if steps > values.shape[-1]:
        raise SystemExit(f"horizon {steps}: one pass gives {values.shape[-1]} steps")
    return {"levels": MODEL["quantile_levels"], "layout": feeding["layout"], "values": values[..., :steps]}


def check(tolerance):
    example = json.loads((FOLDER / "example.json").read_text())
    worst = 0.0
    for graph in MODEL["graphs"]:
        if not graph["has_example"]:
            continue
        run = example["runs"][graph["name"]]
        expected = {name: tensor(stored) for name, stored in run["outputs"].items()}
        session = open_graph(graph)
        got = session.run(list(expected), {name: tensor(stored) for name, stored in run["inputs"].items()})
        for (name, want), values in zip(expected.items(), got):
            if want.dtype.kind != "f":
                worst = max(worst, float(np.any(want != values)))
                continue
            if want.size == 0:
                continue
            scale = float(np.nanmax(np.abs(want))) + 1e-12
            error = float(np.nanmax(np.abs(want.astype(np.float64) - values))) / scale
            worst = max(worst, error)
            print(f"{graph['name']}: {name} {list(values.shape)} differs by {error:.2e} of its largest value")
    print("ok" if worst <= tolerance else "DIFFERENT")
    return 0 if worst <= tolerance else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", help="numbers with commas between them")
    parser.add_argument("--input", help="a JSON file: a list of series")
    parser.add_argument("--horizon", type=int)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    args = parser.parse_args()
    if args.series:
        contexts = [[float(x) for x in args.series.split(",")]]
    elif args.input:
        contexts = [[np.nan if x is None else x for x in row] for row in json.loads(pathlib.Path(args.input).read_text())]
    else:
        return check(args.tolerance)
    answer = forecast(contexts, args.horizon)
    json.dump({**answer, "values": answer["values"].tolist()}, sys.stdout)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
`;
