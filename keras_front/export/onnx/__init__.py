"""Programs of K as graphs of ONNX, for ONNX Runtime and all that reads its format.

`build` makes a model of a recorded program, `file.write` a file of a Keras model. Beside the files of emitters, which
are ordered by kinds of ops, `emitter` is their table, `graph` what they write to, and `recorder` the backend for which
a program is recorded. Nothing here but `file` knows more of this library than K.
"""

from __future__ import annotations

from keras_front.errors import MissingPackageError

try:
    import onnx as onnx
except ImportError as error:
    raise MissingPackageError.of("Graphs of ONNX", "onnx", "onnx") from error

from keras_front.export.onnx.build import OnnxModel, build
from keras_front.export.onnx.emitter import EMITTERS, REFUSED, keeps_whole
from keras_front.export.onnx.recorder import Recorder, record

__all__ = ["EMITTERS", "REFUSED", "OnnxModel", "Recorder", "build", "keeps_whole", "record"]
