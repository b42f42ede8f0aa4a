"""The plain tritonclient against a local daemon: forecasts of the rows of a matrix, as binary tensors.

    pip install "tritonclient[http]"
    tollama serve &
    python triton.py [model]
"""

import os
import sys

import numpy as np
import tritonclient.http as triton

ADDRESS = os.environ.get("TOLLAMA_BASE_URL", "http://127.0.0.1:11435").split("://")[-1]


def tensor(name: str, values: np.ndarray, datatype: str) -> triton.InferInput:
    one = triton.InferInput(name, list(values.shape), datatype)
    one.set_data_from_numpy(values)
    return one


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "auto"
    client = triton.InferenceServerClient(ADDRESS)
    t = np.arange(84)
    context = np.stack([10 + np.sin(2 * np.pi * t / 7), 100 + 0.1 * t]).astype(np.float32)
    answer = client.infer(
        model,
        [
            tensor("context", context, "FP32"),
            tensor("horizon", np.array([5], np.int32), "INT32"),
            tensor("quantile_levels", np.array([0.1, 0.9], np.float32), "FP32"),
        ],
    )
    print("mean", answer.as_numpy("mean"))
    print("quantiles", answer.as_numpy("quantiles"))
    print(client.get_inference_statistics(model)["model_stats"][0]["inference_stats"]["compute_infer"])


if __name__ == "__main__":
    main()
