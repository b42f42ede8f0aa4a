/** The Python client that a Triton repository brings: Triton's own client library and numpy. */
export const tritonClient = (
  name: string,
  version: number,
): string => `"""Asks a Triton server that serves this repository (pip install tritonclient[http]).

    tritonserver --model-repository DIR      (or KServe, with DIR as its storage)
    python client.py [--url localhost:8000]

Sends the example's inputs and holds the answer against what tollama computed.
"""
import argparse
import base64
import json
import pathlib
import sys

import numpy as np
import tritonclient.http as triton

NAME, VERSION = ${JSON.stringify(name)}, ${JSON.stringify(String(version))}
FOLDER = pathlib.Path(__file__).resolve().parent / NAME / VERSION
DTYPES = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "int32": np.int32,
          "int8": np.int8, "uint8": np.uint8, "bool": np.bool_}


def tensor(stored):
    values = np.frombuffer(base64.b64decode(stored["base64"]), dtype=DTYPES[stored["dtype"]])
    # Triton knows no tensor without axes.
    return values.reshape(stored["dims"] or [1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="localhost:8000")
    args = parser.parse_args()
    example = json.loads((FOLDER / "example.json").read_text())
    (run,) = example["runs"].values()
    client = triton.InferenceServerClient(args.url)
    inputs = []
    for name, stored in run["inputs"].items():
        values = tensor(stored)
        asked = triton.InferInput(name, list(values.shape), triton.np_to_triton_dtype(values.dtype))
        asked.set_data_from_numpy(values)
        inputs.append(asked)
    wanted = [triton.InferRequestedOutput(name) for name in run["outputs"]]
    answer = client.infer(NAME, inputs, model_version=VERSION, outputs=wanted)
    worst = 0.0
    for name, stored in run["outputs"].items():
        want, got = tensor(stored), answer.as_numpy(name)
        scale = float(np.nanmax(np.abs(want))) + 1e-12
        worst = max(worst, float(np.nanmax(np.abs(want.astype(np.float64) - got))) / scale)
        print(f"{name} {list(got.shape)}")
    print(f"differs by {worst:.2e} of the largest value")
    return 0 if worst < 1e-3 else 1


if __name__ == "__main__":
    sys.exit(main())
`;
