"""Layers built and called by the same line of code in Keras 3 and here: `NAME: (layer, call, inputs)`.

The code sees the layers as `L`, NumPy as `np`, the inputs as `a, b, c, d`, and all of them as `x`. An input is a shape
without the batch axis for floats, `(kind, *shape)` for `int<n>` (integers below n), `bool` and `pixel` (0 to 255), or a
list for itself. Nothing here knows which Keras it is: `record_keras3.py` records the numbers of the real one.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

SEQ, IMG, VOL = (5, 6), (6, 5, 4), (4, 5, 4, 3)
RGB = ("pixel", 6, 7, 3)
Q, V, KEY = (4, 6), (5, 6), (5, 6)
BATCH = 3

NUMERIC: dict[str, tuple[str, str, list[Any]]] = {}
HOST: dict[str, tuple[str, str, list[Any]]] = {}  # layers of strings and of integers, which are no part of a model


def _add(kind: str, *lines: str, call: str = "layer(a)", inputs: Any = (SEQ,), table: Any = None) -> None:
    for number, line in enumerate(lines):
        (NUMERIC if table is None else table)[f"{kind}_{number}"] = (line, call, list(inputs))


# Normalization
_add(
    "LayerNormalization", "L.LayerNormalization()", "L.LayerNormalization(axis=[1, 2], epsilon=1e-6)",
    "L.LayerNormalization(axis=1, center=False)", "L.LayerNormalization(scale=False)",
)  # fmt: skip
_add(
    "GroupNormalization", "L.GroupNormalization(groups=2)", "L.GroupNormalization(groups=-1)",
    "L.GroupNormalization(groups=3, axis=1, epsilon=0.1)", "L.GroupNormalization(groups=1, center=False, scale=False)",
    inputs=[IMG],
)  # fmt: skip
_add(
    "RMSNormalization", "L.RMSNormalization()", "L.RMSNormalization(axis=[1, 2])",
    "L.RMSNormalization(axis=-1, epsilon=0.1)",
)  # fmt: skip
_add("UnitNormalization", "L.UnitNormalization()", "L.UnitNormalization(axis=[1, 2])", "L.UnitNormalization(axis=1)")
_add(
    "SpectralNormalization", "L.SpectralNormalization(L.Dense(3))",
    "L.SpectralNormalization(L.Dense(3, activation='tanh'), power_iterations=3)",
)  # fmt: skip
_add("SpectralNormalization_conv", "L.SpectralNormalization(L.Conv2D(2, 3), power_iterations=2)", inputs=[IMG])

# Attention
for _kind in ("Attention", "AdditiveAttention"):
    _lines = [f"L.{_kind}()", f"L.{_kind}(use_scale={_kind == 'Attention'})"]
    _lines += ["L.Attention(score_mode='concat')", "L.Attention(use_scale=True, score_mode='concat')"] * (
        _kind == "Attention"
    )
    _add(_kind, *_lines, call="layer([a, b])", inputs=[Q, V])
    _add(_kind + "_key", *_lines[:1], call="layer([a, b, c])", inputs=[Q, V, KEY])
    _add(
        _kind + "_masked", *_lines[:1], call="layer([a, b], mask=[c, d])",
        inputs=[Q, V, ("bool", 4), ("bool", 5)],
    )  # fmt: skip
    _add(
        _kind + "_causal", *_lines[:1], call="layer([a, b], return_attention_scores=True, use_causal_mask=True)",
        inputs=[Q, V],
    )  # fmt: skip
_HEADS = {
    "MultiHeadAttention": [
        "L.MultiHeadAttention(2, 3)", "L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5, use_bias=False)",
        "L.MultiHeadAttention(3, 2, output_shape=(2, 3))", "L.MultiHeadAttention(2, 3, use_gate=True)",
    ],
    "GroupQueryAttention": [
        "L.GroupQueryAttention(3, 4, 2)", "L.GroupQueryAttention(2, 2, 1, use_bias=False)",
        "L.GroupQueryAttention(2, 3, 3, use_gate=True)",
    ],
}  # fmt: skip
for _kind, _lines in _HEADS.items():
    _add(_kind, *_lines, call="layer(a, b)", inputs=[Q, V])
    _add(_kind + "_key", *_lines[:2], call="layer(a, b, c)", inputs=[Q, (5, 3), KEY])
    _add(
        _kind + "_scores", *_lines[:1], call="layer(a, b, return_attention_scores=True, use_causal_mask=True)",
        inputs=[Q, V],
    )  # fmt: skip
    _add(_kind + "_masked", *_lines[:1], call="layer(a, b, attention_mask=c)", inputs=[Q, V, ("bool", 4, 5)])
    _add(
        _kind + "_value_masked", *_lines[:1], call="layer(a, value=b, key=c, value_mask=d)",
        inputs=[Q, V, KEY, ("bool", 5)],
    )  # fmt: skip
_add(
    "MultiHeadAttention_axes", "L.MultiHeadAttention(2, 3, attention_axes=(2,))",
    "L.MultiHeadAttention(2, 3, attention_axes=(1, 2))", call="layer(a, b)", inputs=[(3, 4, 6), (3, 4, 6)],
)  # fmt: skip
_add("MultiHeadAttention_window", "L.MultiHeadAttention(2, 3, sliding_window=2)", call="layer(a, a)", inputs=[Q])
_add("GroupQueryAttention_window", "L.GroupQueryAttention(3, 2, 1, sliding_window=2)", call="layer(a, a)", inputs=[Q])

# Products and convolutions
_add(
    "EinsumDense", "L.EinsumDense('abc,cd->abd', output_shape=(None, 4))",
    "L.EinsumDense('abc,cd->abd', output_shape=(None, 4), bias_axes='d', activation='relu')",
    "L.EinsumDense('...x,xy->...y', output_shape=4, bias_axes='y')",
    "L.EinsumDense('ab...,bcd->acd...', output_shape=(4, 2), bias_axes='cd')",
    "L.EinsumDense('abc,bc->ab', output_shape=(5,), bias_axes='b')",
    "L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de')",
    "L.EinsumDense('abc,cde->abde', output_shape=(None, 2, 3), bias_axes='e')",
)  # fmt: skip
_add(
    "Conv1DTranspose", "L.Conv1DTranspose(4, 3)", "L.Conv1DTranspose(4, 3, strides=2, padding='same')",
    "L.Conv1DTranspose(2, 2, strides=3, output_padding=1, activation='tanh')",
    "L.Conv1DTranspose(2, 3, dilation_rate=2, padding='valid', use_bias=False)",
    "L.Conv1DTranspose(4, 3, strides=2, data_format='channels_first')",
    "L.Conv1DTranspose(4, 2, strides=2, padding='same', data_format='channels_first')",
)  # fmt: skip
_add(
    "DepthwiseConv1D", "L.DepthwiseConv1D(3)", "L.DepthwiseConv1D(2, strides=2, padding='same', depth_multiplier=2)",
    "L.DepthwiseConv1D(2, dilation_rate=2, activation='tanh', use_bias=False)",
    "L.DepthwiseConv1D(3, padding='same', depth_multiplier=2, data_format='channels_first')",
    "L.DepthwiseConv1D(2, strides=2, data_format='channels_first')",
)  # fmt: skip
_add(
    "SeparableConv1D", "L.SeparableConv1D(4, 3, data_format='channels_first')",
    "L.SeparableConv1D(4, 2, strides=2, padding='same', depth_multiplier=2, data_format='channels_first')",
    "L.SeparableConv1D(4, 2, dilation_rate=2, depth_multiplier=2, activation='tanh')",
)  # fmt: skip
_add(
    "SeparableConv2D", "L.SeparableConv2D(4, 3, data_format='channels_first')",
    "L.SeparableConv2D(4, 2, strides=2, padding='same', depth_multiplier=2, data_format='channels_first')",
    "L.SeparableConv2D(4, (2, 3), dilation_rate=2, depth_multiplier=2, data_format='channels_first')",
    inputs=[(4, 6, 7)],
)  # fmt: skip
_add(
    "ConvLSTM1D", "L.ConvLSTM1D(2, 2, recurrent_activation='sigmoid')",
    "L.ConvLSTM1D(2, 3, padding='same', recurrent_activation='sigmoid', return_sequences=True, go_backwards=True)",
    "L.ConvLSTM1D(2, 2, strides=2, recurrent_activation='sigmoid', return_state=True, use_bias=False)",
    inputs=[(3, 5, 2)],
)  # fmt: skip
_add(
    "ConvLSTM1D_first",
    "L.ConvLSTM1D(2, 2, recurrent_activation='sigmoid', data_format='channels_first', return_sequences=True)",
    inputs=[(3, 2, 5)],
)
_add(
    "ConvLSTM3D", "L.ConvLSTM3D(2, 2, recurrent_activation='sigmoid')",
    "L.ConvLSTM3D(2, 2, padding='same', recurrent_activation='sigmoid', return_sequences=True)",
    "L.ConvLSTM3D(1, (2, 1, 2), strides=(1, 2, 1), recurrent_activation='sigmoid', return_state=True)",
    inputs=[(2, 3, 3, 3, 2)],
)  # fmt: skip

# Pooling
for _word in ("Average", "Max"):
    _add(f"Adaptive{_word}Pooling1D", *(f"L.Adaptive{_word}Pooling1D({n})" for n in (1, 2, 3, 5)))
    _add(f"Adaptive{_word}Pooling2D", *(f"L.Adaptive{_word}Pooling2D({n})" for n in (1, (4, 3), (2, 5))), inputs=[IMG])
    _add(
        f"Adaptive{_word}Pooling2D_first", f"L.Adaptive{_word}Pooling2D((4, 3), data_format='channels_first')",
        inputs=[(3, 6, 5)],
    )  # fmt: skip
    _add(f"Adaptive{_word}Pooling3D", *(f"L.Adaptive{_word}Pooling3D({n})" for n in (2, (3, 2, 1))), inputs=[VOL])

# Features
_add("Identity", "L.Identity()")
_add("Rescaling", "L.Rescaling(1 / 127.5, offset=-1)", "L.Rescaling(2.0)", "L.Rescaling([1, 2, 3, 4, 5, 6], offset=1)")
_add(
    "Normalization", "L.Normalization(mean=[1, 2, 3, 4, 5, 6], variance=[1, 2, 3, 4, 5, 6])",
    "L.Normalization(axis=None, mean=0.5, variance=2.0)",
    "L.Normalization(axis=None, mean=0.5, variance=2.0, invert=True)",
    "L.Normalization(axis=1, mean=[1, 2, 3, 4, 5], variance=[1, 2, 3, 4, 5])",
    "L.Normalization(axis=(1, 2), mean=np.ones((5, 6)), variance=np.full((5, 6), 3.0), invert=True)",
)  # fmt: skip
_add(
    "Normalization_adapted", *(f"L.Normalization(axis={axis})" for axis in (-1, None, 1, (1, 2))),
    call="(layer.adapt(np.asarray(a)), layer(a))[1]",
)  # fmt: skip
for _mode in ("int", "one_hot", "multi_hot", "count"):
    _add(f"Discretization_{_mode}", f"L.Discretization([-0.5, 0.0, 0.4], output_mode={_mode!r})", inputs=[(4,)])
_add("Discretization_rank3", "L.Discretization([-0.5, 0.4])", inputs=[SEQ])
_EDGES = [[-1.0, -0.5, -0.4999, 0.0], [0.4, 0.5, 9.0, -9.0]]
_add("Discretization_edges", "L.Discretization([-0.5, 0.0, 0.4])", inputs=[_EDGES])
for _mode in ("one_hot", "multi_hot", "count"):
    _line = f"L.CategoryEncoding(num_tokens=6, output_mode={_mode!r})"
    _add(f"CategoryEncoding_{_mode}", _line, inputs=[("int6", 5)])
    _add(f"CategoryEncoding_{_mode}_one", _line, inputs=[("int6", 1)])
    _add(f"CategoryEncoding_{_mode}_rank1", _line, inputs=[[1, 3, 3]])
_add("CategoryEncoding_one_hot_rank3", "L.CategoryEncoding(6, 'one_hot')", inputs=[("int6", 2, 4)])
_add(
    "CategoryEncoding_weights", "L.CategoryEncoding(num_tokens=6, output_mode='count')",
    call="layer(a, count_weights=b)", inputs=[("int6", 5), (5,)],
)  # fmt: skip

# Images
_KINDS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
_add(
    "Resizing",
    *(f"L.Resizing({h}, {w}, interpolation={i!r})" for i in _KINDS for h, w in ((9, 11), (3, 4))),
    inputs=[RGB],
)
_add("Resizing_antialias", *(f"L.Resizing(3, 4, interpolation={i!r}, antialias=True)" for i in _KINDS), inputs=[RGB])
for _side in ("crop", "pad"):
    _sizes = ((3, 3), (9, 4), (4, 9), (12, 14))
    _add(f"Resizing_{_side}", *(f"L.Resizing({h}, {w}, {_side}_to_aspect_ratio=True)" for h, w in _sizes), inputs=[RGB])
_add("Resizing_filled", "L.Resizing(4, 9, pad_to_aspect_ratio=True, fill_value=7.0)", inputs=[RGB])
_add("Resizing_one", "L.Resizing(4, 9)", call="layer(a[0])", inputs=[RGB])
_add("Resizing_first", "L.Resizing(4, 9, data_format='channels_first')", inputs=[("pixel", 3, 6, 7)])
_add("CenterCrop", *(f"L.CenterCrop({h}, {w})" for h, w in ((3, 4), (4, 3), (6, 7), (8, 5), (9, 9))), inputs=[RGB])
_add("CenterCrop_first", "L.CenterCrop(3, 4, data_format='channels_first')", inputs=[("pixel", 3, 6, 7)])
_TRAIN = "layer(a, training=True)"
_add(
    "RandomRotation", *(
        f"L.RandomRotation((0.1, 0.1), fill_mode={mode!r}, interpolation={kind!r}, fill_value=9.0)"
        for mode in ("reflect", "wrap", "constant", "nearest") for kind in ("bilinear", "nearest")
    ), call=_TRAIN, inputs=[RGB],
)  # fmt: skip
_add(
    "RandomTranslation", *(
        f"L.RandomTranslation((0.3, 0.3), (-0.25, -0.25), fill_mode={mode!r}, interpolation={kind!r}, fill_value=9.0)"
        for mode in ("reflect", "wrap", "constant", "nearest") for kind in ("bilinear", "nearest")
    ), call=_TRAIN, inputs=[RGB],
)  # fmt: skip
_add(
    "RandomZoom", "L.RandomZoom((0.3, 0.3))", "L.RandomZoom((-0.3, -0.3))", "L.RandomZoom((0.2, 0.2), (-0.4, -0.4))",
    "L.RandomZoom((0.5, 0.5), fill_mode='constant', fill_value=5.0)",
    "L.RandomZoom((0.5, 0.5), fill_mode='wrap', interpolation='nearest')", call=_TRAIN, inputs=[RGB],
)  # fmt: skip
_add(
    "RandomZoom_first",
    "L.RandomZoom((0.3, 0.3), data_format='channels_first')",
    call=_TRAIN,
    inputs=[("pixel", 3, 6, 7)],
)
_add(
    "RandomBrightness", "L.RandomBrightness((0.2, 0.2))", "L.RandomBrightness((-0.5, -0.5))",
    "L.RandomBrightness((0.3, 0.3), value_range=(0, 300))", call=_TRAIN, inputs=[RGB],
)  # fmt: skip
_add("RandomContrast", "L.RandomContrast((0.0, 0.0))", call=_TRAIN, inputs=[RGB])

for _line in (
    "RandomGrayscale(factor=1.0)", "RandomGrayscale(factor=0.0)", "RandomInvert((1.0, 1.0))",
    "RandomInvert((1.0, 1.0), value_range=(0, 300))", "RandomPosterization((3, 3))", "RandomPosterization((8, 8))",
    "Solarization()", "AutoContrast()", "AutoContrast(value_range=(0, 300))", "RandomSaturation((0.3, 0.3))",
    "RandomSaturation((0.8, 0.8))", "RandomHue((1.0, 1.0))", "RandomHue((1.0, 1.0), value_range=(0, 300))",
    "RandomColorDegeneration((0.4, 0.4))", "RandomColorDegeneration((-0.7, -0.7))", "RandomSharpness((0.4, 0.4))",
    "RandomSharpness((0.9, 0.9))", "RandomGaussianBlur((1.0, 1.0), 3, (0.9, 0.9))",
    "RandomGaussianBlur((1.0, 1.0), 5, (0.5, 0.5))", "RandomPerspective(0.0)",
    "RandomElasticTransform(0.0)", "RandomErasing(0.0)",
    "RandomColorJitter(brightness_factor=(0.2, 0.2))",
    "RandomColorJitter(saturation_factor=(0.3, 0.3), hue_factor=(1.0, 1.0))",
    "Pipeline([L.Rescaling(0.5), L.RandomBrightness((0.2, 0.2))])",
):  # fmt: skip
    _add(_line.replace("(", "_").replace(")", ""), "L." + _line, call=_TRAIN, inputs=[RGB])

_ONE = (np.arange(126) ** 2 * 37 % 251).reshape(1, 6, 7, 3).astype("float32").tolist()  # Keras counts over batches
_add("Equalization", "L.Equalization()", "L.Equalization(bins=16)", "L.Equalization((0, 300))", inputs=[_ONE])

# Strings and integers
_WORDS = [["dog", "cat", "zebra"], ["", "owl", "Éclair und Kaffee"], ["[UNK]", "cat", "cat"]]
_NUMBERS = [[1, 22, 333], [0, -5, 22], [7, 7, 10**12]]
for _salt in ("None", "133", "[133, 137]"):
    for _mode in ("int", "one_hot", "multi_hot", "count"):
        _line = f"L.Hashing(7, salt={_salt}, output_mode={_mode!r}"
        _add(f"Hashing_{_salt}_{_mode}", _line + ")", _line + ", mask_value='')", inputs=[_WORDS], table=HOST)
        _add(f"Hashing_{_salt}_{_mode}_int", _line + ")", _line + ", mask_value=22)", inputs=[_NUMBERS], table=HOST)
_add("Hashing_float", "L.Hashing(50)", inputs=[[[1.2, 2.9], [-3.7, 0.0]]], table=HOST)
_add(
    "HashedCrossing", "L.HashedCrossing(5)", "L.HashedCrossing(10**9 + 7)",
    "L.HashedCrossing(5, output_mode='one_hot')",
    call="layer([a, b])", inputs=[["a", "b", "Éclair und Kaffee"], [22, 333, -5]], table=HOST,
)  # fmt: skip
_add(
    "HashedCrossing_words", "L.HashedCrossing(10**9 + 7)", call="layer([a, b, c])",
    inputs=[[["a"], ["b"]], [["x"], [""]], [[1], [2]]], table=HOST,
)  # fmt: skip
_add("Hashing_column", "L.Hashing(5, output_mode='one_hot')", inputs=[[["a"], ["b"]]], table=HOST)
_VOCABULARY = "['cat', 'dog', 'owl']"
_GIVEN = ("", ", mask_token=''", ", num_oov_indices=3", ", num_oov_indices=4, mask_token='', salt=[3, 4]",
          ", num_oov_indices=2, salt=11", ", max_tokens=9, pad_to_max_tokens=True")  # fmt: skip
for _mode in ("int", "one_hot", "multi_hot", "count"):
    _add(
        f"StringLookup_{_mode}",
        *(f"L.StringLookup(vocabulary={_VOCABULARY}, output_mode={_mode!r}{given})" for given in _GIVEN),
        inputs=[_WORDS], table=HOST,
    )  # fmt: skip
    _add(
        f"IntegerLookup_{_mode}",
        *(
            f"L.IntegerLookup(vocabulary=[22, 7, 333], output_mode={_mode!r}{given})"
            for given in ("", ", mask_token=0", ", num_oov_indices=3", ", num_oov_indices=4, mask_token=0",
                          ", num_oov_indices=3, oov_method='farmhash'",
                          ", num_oov_indices=3, oov_method='farmhash', salt=[3, 4]")
        ),
        inputs=[_NUMBERS], table=HOST,
    )  # fmt: skip
_IDF = "output_mode='tf_idf', idf_weights=[0.5, 1.5, 0.25]"
_add(
    "StringLookup_tf_idf", f"L.StringLookup(vocabulary={_VOCABULARY}, {_IDF})",
    f"L.StringLookup(vocabulary={_VOCABULARY}, {_IDF}, num_oov_indices=2)",
    f"L.StringLookup(vocabulary={_VOCABULARY}, {_IDF}, max_tokens=6, pad_to_max_tokens=True)",
    "L.StringLookup(vocabulary=['[UNK]', 'cat', 'dog'], output_mode='tf_idf', idf_weights=[9.0, 0.5, 1.5])",
    inputs=[_WORDS], table=HOST,
)  # fmt: skip
_add("IntegerLookup_tf_idf", f"L.IntegerLookup(vocabulary=[22, 7, 333], {_IDF})", inputs=[_NUMBERS], table=HOST)
_add("StringLookup_rank1", *(f"L.StringLookup(vocabulary={_VOCABULARY}, output_mode={m!r})" for m in
     ("int", "one_hot", "multi_hot", "count")), inputs=[["cat", "owl", "x"]], table=HOST)  # fmt: skip
_INVERTED = "L.StringLookup(vocabulary=['cat', 'dog'], invert=True"
_add("StringLookup_invert", _INVERTED + ")", _INVERTED + ", mask_token='', num_oov_indices=2)",
     inputs=[[[0, 1, 2], [3, 4, 9]]], table=HOST)  # fmt: skip
_add("IntegerLookup_invert", "L.IntegerLookup(vocabulary=[22, 7], invert=True, mask_token=0)",
     inputs=[[[0, 1, 2], [3, 4, 9]]], table=HOST)  # fmt: skip
_ADAPT = "(layer.adapt(np.array(a)), {})[1]"
_MANY = [["b", "a", "c", ""], ["b", "é", "a", "[UNK]"], ["Z", "z", "b", "a"]]
_SEEN = _ADAPT.format("np.array(layer.get_vocabulary())"), _ADAPT.format("layer(np.array(a))")
for _number, _call in enumerate(_SEEN):
    _add(f"StringLookup_adapt_{_number}", "L.StringLookup()", "L.StringLookup(max_tokens=4, mask_token='')",
         "L.StringLookup(num_oov_indices=2)", "L.StringLookup(output_mode='tf_idf')",
         "L.StringLookup(max_tokens=9, pad_to_max_tokens=True, output_mode='tf_idf')",
         call=_call, inputs=[_MANY], table=HOST)  # fmt: skip
    _add(f"IntegerLookup_adapt_{_number}", "L.IntegerLookup()", "L.IntegerLookup(max_tokens=4, mask_token=0)",
         "L.IntegerLookup(output_mode='multi_hot')",
         call=_call, inputs=[[[3, 1, 0], [3, 2, -1], [3, 1, 9]]], table=HOST)  # fmt: skip
_TEXTS = ["The cat, the dog!", "a  dog\tand  Élan\u00a0x", "", "don't [stop] it. NOW_"]
_SET = "vocabulary=['the', 'dog', 'the dog', 'cat', 't', ' ']"
_TEXT = (
    _SET, _SET + ", standardize=None", _SET + ", standardize='lower'", _SET + ", standardize='strip_punctuation'",
    _SET + ", split='character'", _SET + ", split='character', ngrams=2", _SET + ", ngrams=2", _SET + ", ngrams=(2, 3)",
    _SET + ", output_sequence_length=3", _SET + ", output_sequence_length=9", _SET + ", output_mode='multi_hot'",
    _SET + ", output_mode='count', ngrams=2", _SET + ", output_mode='count', max_tokens=12, pad_to_max_tokens=True",
    _SET + ", output_mode='tf_idf', idf_weights=[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]", _SET + ", max_tokens=10",
)  # fmt: skip
_add("TextVectorization", *(f"L.TextVectorization({given})" for given in _TEXT), inputs=[_TEXTS], table=HOST)
_add("TextVectorization_column", f"L.TextVectorization({_SET})", inputs=[[[text] for text in _TEXTS]], table=HOST)
_add("TextVectorization_split", f"L.TextVectorization({_SET}, split=None)",
     f"L.TextVectorization({_SET}, split=None, output_mode='count')",
     f"L.TextVectorization({_SET}, split=None, output_sequence_length=1)",
     f"L.TextVectorization({_SET}, split=None, ngrams=2)",
     inputs=[[["The", "dog"], ["cat!", "x"]]], table=HOST)  # fmt: skip
for _number, _call in enumerate(_SEEN):
    _add(f"TextVectorization_adapt_{_number}", "L.TextVectorization()", "L.TextVectorization(max_tokens=5, ngrams=2)",
         "L.TextVectorization(output_mode='tf_idf')", "L.TextVectorization(output_mode='count', split='character')",
         call=_call, inputs=[_TEXTS], table=HOST)  # fmt: skip


# Spectrograms, and embeddings that lead back
_add(
    "STFTSpectrogram", "L.STFTSpectrogram(frame_length=8)",
    "L.STFTSpectrogram('psd', 7, 3, 9, 'hamming', True, 'spectrum', 'same', True)",
    "L.STFTSpectrogram('stft', 6, window=None, scaling=None, expand_dims=True)", "L.STFTSpectrogram('real', 4)",
    inputs=[(40, 2)], table=HOST,
)  # fmt: skip
_add(
    "STFTSpectrogram_first", "L.STFTSpectrogram('imag', 6, data_format='channels_first')",
    "L.STFTSpectrogram('magnitude', 6, data_format='channels_first', expand_dims=True)",
    inputs=[(2, 40)], table=HOST,
)  # fmt: skip
_add(
    "MelSpectrogram", "L.MelSpectrogram(16, 4, num_mel_bins=4, sampling_rate=100, min_freq=5.0)",
    "L.MelSpectrogram(16, 4, 12, 'hamming', 100, 5, 2.0, 40.0, True, 9.0, 1.0, 1e-6, 2.0)",
    "L.MelSpectrogram(16, 4, window=None, power_to_db=False, num_mel_bins=3)", inputs=[(40,)],
)  # fmt: skip
_add(
    "ReversibleEmbedding", "L.ReversibleEmbedding(7, 3)", "L.ReversibleEmbedding(7, 3, False)",
    "L.ReversibleEmbedding(7, 3, logit_soft_cap=0.5)", call="layer(layer(a), reverse=True)", inputs=[("int7", 5)],
)  # fmt: skip


# The values that go in -------------------------------------------------------------------------------


def inputs_of(name: str, specs: list[Any]) -> list[Any]:
    """The arrays (or lists) of a case, the same in every process."""
    rng = np.random.default_rng(zlib.crc32(name.rsplit("_", 1)[0].encode()))
    return [spec if isinstance(spec, list) else _array(rng, spec) for spec in specs]


def _array(rng: np.random.Generator, spec: tuple[Any, ...]) -> np.ndarray:
    kind, shape = (spec[0], spec[1:]) if isinstance(spec[0], str) else ("float", spec)
    shape = (BATCH, *shape)
    if kind.startswith("int"):
        return rng.integers(0, int(kind[3:]), shape).astype("int32")
    if kind == "bool":
        found = rng.random(shape) < 0.6
        found[..., 0] = True
        return found
    if kind == "pixel":
        return rng.integers(0, 256, shape).astype("float32")
    return rng.uniform(-1, 1, shape).astype("float32")


def weights_of(name: str, shapes: list[Any]) -> list[np.ndarray]:
    """Weights for a case, all different and positive enough to be variances."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [(rng.uniform(0.2, 0.9, s) * rng.choice([1.0, 0.5], s)).astype("float32") for s in shapes]


def run(name: str, case: tuple[str, str, list[Any]], L: Any) -> tuple[Any, Any]:
    """The layer of a case, with its weights set, and a function that calls it; `L` are the layers of some Keras."""
    line, call, specs = case
    names: dict[str, Any] = {"L": L, "np": np}
    layer = names["layer"] = eval(line, names)
    x = inputs_of(name, specs)
    names.update(zip("abcd", x), x=x)
    if name in NUMERIC:
        eval(call, names)  # builds the layer
        held = layer.get_weights()
        if held and "adapt" not in call:
            layer.set_weights(weights_of(name, [w.shape for w in held]))

    def again(**extra: Any) -> Any:
        code = call if not extra else call[:-1] + ", training=True)"
        return eval(code, {**names, **extra})

    return layer, again
