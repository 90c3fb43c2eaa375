"""The recorder: a backend that computes nothing but constants, for which programs are recorded to be written as ONNX.

It keeps the composites whole that have operators in ONNX. Sizes may be unknown in its programs: they stay symbols.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front.backend import discovery, program, symbolic
from keras_front.backend.adapter import Backend
from keras_front.backend.ir import Program
from keras_front.errors import SerializationError, UntraceableError
from keras_front.export.onnx.emitter import DEFAULT, EMITTERS, keeps_whole


class Recorder(Backend):
    """The backend of programs that will be written as ONNX.

    Args:
        opset: the version of ONNX's operators.
    """

    name = "recorder"

    def __init__(self, opset: int = DEFAULT):
        self.opset = opset
        self.host: Any = discovery.get("numpy")  # folds constants
        super().__init__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["host"], name)

    def overrides(self, name: str) -> bool:
        emitter = EMITTERS.get(name)
        return emitter is not None and self.opset >= emitter.since

    def keeps(self, call: Any) -> bool:
        return keeps_whole(call, self.opset)

    def convert(self, value: Any, dtype: str | None = None) -> Any:
        owner = discovery.owner(value)
        return self.host.convert(value if owner is None else owner.to_numpy(value), dtype)


def record(
    fn: Callable[..., Any], args: list[Any], opset: int = DEFAULT, where: Callable[[], str] = lambda: ""
) -> Program:
    """The program of a function.

    Args:
        fn: takes tensors or flat lists of them.
        args: for each argument a symbolic tensor or a list of them, whose unknown sizes stay unknown.
        opset: the version of ONNX's operators.
        where: gives the path of the layer that computes at the moment, for messages.

    Raises: SerializationError if the function computes with a size that is not known.
    """
    recorder = Recorder(opset)
    with discovery.use_backend(recorder.host):
        try:
            return program.trace(recorder, fn, args)
        except (TypeError, ValueError, ArithmeticError, IndexError, AttributeError) as error:
            open_shapes = [t.shape for t in symbolic.leaves_of(args) if None in t.shape]
            if not open_shapes or (isinstance(error, UntraceableError) and all(None not in s[1:] for s in open_shapes)):
                raise
            layer = f"layer {where()!r}: " if where() else ""
            raise SerializationError(
                f"export: {layer}it cannot be recorded without the sizes that are not known of inputs of shape "
                f"{', '.join(map(str, open_shapes))} ({type(error).__name__}: {error}). Fix them, "
                "those of a model by input_signature, a shape with the batch for each input."
            ) from error
