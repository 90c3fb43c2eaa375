"""What the layer suite itself promises: it is complete, finds mistakes, says what they are, takes any layer."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front import set_random_seed
from keras_front.errors import ArgumentError
from keras_front.graph import LAYERS
from keras_front.registry import plain
from keras_front.testing import layer_case, layers


class Scale(L.Layer):
    """A layer of a user: multiplies by a weight; `wrong` says in what it is mistaken."""

    supports_masking = True

    def __init__(self, factor=2.0, wrong="", **kwargs):
        super().__init__(**kwargs)
        self.factor, self.wrong = factor, wrong

    def build(self, input_shape):
        self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")
        self.built = True

    def call(self, x):
        if self.wrong == "noise":
            return x * self.scale * K.random_uniform(K.shape(x))
        scale = K.stop_gradient(self.scale) if self.wrong == "gradient" else self.scale
        y = x * scale * self.factor
        if self.wrong == "mask":
            y = K.cumsum(y, axis=1)
        return K.mean(y, axis=0, keepdims=True) + y if self.wrong == "batch" else y

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 7) if self.wrong == "shape" else input_shape

    def get_config(self):
        config = super().get_config()
        if self.wrong == "config":
            del config["factor"]
        return config


WRONG_LAYERS = {
    "shape": r"Scale, shape: compute_output_shape\(\[.*\]\): expected \(None, 5, 3\), received \(None, 5, 7\)",
    "gradient": r"Scale, gradient: the gradient for .*scale:0: expected numbers that are not zero, received zeros",
    "batch": r"Scale, batches: a batch of one: expected [-\d.]+ at \(0, \d, \d\), received [-\d.]+ \(tolerance 1e-05\)",
    "mask": r"Scale, mask: outputs after masked steps changed: expected",
    "config": r"Scale, config: the argument factor: expected 3.0, received 2.0",
    "noise": r"Scale, agreement: the traced call: expected",
}


def test_a_layer_of_a_user_proves_itself(backend):
    layers.check_layer(lambda: Scale(3.0), shapes=[(5, 3)], mask="kept")


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("wrong", WRONG_LAYERS)
def test_a_wrong_layer_fails_with_a_message(backend, wrong):
    with pytest.raises(AssertionError, match=WRONG_LAYERS[wrong]):
        layers.check_layer(lambda: Scale(3.0, wrong), shapes=[(5, 3)], mask="kept")


@pytest.mark.backends("numpy")
def test_a_run_reports_and_lists_what_fails(backend, monkeypatch, capsys):
    report = layers.run("numpy", ["Dense", "Add"], ["shape"])
    assert (report.layers, report.cases, report.failures) == (2, layers.count(["Dense", "Add"]), [])
    assert capsys.readouterr().out.startswith("numpy: 2 layers, ")
    monkeypatch.setitem(layers.table(), "Dense", [layer_case.case(Scale, wrong="shape")])
    with pytest.raises(AssertionError, match=r"Scale\(wrong='shape'\) on \(5, 3\), shape: "):
        layers.run("numpy", ["Dense"], ["shape"])
    assert len(layers.run("numpy", ["Dense"], ["shape"], fail=False).failures) == 1
    with pytest.raises(ArgumentError, match="Unknown checks colour: expected some of config, "):
        layers.run("numpy", checks=["colour"])


def test_every_public_layer_is_in_the_registry_and_has_cases():
    public = {name for name in L.__all__ if isinstance(getattr(L, name), type)} - {"InputSpec", "Layer", "Wrapper"}
    entered = {LAYERS.lookup(name): name for name in LAYERS.names()}
    found = {
        name: [entered[c] for c in getattr(L, name).__mro__ if c in entered] for name in public
    }  # old names derive
    assert {name for name, own in found.items() if not own} == set()
    assert {own[0] for own in found.values()} <= set(layers.table()) | set(layers.ELSEWHERE)
    assert not set(layers.table()) & set(layers.ELSEWHERE)


def test_a_layer_without_a_case_is_an_error(monkeypatch):
    layers.table.cache_clear()
    monkeypatch.setattr(Scale, "__module__", "keras_front.layers.forgotten")
    monkeypatch.setitem(LAYERS._objects, "Forgotten", Scale)
    monkeypatch.setattr(LAYERS, "_canonical", [*LAYERS._canonical, "Forgotten"])
    with pytest.raises(LookupError, match="Layers without a case: Forgotten"):
        layers.table()
    monkeypatch.undo()
    layers.table.cache_clear()


# Arguments that no case of the table varies, and why.
OTHERWISE = {
    "name": "the check `config`",
    "trainable": "the checks `config` and `training`",
    "dtype": "the check `dtypes`",
    "weights": "the check `weights`",
    "data_format": "the check `formats`",
    "stateful": "needs a fixed batch: the tests of recurrent layers",
    "time_major": "the batch comes second: the tests of recurrent layers",
    "sparse": "only False is taken",
    **dict.fromkeys(("lora_rank", "lora_alpha", "quantization_config"), "test_adaptation.py"),
}
AUGMENTED = "test_augmentation.py, test_keras3_layers.py"
ALIKE = {
    "SpatialDropout1D": {"noise_shape": "follows from the rank"},
    "SpatialDropout2D": {"noise_shape": "follows from the rank"},
    "SpatialDropout3D": {"noise_shape": "follows from the rank"},
    "Lambda": {"output_shape": "stored otherwise", "mask": "a function; tests of masks"},
    "Conv1DTranspose": {"groups": "Keras has none"},
    "Conv2DTranspose": {"groups": "Keras has none"},
    "Conv3DTranspose": {"groups": "Keras has none"},
    "CuDNNGRU": dict.fromkeys(("unroll", "zero_output_for_mask"), "Keras has none"),
    "CuDNNLSTM": dict.fromkeys(("unroll", "zero_output_for_mask"), "Keras has none"),
    "MultiHeadAttention": {"output_shape": "stored otherwise"},
    "EinsumDense": {"output_shape": "stored otherwise"},
    "Normalization": {"mean": "stored otherwise", "variance": "stored otherwise"},
    "Discretization": {"num_bins": "for `adapt`", "epsilon": "for `adapt`", "bin_boundaries": "one suffices"},
    "IntegerLookup": {"oov_method": "tests of lookups", "salt": "tests of lookups"},
    "Equalization": dict.fromkeys(("bins", "value_range"), AUGMENTED),
    "MaxNumBoundingBoxes": dict.fromkeys(("bounding_box_format", "fill_value", "max_number"), AUGMENTED),
    "Pipeline": {"layers": "stored otherwise"},
    "RandomColorJitter": dict.fromkeys(
        ("brightness_factor", "contrast_factor", "hue_factor", "saturation_factor", "seed", "value_range"),
        AUGMENTED,
    ),
    "RandomErasing": {"value_range": AUGMENTED},
    "RandomGaussianBlur": dict.fromkeys(("factor", "kernel_size", "seed", "sigma", "value_range"), AUGMENTED),
    "Resizing": {"antialias": "tests of images", "fill_mode": "only 'constant' is taken"},
}


def test_every_argument_of_every_layer_is_varied_by_its_cases():
    """Initializers, regularizers and constraints are arguments of weights, and have tests of their own."""
    missing = {}
    for name, cases in layers.table().items():
        made = [case.make() for case in cases]
        names = set(made[0].constructor_arguments()) - set(OTHERWISE) - set(ALIKE.get(name, ()))
        names = {n for n in names if not n.endswith(("_initializer", "_regularizer", "_constraint"))}
        left = sorted(n for n in names if len({repr(plain(getattr(layer, n, None))) for layer in made}) < 2)
        missing |= {name: left} if left else {}
    assert missing == {}


@pytest.mark.backends("numpy")
def test_noise_of_eager_calls_begins_anew_with_the_seed(backend):
    drawn = []
    for _ in range(2):
        set_random_seed(3)
        with K.phase(True):
            layer = L.Dropout(0.5)
            drawn.append([K.to_numpy(layer(np.ones((4, 5), "float32"))) for _ in range(2)])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0][0], drawn[0][1])
