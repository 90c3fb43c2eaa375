"""Every case of layers, ops and applications as ONNX, by `make test-onnx`; `test_onnx.py` has a few of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from onnx_trials import application_outcome, difference, layer_outcome, op_outcome, run

from keras_front import backend as K
from keras_front.export.onnx.file import onnx_model
from keras_front.layers import GRU, LSTM, SimpleRNN
from keras_front.models import Sequential
from keras_front.testing import conformance, layers

_PAGE = Path(__file__).parent.parent.parent / "docs" / "make_onnx.py"
_SPEC = importlib.util.spec_from_file_location("make_onnx", _PAGE)
make_onnx = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_onnx)


@pytest.mark.parametrize("layer", sorted(layers.table()))
def test_a_layer_with_an_open_batch_is_right(layer):
    for case in layers.table()[layer]:
        found = layer_outcome(case)
        assert not found.refused, (case, found.refused)
        assert found.difference < 1e-5, (case, found.operators)


@pytest.mark.parametrize("layer", sorted(layers.table()))
def test_a_layer_with_every_size_open_is_right_or_refused(layer):
    for case in layers.table()[layer]:
        found = layer_outcome(case, known=False)
        assert found.refused.startswith("export: layer") or found.difference < 1e-5, (case, found.refused)


@pytest.mark.parametrize("layer", [LSTM, GRU, SimpleRNN])
def test_a_long_recurrence_stays_right(layer):
    x = np.random.default_rng(0).normal(size=(2, 1000, 3)).astype("float32")
    model = Sequential([layer(16, return_sequences=True, input_shape=(None, 3))])
    with K.use_backend("numpy"):
        assert difference(run(onnx_model(model), [x]), [model.predict(x)]) < 1e-4


@pytest.mark.parametrize("opset", [13, 15, 16, 17, 20, 21, 22, 23])
def test_a_layer_in_another_opset_is_right_or_refused_for_its_opset(opset):
    for layer, cases in layers.table().items():
        found = layer_outcome(cases[0], opset=opset, batches=(2,))
        assert "opset" in found.refused or found.difference < 1e-5, (layer, found.refused)


@pytest.mark.parametrize("op", sorted(conformance.table()))
def test_an_op_is_right_or_refused_for_a_reason(op):
    for case in conformance.table()[op]:
        if make_onnx._runs(op, case):
            found = op_outcome(op, case)
            assert "ONNX has no operator" in found.refused or found.difference < 1e-5, (case, found.operators)


@pytest.mark.parametrize("op", sorted(conformance.table()))
def test_an_op_without_any_known_size_is_right_or_refused(op):
    for case in conformance.table()[op]:
        if make_onnx._runs(op, case) and not _is_empty(case):
            found = op_outcome(op, case, unknown=True)
            assert found.refused or found.difference < 1e-5, (case, found.operators)


def _is_empty(case):
    """Whether a case has no elements; loops over axes that turn out empty end the process of ONNX Runtime."""
    arrays = [a for given in case.arrays if given is not None for a in (given if isinstance(given, list) else [given])]
    return any(0 in a.shape for a in arrays)


@pytest.mark.parametrize("name", make_onnx.application_names())
def test_an_application_is_right(name):
    _, found, own = application_outcome(name)
    assert found.difference < max(1e-4, 10 * own)
