"""Cases of the layer suite for recurrent layers, wrappers and attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import layers as L
from keras_front.models import Sequential
from keras_front.testing.layer_case import IMAGE, LayerCase, case, made

FILM, FRAMES = ((3, 4, 4, 2),), ((3, 5, 2),)


def _wrapped(layer: Any, inner: Callable[[], Any], label: str, **about: Any) -> LayerCase:
    return made(lambda: layer(inner()), f"{layer.__name__}({label})", **about)


def _both(inner: Callable[[], Any], label: str, options: dict[str, Any] | None = None, **about: Any) -> LayerCase:
    given = options or {}
    shown = "".join(f", {k}={v!r}" for k, v in given.items())
    return made(lambda: L.Bidirectional(inner(), **given), f"Bidirectional({label}{shown})", **about)


def _loop(layer: Any) -> list[LayerCase]:
    """What SimpleRNN, GRU and LSTM have in common."""
    return [
        case(layer, 3, return_sequences=True),
        case(layer, 3, mask="dropped"),
        case(layer, 2, return_state=True, go_backwards=True, use_bias=False, mask="dropped"),
        case(layer, 3, return_sequences=True, dropout=0.5, go_backwards=True),
        case(layer, 3, activation="relu", unroll=True, fixed=(0,), mask="dropped"),
        case(layer, 2, recurrent_dropout=0.3, kernel_regularizer="l2", recurrent_initializer="ones", mask="dropped"),
        case(layer, 2, return_sequences=True, zero_output_for_mask=True),
        case(layer, 2, return_sequences=True, return_state=True, bias_constraint="max_norm", activity_regularizer="l1"),
    ]


CLASSIC: dict[str, list[LayerCase]] = {
    "SimpleRNN": _loop(L.SimpleRNN),
    "GRU": [
        *_loop(L.GRU),
        case(L.GRU, 3, reset_after=True, return_sequences=True),
        case(L.GRU, 3, reset_after=True, go_backwards=True, return_state=True, mask="dropped"),
        case(
            L.GRU,
            3,
            implementation=1,
            dropout=0.2,
            recurrent_dropout=0.2,
            recurrent_activation="hard_sigmoid",
            mask="dropped",
        ),
        case(L.GRU, 2, implementation=1, reset_after=True, use_bias=False, return_sequences=True),
    ],
    "LSTM": [
        *_loop(L.LSTM),
        case(L.LSTM, 3, activation="softsign", dropout=0.2, recurrent_dropout=0.3, implementation=1, mask="dropped"),
        case(L.LSTM, 3, unit_forget_bias=False, recurrent_activation="hard_sigmoid", return_sequences=True),
        case(L.LSTM, 2, implementation=1, return_sequences=True, recurrent_constraint="non_neg"),
    ],
    "CuDNNGRU": [
        case(L.CuDNNGRU, 3, return_sequences=True),
        case(L.CuDNNGRU, 2, return_state=True, go_backwards=True, mask="dropped"),
    ],
    "CuDNNLSTM": [
        case(L.CuDNNLSTM, 3, return_sequences=True),
        case(L.CuDNNLSTM, 2, return_state=True, go_backwards=True, mask="dropped"),
        case(L.CuDNNLSTM, 2, unit_forget_bias=False, recurrent_regularizer="l2", mask="dropped"),
    ],
    "RNN": [
        made(lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True), "RNN([LSTMCell, GRUCell])"),
        made(lambda: L.RNN(L.SimpleRNNCell(3), unroll=True), "RNN(SimpleRNNCell, unroll)", mask="dropped", fixed=(0,)),
        made(
            lambda: L.RNN(L.GRUCell(3, reset_after=True), go_backwards=True, return_state=True),
            "RNN(GRUCell)",
            mask="dropped",
        ),
        made(
            lambda: L.RNN(L.GRUCell(2), return_sequences=True, zero_output_for_mask=True), "RNN(GRUCell, zero output)"
        ),
        made(
            lambda: L.RNN(L.LSTMCell(2, dropout=0.2, recurrent_dropout=0.2, implementation=1)),
            "RNN(LSTMCell)",
            mask="dropped",
        ),
        made(
            lambda: L.RNN(L.StackedRNNCells([L.SimpleRNNCell(2), L.SimpleRNNCell(3)]), return_state=True),
            "RNN(StackedRNNCells)",
            mask="dropped",
        ),
    ],
}

CONVOLUTIONAL: dict[str, list[LayerCase]] = {
    "ConvLSTM1D": [
        case(L.ConvLSTM1D, 2, 2, return_sequences=True, on=FRAMES),
        case(L.ConvLSTM1D, 2, 3, 2, "same", dropout=0.2, on=FRAMES, mask="dropped"),
        case(
            L.ConvLSTM1D,
            1,
            2,
            dilation_rate=2,
            activation="relu",
            recurrent_activation="hard_sigmoid",
            use_bias=False,
            recurrent_dropout=0.2,
            return_state=True,
            go_backwards=True,
            on=FRAMES,
            mask="dropped",
        ),
        case(
            L.ConvLSTM1D,
            1,
            2,
            unit_forget_bias=False,
            zero_output_for_mask=True,
            unroll=True,
            return_sequences=True,
            on=FRAMES,
            fixed=(0,),
        ),
    ],
    "ConvLSTM2D": [
        case(L.ConvLSTM2D, 2, 2, return_sequences=True, on=FILM),
        case(L.ConvLSTM2D, 2, 3, padding="same", go_backwards=True, on=FILM, mask="dropped"),
        case(L.ConvLSTM2D, 2, (1, 2), strides=2, return_state=True, use_bias=False, on=FILM, mask="dropped"),
        case(
            L.ConvLSTM2D,
            1,
            2,
            activation="relu",
            recurrent_activation="sigmoid",
            unit_forget_bias=False,
            unroll=True,
            zero_output_for_mask=True,
            return_sequences=True,
            on=FILM,
            fixed=(0,),
        ),
        case(L.ConvLSTM2D, 1, 2, dilation_rate=2, dropout=0.2, recurrent_dropout=0.3, on=FILM, mask="dropped"),
    ],
    "ConvLSTM3D": [
        case(L.ConvLSTM3D, 2, 2, return_sequences=True, on=((2, 3, 3, 3, 2),)),
        case(L.ConvLSTM3D, 1, 2, padding="same", recurrent_dropout=0.2, on=((2, 3, 3, 3, 2),), mask="dropped"),
        case(
            L.ConvLSTM3D,
            1,
            (1, 2, 1),
            strides=(1, 1, 2),
            activation="relu",
            recurrent_activation="hard_sigmoid",
            use_bias=False,
            return_state=True,
            go_backwards=True,
            on=((2, 3, 3, 3, 2),),
            mask="dropped",
        ),
        case(
            L.ConvLSTM3D,
            1,
            (1, 2, 1),
            dilation_rate=(1, 2, 1),
            dropout=0.2,
            unit_forget_bias=False,
            unroll=True,
            zero_output_for_mask=True,
            return_sequences=True,
            on=((2, 2, 3, 3, 2),),
            fixed=(0,),
        ),
    ],
    "ConvRNN2D": [
        made(lambda: L.ConvRNN2D(L.ConvLSTM2DCell(2, 2)), "ConvRNN2D(ConvLSTM2DCell)", on=FILM, mask="dropped"),
        made(
            lambda: L.ConvRNN2D(L.ConvLSTM2DCell(2, 2, padding="same"), return_sequences=True, return_state=True),
            "ConvRNN2D(ConvLSTM2DCell, return_sequences, return_state)",
            on=FILM,
        ),
        made(
            lambda: L.ConvRNN2D(L.ConvLSTM2DCell(1, 2), go_backwards=True, unroll=True, zero_output_for_mask=True),
            "ConvRNN2D(ConvLSTM2DCell, go_backwards, unroll)",
            on=FILM,
            mask="dropped",
            fixed=(0,),
        ),
    ],
}

WRAPPERS: dict[str, list[LayerCase]] = {
    "Bidirectional": [
        _both(lambda: L.LSTM(2, return_sequences=True), "LSTM"),
        _both(lambda: L.GRU(2), "GRU", {"merge_mode": "ave"}, mask="dropped"),
        _both(lambda: L.SimpleRNN(2, return_sequences=True), "SimpleRNN", {"merge_mode": "sum"}),
        _both(lambda: L.LSTM(2), "LSTM", {"merge_mode": "mul"}, mask="dropped"),
        _both(lambda: L.LSTM(2, return_sequences=True), "LSTM", {"merge_mode": None}),
        _both(lambda: L.GRU(2, return_state=True, reset_after=True), "GRU with states", mask="dropped"),
        _both(lambda: L.RNN([L.LSTMCell(2), L.LSTMCell(3)]), "RNN of two cells", mask="dropped"),
        made(
            lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.GRU(3, go_backwards=True)),
            "Bidirectional(LSTM, backward_layer=GRU)",
            mask="dropped",
        ),
    ],
    "SpectralNormalization": [
        _wrapped(L.SpectralNormalization, lambda: L.Dense(4), "Dense", rewrites=True),
        _wrapped(L.SpectralNormalization, lambda: L.Conv2D(2, 3), "Conv2D", on=IMAGE, mask="refused", rewrites=True),
        made(
            lambda: L.SpectralNormalization(L.Dense(4, use_bias=False), 3),
            "SpectralNormalization(Dense, 3)",
            on=((3,),),
            rewrites=True,
        ),
    ],
    "TimeDistributed": [
        _wrapped(L.TimeDistributed, lambda: L.Dense(4), "Dense"),
        _wrapped(L.TimeDistributed, lambda: L.Conv2D(2, 2), "Conv2D", on=FILM, mask="refused"),
        _wrapped(L.TimeDistributed, lambda: L.BatchNormalization(), "BatchNormalization", leaks=True),
        _wrapped(L.TimeDistributed, lambda: L.Dropout(0.4), "Dropout"),
        _wrapped(L.TimeDistributed, lambda: Sequential([L.InputLayer((3,)), L.Dense(4), L.Dense(2)]), "Sequential"),
        _wrapped(L.TimeDistributed, lambda: L.LSTM(2), "LSTM", on=((4, 5, 3),)),
        _wrapped(L.TimeDistributed, lambda: L.TimeDistributed(L.Dense(2)), "TimeDistributed(Dense)", on=((2, 4, 3),)),
        _wrapped(L.TimeDistributed, lambda: L.Embedding(6, 2), "Embedding", on=((4, 5),), ints=6, leaks=True),
    ],
}

PAIR, KEY_BIAS = ((4, 6), (5, 6)), ("key/bias",)  # it adds the same to every score of a query
ATTENTION: dict[str, list[LayerCase]] = {
    "Attention": [
        case(L.Attention, use_scale=True, dropout=0.2, on=((4, 3), (5, 3), (5, 3))),
        case(L.Attention, score_mode="concat", on=((4, 3), (5, 3))),
        case(L.Attention, on=((4, 3), (5, 3))),
    ],
    "AdditiveAttention": [
        case(L.AdditiveAttention, on=((4, 3), (5, 3))),
        case(L.AdditiveAttention, use_scale=False, dropout=0.3, on=((4, 3), (5, 3), (5, 3))),
    ],
    "MultiHeadAttention": [
        case(L.MultiHeadAttention, 2, 3, value_dim=4, output_shape=5, use_gate=True, on=PAIR, idle=KEY_BIAS),
        case(L.MultiHeadAttention, 2, 3, dropout=0.3, sliding_window=2, on=(*PAIR, (5, 3)), idle=KEY_BIAS),
        case(
            L.MultiHeadAttention, 2, 2, use_bias=False, flash_attention=False, seed=3, kernel_regularizer="l2", on=PAIR
        ),
        case(L.MultiHeadAttention, 1, 2, attention_axes=(1, 2), on=((2, 3, 4), (2, 3, 4)), mask=None, idle=KEY_BIAS),
    ],
    "GroupedQueryAttention": [
        case(L.GroupQueryAttention, 3, 4, 2, on=PAIR, idle=KEY_BIAS),
        case(
            L.GroupQueryAttention,
            2,
            2,
            1,
            dropout=0.2,
            flash_attention=False,
            seed=3,
            use_gate=True,
            use_bias=False,
            on=PAIR,
        ),
        case(L.GroupQueryAttention, 2, 2, 2, sliding_window=2, kernel_initializer="he_normal", on=PAIR, idle=KEY_BIAS),
    ],
}

CASES: dict[str, list[LayerCase]] = {**CLASSIC, **CONVOLUTIONAL, **WRAPPERS, **ATTENTION}
