"""Programs as graphs of ONNX: the emitters against the NumPy backend, by ONNX Runtime and by ONNX's own checker."""

from __future__ import annotations

import pytest
from onnx_trials import op_outcome

from keras_front.backend.op import OPS, primitives
from keras_front.export.onnx import EMITTERS, REFUSED
from keras_front.testing import conformance


def test_every_primitive_has_an_emitter_or_a_reason():
    assert set(primitives()) == (set(EMITTERS) | set(REFUSED)) & set(primitives())
    assert set(EMITTERS) | set(REFUSED) <= set(OPS)
    assert {name for name in REFUSED if OPS[name].kind != "primitive"} == set()


@pytest.mark.parametrize("op", sorted(set(EMITTERS) & set(conformance.table())))
def test_an_emitter_writes_what_numpy_computes(op):
    for case in conformance.table()[op][:2]:
        found = op_outcome(op, case)
        assert not found.refused
        assert found.difference < 1e-5, (case, found.operators)
