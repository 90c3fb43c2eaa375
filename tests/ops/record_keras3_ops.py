"""Records what Keras 3.15.1 gives for the calls of `calls.py`: `python tests/ops/record_keras3_ops.py`."""

import base64
import json
import os
from pathlib import Path

import numpy as np
from calls import ARRAYS, CALLS


def packed(value):
    array = np.asarray(value)
    array = array.astype("float32") if array.dtype == "float64" else array
    return [array.dtype.name, list(array.shape), base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()]


def main():
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    given = {name: keras.ops.convert_to_tensor(value) for name, value in ARRAYS.items()}
    found = {}
    for name, call in CALLS.items():
        try:
            result = call(keras.ops, given)
        except Exception as error:  # what this Keras cannot do on this engine
            print("SKIPPED", name, type(error).__name__, str(error)[:200])
            continue
        results = result if isinstance(result, list) else [result]
        found[name] = [packed(keras.ops.convert_to_numpy(r)) for r in results]
    path = Path(__file__).with_name("keras3_ops.json")
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
    path.write_text(f"{{\n{lines}\n}}\n")
    print(len(found), "recorded")


if __name__ == "__main__":
    main()
