"""Breaks the library in thirty places, one by one, and tells which of the breaks the tests notice.

    python tests/mutation_trial.py [folder of a checkout]

Each break changes one expression of a rule, a kernel, an adapter or a layer in a copy of the checkout, and runs the
tests that have to notice. It shows that a suite which was made shorter still sees what it saw. Not a test itself: a
trial takes about half an hour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

CONFORMANCE, LAYERS = "tests/conformance/test_conformance.py", "tests/layers/test_every_layer.py"


class Break(NamedTuple):
    """What is broken: a text that occurs once below `folder`, what stands there instead, and who should notice."""

    folder: str
    text: str
    instead: str
    backends: str
    names: str
    tests: str = CONFORMANCE


RULES, TORCH = "keras_front/backend/gradients", "backends/keras_front_torch"
JAX, TENSORFLOW, NUMPY = "backends/keras_front_jax", "backends/keras_front_tensorflow", "backends/keras_front_numpy"
ALL, QUICK = "numpy,torch,jax,tensorflow", "numpy,torch"
BREAKS: list[Break] = [
    Break(RULES, "subtract(1, multiply(out, out))", "subtract(1, out)", ALL, "tanh"),
    Break(RULES, "negative(divide(multiply(g, out), y))", "negative(divide(g, y))", ALL, "divide"),
    Break(RULES, "(None, where(c, g, 0), where(c, 0, g))", "(None, where(c, 0, g), where(c, g, 0))", ALL, "where"),
    Break(RULES, "multiply(exp(out), sum(g", "multiply(out, sum(g", ALL, "log_softmax"),
    Break(RULES, "start += x.shape[place]", "start += 1", ALL, "concatenate"),
    Break(RULES, "axis % len(reference.shape)), None", "0), None", ALL, "gather"),
    Break(RULES, "start = tuple(lo for lo, _ in padding)", "start = tuple(hi for _, hi in padding)", ALL, "pad"),
    Break(RULES, "multiply(neural.softmax(logits), mass)", "neural.softmax(logits)", ALL, "softmax_crossentropy"),
    Break(RULES, "(low, d - low - covered)", "(d - low - covered, low)", ALL, "strided_slice"),
    Break(RULES, "exp(negative(multiply(x, x)))", "exp(negative(x))", ALL, "erf"),
    Break(JAX, "return jax.nn.relu(x)", "return jnp.maximum(x, 0)", "jax", "ties", "tests/backends/test_primitives.py"),
    Break(JAX, "axis = axis % (updates.ndim - indices.ndim + 1)", "axis = axis % updates.ndim", "jax", "scatter_add"),
    Break(JAX, "total / lax.reduce_window(ones", "total / lax.reduce_window(0 * ones + 2", "jax", "average_pool"),
    Break(JAX, "rhs_dilation=dilation", "rhs_dilation=None", "jax", "conv"),
    Break(JAX, "descending=descending).astype", ").astype", "jax", "argsort or top_k"),
    Break(
        JAX, "jnp.take_along_axis(x, indices, axis,", "jnp.take_along_axis(x, indices, -1,", "jax", "take_along_axis"
    ),
    Break(TENSORFLOW, "axis = axis % (n - k + 1)", "axis = axis % n", "tensorflow", "scatter_add"),
    Break(TENSORFLOW, "x.shape[axis] - 1 - back", "back", "tensorflow", "argsort"),
    Break(
        TENSORFLOW,
        "var = var * ((count - 1) / count)",
        "var = var * 1.0",
        "tensorflow",
        "BatchNormalization or normalize_batch",
        f"{CONFORMANCE} tests/backends/test_batch_statistics.py tests/backends/test_composites.py {LAYERS}",
    ),
    Break(
        TENSORFLOW,
        "t = steps - 1 - i if reverse else i",
        "t = i",
        "tensorflow",
        "test_scan or lstm or GRU",
        f"{CONFORMANCE} tests/backends/test_primitives.py {LAYERS}",
    ),
    Break(TENSORFLOW, "return u, s, tf.linalg.matrix_transpose(v)", "return u, s, v", "tensorflow", "svd"),
    Break(TORCH, "spaced = x.new_full(shape, value)", "spaced = x.new_zeros(shape)", "torch", "pad"),
    Break(
        TORCH,
        "if all(lo == hi for lo, hi in pairs) and",
        "if all(lo >= 0 for lo, hi in pairs) and",
        "torch",
        "conv or pool",
    ),
    Break(NUMPY, "np.subtract(rest, whole[place], rest)", "np.copyto(rest, rest)", "numpy", "max_pool"),
    Break(NUMPY, "(y > 0) & (y < 1), y.dtype.type(0.2)", "(y > 0), y.dtype.type(0.2)", "numpy", "lstm or gru"),
    Break(
        NUMPY,
        "gaps = (s * d for s, d in zip(space, self.dilation",
        "gaps = (s for s, d in zip(space, self.dilation",
        "numpy",
        "conv",
    ),
    Break(
        NUMPY,
        "np.add(block, next(left), block)",
        "next(left)",
        "numpy",
        "Conv or conv",
        f"{LAYERS} tests/backends/test_numpy_convolution.py tests/backends/test_numpy_schedule.py",
    ),
    Break(
        "keras_front/layers",
        "return K.concatenate(inputs, axis=self.axis)",
        "return K.concatenate(inputs, axis=-1)",
        QUICK,
        "Concatenate",
        LAYERS,
    ),
    Break(
        "keras_front/layers",
        "if not self.return_sequences:",
        "if self.return_sequences:",
        QUICK,
        "Bidirectional",
        f"{LAYERS} tests/saving/test_interop_models.py",
    ),
    Break(
        "keras_front/layers",
        "K.moving_average_update(self.moving_mean, mean, self.momentum)",
        "K.moving_average_update(self.moving_mean, mean, 1 - self.momentum)",
        QUICK,
        "BatchNormalization or optimizer",
        f"{LAYERS} tests/saving/test_interop_models.py",
    ),
]


def main(checkout: Path) -> None:
    """Run the trial on a checkout and print a line for each break."""
    caught = 0
    for number, broken in enumerate(BREAKS, 1):
        started = time.perf_counter()
        found = _try(checkout, broken)
        caught += found == "caught"
        print(
            f"{number:2} {found:9} {time.perf_counter() - started:4.0f} s  {broken.folder}: {broken.text}", flush=True
        )
    print(f"{caught} of {len(BREAKS)} caught")


def _try(checkout: Path, broken: Break) -> str:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "__pycache__", "build"))
        places = [path for path in (copy / broken.folder).rglob("*.py") if broken.text in path.read_text()]
        if not places:
            return "not found"
        source = places[0].read_text()
        places[0].write_text(source.replace(broken.text, broken.instead, 1))
        return "caught" if _fails(copy, broken) else "survived"


def _fails(copy: Path, broken: Break) -> bool:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'backends'}",
        "KERAS_FRONT_TEST_BACKENDS": broken.backends,
        "KERAS_FRONT_SHARED": os.environ.get("KERAS_FRONT_SHARED", str(Path(__file__).resolve().parents[2] / "shared")),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", broken.names]
    ran = subprocess.run([*command, *broken.tests.split()], cwd=copy, env=environment, capture_output=True, text=True)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"No test ran for {broken.text!r}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 1


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]))
