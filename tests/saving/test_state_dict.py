"""`state_dict` and `load_state_dict`: PyTorch's own modules compute the same with the same weights.

The modules of PyTorch are the independent truth; the models here run on NumPy.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from keras_front import layers as L
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.models import Model, Sequential


def model_of(layer, shape, ints=0):
    inputs = L.Input(shape)
    model = Model(inputs, layer(inputs))
    draw = np.random.default_rng(3)
    for weight in model.weights:  # no zeros and ones, which hide mistakes
        weight.set(draw.uniform(0.2, 1.0, weight.shape))
    x = draw.integers(0, ints, (2, *shape)) if ints else draw.normal(size=(2, *shape)).astype("float32")
    return model, x


def first(result):
    return result[0] if isinstance(result, tuple) else result


class Attention(nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
        self.inner = nn.MultiheadAttention(*args, batch_first=True, **kwargs)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]


def self_attention(*args, **kwargs):
    layer = L.MultiHeadAttention(*args, name="inner", **kwargs)
    return lambda x: layer(x, x)


def nchw(x):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


# name: layer here, module there, shape of a sample, and how PyTorch wants it: 'images' have their channels first there.
CASES = {
    "dense": (lambda: L.Dense(3, name="inner"), lambda: nn.Linear(4, 3), (4,), ""),
    "dense_no_bias": (lambda: L.Dense(3, use_bias=False, name="inner"), lambda: nn.Linear(4, 3, bias=False), (4,), ""),
    "conv1d": (lambda: L.Conv1D(4, 3, name="inner"), lambda: nn.Conv1d(6, 4, 3), (9, 6), "images"),
    "conv2d_groups": (
        lambda: L.Conv2D(4, (3, 2), groups=2, strides=2, name="inner"),
        lambda: nn.Conv2d(6, 4, (3, 2), groups=2, stride=2),
        (8, 7, 6),
        "images",
    ),
    "conv3d": (
        lambda: L.Conv3D(2, (3, 2, 1), name="inner"),
        lambda: nn.Conv3d(3, 2, (3, 2, 1)),
        (4, 5, 4, 3),
        "images",
    ),
    "depthwise": (
        lambda: L.DepthwiseConv2D((3, 2), depth_multiplier=2, name="inner"),
        lambda: nn.Conv2d(3, 6, (3, 2), groups=3),
        (6, 5, 3),
        "images",
    ),
    "separable": (
        lambda: L.SeparableConv2D(4, 3, depth_multiplier=2, name="inner"),
        lambda: nn.Sequential(
            OrderedDict(depthwise=nn.Conv2d(3, 6, 3, groups=3, bias=False), pointwise=nn.Conv2d(6, 4, 1))
        ),
        (6, 5, 3),
        "images",
    ),
    "conv1d_transpose": (
        lambda: L.Conv1DTranspose(4, 3, strides=2, name="inner"),
        lambda: nn.ConvTranspose1d(3, 4, 3, stride=2),
        (6, 3),
        "images",
    ),
    "conv2d_transpose": (
        lambda: L.Conv2DTranspose(4, (3, 2), strides=2, name="inner"),
        lambda: nn.ConvTranspose2d(3, 4, (3, 2), stride=2),
        (4, 5, 3),
        "images",
    ),
    "conv3d_transpose": (
        lambda: L.Conv3DTranspose(2, 2, name="inner"),
        lambda: nn.ConvTranspose3d(3, 2, 2),
        (3, 4, 2, 3),
        "images",
    ),
    "embedding": (lambda: L.Embedding(7, 3, name="inner"), lambda: nn.Embedding(7, 3), (5,), "ints"),
    "batch_normalization": (
        lambda: L.BatchNormalization(epsilon=1e-5, name="inner"),
        lambda: nn.BatchNorm2d(3),
        (4, 5, 3),
        "images",
    ),
    "batch_normalization_scaled": (
        lambda: L.BatchNormalization(epsilon=1e-5, center=False, name="inner"),
        lambda: nn.BatchNorm1d(3),
        (3,),
        "",
    ),
    "layer_normalization": (
        lambda: L.LayerNormalization(epsilon=1e-5, name="inner"),
        lambda: nn.LayerNorm(6),
        (4, 6),
        "",
    ),
    "group_normalization": (
        lambda: L.GroupNormalization(2, epsilon=1e-5, name="inner"),
        lambda: nn.GroupNorm(2, 6),
        (4, 3, 6),
        "images",
    ),
    "rms_normalization": (
        lambda: L.RMSNormalization(epsilon=1e-6, name="inner"),
        lambda: nn.RMSNorm(6, 1e-6),
        (4, 6),
        "",
    ),
    "prelu": (lambda: L.PReLU(shared_axes=[1, 2], name="inner"), lambda: nn.PReLU(3), (4, 5, 3), "images"),
    "lstm": (
        lambda: L.LSTM(4, return_sequences=True, name="inner"),
        lambda: nn.LSTM(3, 4, batch_first=True),
        (5, 3),
        "",
    ),
    "gru": (
        lambda: L.GRU(4, return_sequences=True, reset_after=True, name="inner"),
        lambda: nn.GRU(3, 4, batch_first=True),
        (5, 3),
        "",
    ),
    "cudnn_lstm": (
        lambda: L.CuDNNLSTM(4, return_sequences=True, name="inner"),
        lambda: nn.LSTM(3, 4, batch_first=True),
        (5, 3),
        "",
    ),
    "cudnn_gru": (
        lambda: L.Bidirectional(L.CuDNNGRU(4, return_sequences=True), name="inner"),
        lambda: nn.GRU(3, 4, batch_first=True, bidirectional=True),
        (5, 3),
        "",
    ),
    "simple_rnn": (
        lambda: L.SimpleRNN(4, return_sequences=True, name="inner"),
        lambda: nn.RNN(3, 4, batch_first=True),
        (5, 3),
        "",
    ),
    "lstm_no_bias": (
        lambda: L.LSTM(4, return_sequences=True, use_bias=False, name="inner"),
        lambda: nn.LSTM(3, 4, batch_first=True, bias=False),
        (5, 3),
        "",
    ),
    "bidirectional": (
        lambda: L.Bidirectional(L.GRU(4, return_sequences=True, reset_after=True), name="inner"),
        lambda: nn.GRU(3, 4, batch_first=True, bidirectional=True),
        (5, 3),
        "",
    ),
    "stacked": (
        lambda: L.RNN([L.LSTMCell(4), L.LSTMCell(4)], return_sequences=True, name="inner"),
        lambda: nn.LSTM(3, 4, num_layers=2, batch_first=True),
        (5, 3),
        "",
    ),
    "attention": (lambda: self_attention(2, 3), lambda: Attention(6, 2), (5, 6), "whole"),
    "attention_no_bias": (
        lambda: self_attention(2, 3, use_bias=False),
        lambda: Attention(6, 2, bias=False),
        (5, 6),
        "whole",
    ),
}


def theirs(module, x, how):
    with torch.no_grad():
        given = torch.as_tensor(nchw(x) if how == "images" else x)
        result = first(module.eval()(given.long() if how == "ints" else given)).numpy()
    return np.moveaxis(result, 1, -1) if how == "images" else result


@pytest.mark.parametrize("name", CASES)
def test_a_module_of_torch_computes_the_same(name):
    make, make_module, shape, how = CASES[name]
    model, x = model_of(make(), shape, ints=7 if how == "ints" else 0)
    module = make_module() if how == "whole" else nn.Sequential(OrderedDict(inner=make_module()))
    expected = module.state_dict()
    given = {key: torch.as_tensor(a) for key, a in model.state_dict().items()}
    assert {k: v.shape for k, v in given.items()} == {k: v.shape for k, v in expected.items()}
    module.load_state_dict(given)
    np.testing.assert_allclose(theirs(module, x, how), model.predict(x, verbose=0), rtol=2e-5, atol=2e-5)

    back = type(model).from_config(model.get_config())
    assert back.load_state_dict(module.state_dict()) == ([], [])
    for ours, weight in zip(model.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_allclose(weight, ours, rtol=1e-6)


def test_the_order_of_flattened_images():
    model = Sequential(
        [
            L.Conv2D(4, 3, activation="relu", input_shape=(6, 5, 2), name="conv"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dropout(0.5),
            L.BatchNormalization(epsilon=1e-5, name="norm"),
            L.Dense(3, name="dense"),
        ]
    )
    conv, norm, dense = nn.Conv2d(2, 4, 3), nn.BatchNorm1d(8), nn.Linear(8, 3)
    norm.running_mean.uniform_()
    norm.running_var.uniform_(0.5, 2)
    parts = OrderedDict(conv=conv, relu=nn.ReLU(), pool=nn.MaxPool2d(2), flat=nn.Flatten(), norm=norm, dense=dense)
    module = nn.Sequential(parts)
    model.load_state_dict(module.state_dict())
    x = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype("float32")
    with torch.no_grad():
        want = module.eval()(torch.as_tensor(nchw(x))).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), want, atol=1e-5)
    for key, array in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_allclose(array, module.state_dict()[key].numpy(), rtol=1e-6)


def test_flattened_sequences_keep_their_order():
    model, _ = model_of(Sequential([L.LSTM(3, return_sequences=True), L.Flatten(), L.Dense(2, name="d")]), (4, 5))
    inner = model.layers[-1]
    np.testing.assert_array_equal(inner.state_dict()["d.weight"], inner.get_layer("d").get_weights()[0].T)


def block(x, filters, stride, name):
    """A basic block of ResNet with the names that torchvision gives its parts."""
    shortcut = x
    if stride > 1:
        shortcut = L.Conv2D(filters, 1, strides=stride, use_bias=False, name=f"{name}_downsample_0")(x)
        shortcut = L.BatchNormalization(epsilon=1e-5, name=f"{name}_downsample_1")(shortcut)
    y = L.ZeroPadding2D(1)(x)
    y = L.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_conv1")(y)
    y = L.Activation("relu")(L.BatchNormalization(epsilon=1e-5, name=f"{name}_bn1")(y))
    y = L.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv2")(y)
    y = L.BatchNormalization(epsilon=1e-5, name=f"{name}_bn2")(y)
    return L.Activation("relu")(L.Add()([y, shortcut]))


class Block(nn.Module):
    """The same in PyTorch, as torchvision 0.29 has it."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + shortcut)


class ResNet(nn.Module):
    """A small residual net with the names of torchvision's."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, 2, padding=3, bias=False), nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(4, 4, 1), Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 8, 2), Block(8, 8, 1))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


def residual_net():
    inputs = L.Input((32, 32, 3))
    x = L.Conv2D(4, 7, strides=2, use_bias=False, name="conv1")(L.ZeroPadding2D(3)(inputs))
    x = L.Activation("relu")(L.BatchNormalization(epsilon=1e-5, name="bn1")(x))
    x = L.MaxPooling2D(3, 2)(L.ZeroPadding2D(1)(x))
    for stage, (filters, stride) in enumerate(((4, 1), (8, 2)), 1):
        x = block(x, filters, stride, f"layer{stage}_0")
        x = block(x, filters, 1, f"layer{stage}_1")
    return Model(inputs, L.Dense(5, name="fc")(L.GlobalAveragePooling2D()(x)))


def test_a_residual_net_of_torch():
    module, model = ResNet(), residual_net()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    assert model.load_state_dict(module.state_dict(), names=lambda path: path.replace("_", ".")) == ([], [])
    x = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    with torch.no_grad():
        want = module.eval()(torch.as_tensor(nchw(x))).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), want, atol=1e-4)


def test_names_and_order():
    model = Sequential([L.Dense(3, input_shape=(4,), name="a"), L.Dense(2, name="b")])
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False))
    state = module.state_dict()
    with pytest.raises(ArgumentError, match=r"misses a.weight, a.bias, b.weight, b.bias .* know 0.weight"):
        model.load_state_dict(state)
    model.load_state_dict(state, by_order=True)
    np.testing.assert_allclose(model.layers[1].get_weights()[0], state["2.weight"].numpy().T)
    assert not model.layers[1].get_weights()[1].any()  # the bias that is not there
    model.load_state_dict({k: v.bfloat16() for k, v in state.items()}, names={"a": "0", "b": "2"})
    np.testing.assert_allclose(model.layers[0].get_weights()[0], state["0.weight"].numpy().T, rtol=1e-2)
    before = model.get_weights()
    with pytest.raises(ShapeError, match=r"b.weight: expected shape \(2, 3\), received \(3, 2\)"):
        model.load_state_dict({**model.state_dict(), "b.weight": np.zeros((3, 2))})
    assert model.load_state_dict({"b.bias": np.ones(2), "c": 1}, strict=False).unexpected_keys == ["c"]
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
    with pytest.raises(ArgumentError, match="expected 2 modules with weights, received 1"):
        model.load_state_dict({"0.weight": np.zeros((3, 4))}, by_order=True)


class Nested(Model):
    def __init__(self):
        super().__init__()
        self.d1 = L.Dense(3)
        self.blocks = [L.Dense(2), L.Bidirectional(L.GRU(2))]

    def call(self, x):
        return self.blocks[1](self.blocks[0](self.d1(x)))


def test_weight_paths_are_those_of_tf_keras():
    model = Nested()
    model(np.ones((1, 2, 3), "float32"))
    cells = [f"blocks.1.{way}_layer.cell.{name}" for way in ("forward", "backward")
             for name in ("kernel", "recurrent_kernel", "bias")]  # fmt: skip
    assert list(model.get_weight_paths()) == ["d1.kernel", "d1.bias", "blocks.0.kernel", "blocks.0.bias", *cells]
    inner = Sequential([L.Dense(2, input_shape=(4,), name="in")], name="inner")
    outer = Sequential([inner, L.Dense(1, name="z")])
    assert list(outer.get_weight_paths()) == ["inner.in.kernel", "inner.in.bias", "z.kernel", "z.bias"]
    assert list(outer.state_dict()) == ["inner.in.weight", "inner.in.bias", "z.weight", "z.bias"]


def test_layers_that_torch_lacks_keep_their_own_names():
    inputs = L.Input((6, 5))
    x = L.LocallyConnected1D(2, 3, name="local")(inputs)
    x = L.GRU(3, return_sequences=True, name="old")(x)
    model = Model(inputs, L.TimeDistributed(L.Dense(2), name="each")(x))
    state = model.state_dict()
    names = ["local.kernel", "local.bias", "old.cell.kernel", "old.cell.recurrent_kernel", "old.cell.bias"]
    assert list(state) == [*names, "each.layer.weight", "each.layer.bias"]
    other = Model.from_config(model.get_config())
    other.load_state_dict(state)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("state", [[1], None, np.zeros(3)])
def test_a_state_is_a_dictionary(state):
    with pytest.raises(WrongKindError, match="expected a dictionary of arrays by name"):
        Sequential([L.Dense(2, input_shape=(3,))]).load_state_dict(state)
