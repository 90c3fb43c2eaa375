"""Where ONNX Runtime's operators do not keep K's contract: what is written in their place.

ONNX counts negative indices from the end, where K has an error: they are replaced by one that no axis has, for which
ONNX Runtime raises one too. Its reductions to a maximum or minimum pass NaN by, where K gives NaN, and the place of the
first NaN; so does the sign in float16. Max pooling passes NaN by as well, and stays so: to look for NaN there would
cost as much as the pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_front.backend import dtypes, symbolic
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.symbolic import SymbolicTensor

COARSE = frozenset(("elu",))  # composites whose bodies are nearer to the truth than the operator
BEYOND = 1 << 62  # an index that no axis has

Rule = Callable[[Instruction], Iterator[Instruction]]


def keeping_contract(program: Program) -> Program:
    """A program whose operators keep the contract.

    Args:
        program: the program.
    """
    return program.changed(instructions=[new for call in program.instructions for new in _kept(call)])


def _kept(call: Instruction) -> Iterator[Instruction]:
    if call.body is not None:
        call = call.changed(body=keeping_contract(call.body))
    rule = RULES.get(call.op)
    return iter([call]) if rule is None else rule(call)


def _made(op: str, args: list[Any], like: SymbolicTensor, dtype: str, attrs: Any = None) -> Instruction:
    """An instruction with one result, shaped like a tensor."""
    out = SymbolicTensor(like.shape, dtype)
    return Instruction(op, args, attrs or {}, [out], out)


def _lookup(call: Instruction) -> Iterator[Instruction]:
    source, indices = call.args
    if indices.dtype in dtypes.SIGNED and indices.constant is None:
        wide = _made("cast", [indices], indices, "int64", {"dtype": "int64"})
        zero, beyond = (symbolic.constant(number, "int64") for number in (0, BEYOND))
        negative = _made("less", [wide.structure, zero], indices, "bool")
        places = _made("where", [negative.structure, beyond, wide.structure], indices, "int64")
        yield from (wide, negative, places)
        call = call.changed(args=[source, places.structure])
    yield call


def _extreme(call: Instruction) -> Iterator[Instruction]:
    (x,), (out,) = call.args, call.outs
    if not dtypes.is_float(x.dtype):
        yield call
        return
    flags = _made("isnan", [x], x, "bool")
    value = _made(call.op, [x], out, out.dtype, call.attrs)
    some = _made("any", [flags.structure], out, "bool", {"keepdims": False, **call.attrs})
    yield from (flags, value, some)
    if call.op in ("max", "min"):
        instead = symbolic.constant(np.nan, out.dtype)
    else:
        number = _made("cast", [flags.structure], x, "int32", {"dtype": "int32"})
        first = _made("argmax", [number.structure], out, out.dtype, call.attrs)
        yield from (number, first)
        instead = first.structure
    yield call.changed(op="where", args=[some.structure, instead, value.structure], attrs={})


def _sign(call: Instruction) -> Iterator[Instruction]:
    (x,), (out,) = call.args, call.outs
    if x.dtype != "float16":
        yield call
        return
    value, flags = _made("sign", [x], out, out.dtype), _made("isnan", [x], x, "bool")
    yield from (value, flags)
    yield call.changed(op="where", args=[flags.structure, x, value.structure])


RULES: dict[str, Rule] = {
    "sign": _sign,
    **dict.fromkeys(("gather", "take_along_axis"), _lookup),
    **dict.fromkeys(("max", "min", "argmax", "argmin"), _extreme),
}
