"""Programs as sessions of ONNX Runtime.

A program is written as an ONNX model once. Its constant arguments, the weights of a model that predicts, become
initializers where that pays: only then does ONNX Runtime lay them out for its kernels, fold batch normalization into
convolutions, and so on. Their values are no part of the model's bytes but are handed to the session, which copies them;
so when weights have changed, the same bytes make a new session.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from keras_front.backend import codegen, shapes
from keras_front.backend.ir import Program
from keras_front.backend.op import OPS
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import SerializationError
from keras_front.export.onnx import build
from keras_front.export.onnx.build import names_read
from keras_front_numpy.arena import Arena, arenas_of
from keras_front_onnxruntime.contract import keeping_contract

OPSET = 20  # of the operators; the first one with Gelu
THREADS = "OMP_NUM_THREADS"
SMALL = 1 << 16  # elements of weights that a session is given at each call, if no node rearranges them
PRODUCTS = frozenset(("Gemm", "MatMul"))
REARRANGED = frozenset(("Conv", "ConvTranspose", "LSTM", "GRU", "RNN", "Scan", "Loop"))
FAILURES = (
    engine.EPFail, engine.Fail, engine.InvalidArgument, engine.InvalidGraph, engine.InvalidProtobuf,
    engine.NotImplemented, engine.RuntimeException,
)  # fmt: skip


def compiled(program: Program) -> Function | None:
    """A program as a function that runs a session; None if ONNX or ONNX Runtime lacks something for it.

    Args:
        program: the program.
    """
    try:
        return Function(program) if is_pure(program) else None
    except (SerializationError, *FAILURES):
        return None


def is_pure(program: Program) -> bool:
    """Whether results depend on arguments alone; noise and prints are the host's business.

    Args:
        program: the program.
    """
    bodies = (call.body for call in program.instructions if call.body is not None)
    return all(OPS[call.op].facts.pure for call in program.instructions) and all(map(is_pure, bodies))


class Held(NamedTuple):
    """A session, and what its initializers were made of.

    Attributes:
        run: the method of the session.
        values: the arrays; they are kept, so that no other array can take the place of one in memory.
        arenas: where some of them lie, with how often each had been written over.
    """

    run: Callable[..., Any]
    values: list[Any]
    arenas: list[tuple[Arena, int]]

    def holds(self, values: Sequence[Any]) -> bool:
        """Whether these are the arrays, unchanged.

        Args:
            values: the present arrays.
        """
        return all(map(is_, values, self.values)) and all(arena.writes == writes for arena, writes in self.arenas)


class Function:
    """A program as a callable.

    Args:
        program: the program.

    Raises: an error of ONNX Runtime where it lacks a kernel, SerializationError where ONNX lacks an operator.
    """

    def __init__(self, program: Program):
        self.program = program
        self._lock = threading.Lock()
        arguments, written = _Arguments(program), build(keeping_contract(program), opset=OPSET)
        nodes = written.proto.graph.node
        read = names_read(nodes)
        inputs = {name: t for name, t in written.inputs.items() if name in read}
        constant = {name: t for name, t in inputs.items() if t in arguments.constant}
        small = _is_small({node.op_type for node in nodes}, constant.values())
        baked = {} if small else {name: arguments.constant[t] for name, t in constant.items()}
        session = _session(_with_inputs(written.proto, inputs, ()), small or bool(baked))  # says what has no kernel
        self._run = arguments.caller(inputs, baked)
        self._values = arguments.values(baked)
        self._held = None if baked else Held(session.run, [], [])
        self._names, self._bytes = list(baked), _with_inputs(written.proto, inputs, baked) if baked else b""

    @property
    def source(self) -> str:
        """The text of the program."""
        return codegen.source_of(self.program)

    def __call__(self, *args: Any) -> Any:
        """Run the program.

        Args:
            *args: arrays, and lists of arrays for the arguments that are lists.
        """
        values, held = self._values(*args), self._held
        try:
            if held is None or not held.holds(values):
                held = self._renewed(values)
            return self._run(held.run, *args)
        except FAILURES:
            return codegen.function_of(self.program)(*args)  # which says in K's words what is wrong

    def _renewed(self, values: list[Any]) -> Held:
        """A session with these values of the constant arguments."""
        with self._lock:
            if self._held is None or not self._held.holds(values):
                arenas = [(arena, arena.writes) for arena in arenas_of(values)]
                session = _session(self._bytes, False, dict(zip(self._names, values, strict=True)))
                self._held = Held(session.run, values, arenas)
            return self._held


class _Arguments:
    """How the tensors that a program is given are reached from its arguments: the text for each of them.

    Args:
        program: the program.
    """

    def __init__(self, program: Program):
        everything = program.parameters()
        self.program = program
        self.names = [f"a{place}" for place in range(len(everything))]
        self.texts = {t: text for place, arg in enumerate(everything) for t, text in _texts(arg, f"a{place}")}
        fixed = {*program.constant, *range(len(program.args), len(everything))}
        self.constant = {t: text for place in sorted(fixed) for t, text in _texts(everything[place], f"a{place}")}

    def values(self, baked: dict[str, str]) -> Callable[..., list[Any]]:
        """A function of the arguments that gives the arrays which become initializers."""
        return eval(f"lambda {', '.join(self.names)}: [{', '.join(baked.values())}]")

    def caller(self, inputs: dict[str, SymbolicTensor], baked: dict[str, str]) -> Callable[..., Any]:
        """`call(run, *arguments)`: the results of the program by the method `run` of its session."""
        fed = {name: (t, self.texts[t]) for name, t in inputs.items() if name not in baked}
        feeds = ", ".join(f"{name!r}: {text if t.shape else f'asarray({text})'}" for name, (t, text) in fed.items())
        places = iter(range(1 << 30))
        results = codegen.nested_text(self.program.results, SymbolicTensor, lambda _: f"o[{next(places)}]")
        text = f"def call(run, {', '.join(self.names)}):\n    o = run(None, {{{feeds}}})\n    return {results}\n"
        scope: dict[str, Any] = {"asarray": np.asarray}  # of shape (), NumPy makes numbers that are no arrays
        exec(text, scope)
        return scope["call"]


def _is_small(kinds: set[str], weights: Collection[SymbolicTensor]) -> bool:
    """Whether a graph of nodes of these kinds runs in one thread, with its weights as inputs.

    With the weights of a small net as initializers, which no kernel rearranges, a session is hardly faster, but a new
    one would be made at every turn where such nets are trained and asked by turns, in reinforcement learning. And as
    every session has threads of its own, there would soon be many.
    """
    size = sum(shapes.size(t.shape) or 0 for t in weights)
    return size <= SMALL and not kinds & REARRANGED and (bool(weights) or not kinds & PRODUCTS)


def _texts(arg: Any, text: str) -> Iterator[tuple[SymbolicTensor, str]]:
    """The tensors of an argument, with the text that reaches each."""
    if isinstance(arg, list):
        yield from ((t, f"{text}[{i}]") for i, t in enumerate(arg) if t is not None)
    elif arg is not None:
        yield arg, text


def _session(model: bytes, alone: bool, values: dict[str, Any] | None = None) -> onnxruntime.InferenceSession:
    """A session for the bytes of a model, in one thread or in as many as the environment says.

    `values` are those of initializers which the model only names.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is an error of Python
    threads = "1" if alone else os.environ.get(THREADS, "")
    if threads.isdigit():
        options.intra_op_num_threads = int(threads)
    if values:
        tensors = [
            onnxruntime.OrtValue.ortvalue_from_numpy(np.require(value, requirements="C")) for value in values.values()
        ]
        options.add_external_initializers(list(values), tensors)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _with_inputs(model: onnx.ModelProto, inputs: Collection[str], baked: Collection[str]) -> bytes:
    """The bytes of a model with these inputs; those to be baked are initializers, whose values the session is given."""
    graph = model.graph
    kept = [i for i in graph.input if i.name in inputs]
    del graph.input[:]
    graph.input.extend(i for i in kept if i.name not in baked)
    for given in (i for i in kept if i.name in baked):
        tensor = graph.initializer.add(name=given.name, data_type=given.type.tensor_type.elem_type)
        tensor.dims.extend(d.dim_value for d in given.type.tensor_type.shape.dim)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="the session")
    return model.SerializeToString()
