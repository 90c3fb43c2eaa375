"""Python runs this when it starts with this folder on `PYTHONPATH`: `import keras` will give keras_front.

`keras_front.install_as_keras` puts the folder there for the processes that this one starts. Nothing is loaded before
Keras is imported, and a `sitecustomize` of the user's own, which this one hides, runs as well.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import os
import sys

TYPE_CHECKING = False  # `typing` would be half of what this costs
if TYPE_CHECKING:
    from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = {"keras", "keras_applications", "keras_preprocessing", "tensorflow", "tf_keras"}


class Waiting:
    """Finds nothing; installs the finders of keras_front when Keras is imported for the first time, and asks them."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """What the finders of keras_front say of Keras; None for any other module.

        Args:
            fullname: name of the module.
            path: passed on.
            target: passed on.
        """
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        from keras_front.legacy import modules

        modules.install()
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(cls)
        specs = (finder.find_spec(fullname, path, target) for finder in list(sys.meta_path))
        return next(filter(None, specs), None)


def run_hidden() -> None:
    """Run the next `sitecustomize` on the path, as if this one were not there."""
    others = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def start() -> None:
    """Wait for the first import of Keras."""
    if importlib.util.find_spec("keras_front") is None:
        sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(HERE))))
    sys.meta_path.insert(0, Waiting)


if __name__ == "sitecustomize":
    start()
    run_hidden()
