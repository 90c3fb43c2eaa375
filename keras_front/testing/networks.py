"""Cases for the ops of networks, optimizers and images: arrays, attributes, and what NumPy says."""

from __future__ import annotations

import math

import numpy as np

from keras_front.testing import formulas as f
from keras_front.testing import reference as ref
from keras_front.testing.case import Case
from keras_front.testing.composites import FIRST, IMAGE, SEQUENCE, VOLUME, A, C, chances, images, normal, positive

GATES = [normal(2, 5, 3), normal(2, 4), normal(2, 4), normal(3, 16), normal(4, 16), normal(16)]
GATES_3 = [normal(2, 5, 3), normal(2, 4), normal(3, 12), normal(4, 12)]
GATES_1 = [normal(2, 5, 3), normal(2, 4), normal(3, 4), normal(4, 4)]
MARKS = np.array([[True, True, False, True, False], [True, False, True, True, True]])
STATE = [normal(2, 3), normal(4)]


def lists(*scales):
    return [[a * s for a in STATE] for s in scales]


RATE = np.asarray(0.1)
NETWORKS = {
    "softmax": [Case(x, reference=f.softmax, grads=(0,), axis=a) for x in (A, C) for a in (-1, 0)],
    "log_softmax": [Case(x, reference=f.log_softmax, grads=(0,), axis=a) for x in (A, C + 500) for a in (-1, 0)],
    "softmax_crossentropy": [
        Case(x, chances(*x.shape), reference=lambda z, t: -(t * f.log_softmax(z)).sum(-1), grads=(0, 1)) for x in (A, C)
    ],
    "clipped_softmax_crossentropy": [
        Case(4 * A, chances(3, 4), reference=f.clipped_softmax_crossentropy, grads=(0, 1), lowest=math.log(0.05))
    ],
    "clipped_sigmoid_crossentropy": [
        Case(4 * A, chances(3, 4), reference=f.clipped_sigmoid_crossentropy, grads=(0, 1), lowest=-1.5, highest=2.0)
    ],
    "clipped_binary_crossentropy": [
        Case(chances(3, 4), chances(3, 4), reference=f.clipped_binary_crossentropy, grads=(0, 1), least=0.2, rest=0.7)
    ],
    "clip_gradient": [Case(A, 4 * C[0], reference=f.clip_gradient, grads=(0,), lowest=-1.5, highest=2.0)],
    "sigmoid_crossentropy": [Case(A, chances(3, 4), reference=f.sigmoid_crossentropy, grads=(0, 1))],
    "categorical_crossentropy": [
        Case(chances(3, 4), chances(3, 4), reference=f.categorical_crossentropy, grads=(1,)),
        Case(chances(3, 4), A, reference=f.categorical_crossentropy, grads=(1,), from_logits=True),
        Case(chances(2, 3, 4), C, reference=f.categorical_crossentropy, grads=(1,), from_logits=True, axis=1),
    ],
    "sparse_categorical_crossentropy": [
        Case(np.array([0, 3, 1]), chances(3, 4), reference=f.sparse_categorical_crossentropy, grads=(1,)),
        Case(np.array([[0], [3], [1]]), A, reference=f.sparse_categorical_crossentropy, grads=(1,), from_logits=True),
        Case(
            np.array([[0, 2, 1, 1], [1, 0, 2, 0]]),
            C,
            reference=f.sparse_categorical_crossentropy,
            from_logits=True,
            axis=1,
        ),
    ],
    "binary_crossentropy": [
        Case(chances(3, 4), chances(3, 4), reference=f.binary_crossentropy, grads=(1,)),
        Case(chances(3, 4), A, reference=f.binary_crossentropy, grads=(1,), from_logits=True),
    ],
    "glu": [
        Case(
            C,
            reference=lambda x, axis: np.split(x, 2, axis)[0] * ref.sigmoid(np.split(x, 2, axis)[1]),
            grads=(0,),
            axis=a,
        )
        for a in (-1, 0)
    ],
    "bias_add": [
        Case(IMAGE, normal(4), reference=lambda x, b: x + b, grads=(0, 1)),
        Case(IMAGE, normal(5), reference=lambda x, b, data_format: x + b[:, None, None], grads=(0, 1), **FIRST),
        Case(SEQUENCE, normal(7, 4), reference=lambda x, b: x + b, grads=(0, 1)),
    ],
    "batch_normalization": [
        Case(
            IMAGE, normal(4), positive(4), normal(4), normal(4), reference=f.batch_normalization, grads=(0, 1, 2, 3, 4)
        ),
        Case(IMAGE, normal(5), positive(5), None, normal(5), reference=f.batch_normalization, grads=(0,), axis=1),
        Case(A, normal(4), positive(4), reference=f.batch_normalization, grads=(0,), epsilon=0.1),
    ],
    "normalize_batch_in_training": [
        Case(A, normal(4), normal(4), reference=f.normalize_batch, grads=(0, 1, 2), reduction_axes=[0]),
        Case(IMAGE, None, normal(4), reference=f.normalize_batch, grads=(0, 2), reduction_axes=[0, 1, 2]),
        Case(IMAGE, normal(5), None, reference=f.normalize_batch, grads=(0, 1), reduction_axes=[0, 2, 3], epsilon=0.01),
    ],
    "layer_normalization": [
        Case(C, normal(4), normal(4), reference=f.layer_normalization, grads=(0, 1, 2)),
        Case(C, normal(3, 4), None, reference=f.layer_normalization, grads=(0, 1), axes=(1, 2)),
        Case(C, reference=f.layer_normalization, grads=(0,), axes=1),
    ],
    "group_normalization": [
        Case(IMAGE, normal(4), normal(4), reference=f.group_normalization, grads=(0, 1, 2), groups=2),
        Case(images(IMAGE), reference=f.group_normalization, grads=(0,), groups=4, axis=1),
    ],
    "lstm": [
        Case(*GATES, reference=f.lstm, grads=(0, 1, 2, 3, 4, 5)),
        Case(*GATES, MARKS, reference=f.lstm, grads=(0, 3)),
        Case(*GATES[:5], None, MARKS, reference=f.lstm, grads=(0, 4), reverse=True),
    ],
    "lstm_sequence": [
        Case(normal(5, 2, 16), *GATES[1:3], GATES[4], reference=f.lstm_sequence, grads=(0, 1, 2, 3)),
        Case(normal(5, 2, 16), *GATES[1:3], GATES[4], MARKS.T.copy(), reference=f.lstm_sequence, grads=(0,)),
        Case(  # gates that are quite shut or open, where a hard sigmoid has no slope
            9 * normal(5, 2, 16),
            *GATES[1:3],
            GATES[4],
            reference=f.lstm_sequence,
            grads=(0, 1, 2, 3),
            smooth=False,
            recurrent_activation="hard_sigmoid",
        ),
    ],
    "conv_lstm_sequence": [
        Case(
            normal(5, 2, 4, 3, 8),
            normal(2, 4, 3, 2),
            normal(2, 4, 3, 2),
            normal(3, 2, 2, 8),
            mask,
            reference=f.conv_lstm_sequence,
            grads=(0, 1, 2, 3),
        )
        for mask in (None, MARKS.T.copy())
    ]
    + [
        Case(
            normal(3, 2, 8, 4, 3),
            normal(2, 2, 4, 3),
            normal(2, 2, 4, 3),
            normal(3, 3, 2, 8),
            reference=f.conv_lstm_sequence,
            grads=(0, 1, 3),
            data_format="channels_first",
        )
    ],
    "gru": [
        Case(*GATES_3, normal(12), reference=f.gru, grads=(0, 1, 2, 3, 4)),
        Case(*GATES_3, normal(2, 12), MARKS, reference=f.gru, grads=(0, 2, 4)),
        Case(*GATES_3, normal(2, 12), MARKS, reference=f.gru, grads=(0, 1, 2, 3, 4), reset_after=True),
        Case(*GATES_3, normal(2, 12), reference=f.gru, grads=(1, 3), reset_after=True, reverse=True),
        Case(*GATES_3, None, MARKS, reference=f.gru, grads=(0, 3), reset_after=True),
    ],
    "gru_sequence": [
        Case(normal(5, 2, 12), *GATES_3[1::2], reference=f.gru_sequence, grads=(0, 1, 2)),
        Case(normal(5, 2, 12), *GATES_3[1::2], normal(4), reference=f.gru_sequence, grads=(0, 3)),
        Case(
            normal(5, 2, 12),
            *GATES_3[1::2],
            normal(4),
            MARKS.T.copy(),
            reference=f.gru_sequence,
            grads=(0, 1, 2, 3),
            reset_after=True,
        ),
    ],
    "simple_rnn": [
        Case(*GATES_1, normal(4), reference=f.simple_rnn, grads=(0, 1, 2, 3, 4)),
        Case(*GATES_1, None, MARKS, reference=f.simple_rnn, grads=(0, 3), reverse=True),
    ],
    "simple_rnn_sequence": [
        Case(normal(5, 2, 4), *GATES_1[1::2], reference=f.simple_rnn_sequence, grads=(0, 1, 2)),
        Case(normal(5, 2, 4), *GATES_1[1::2], MARKS.T.copy(), reference=f.simple_rnn_sequence, grads=(0, 1, 2)),
    ],
    "sgd_update": [
        Case(*lists(1, 2), [], RATE, reference=f.sgd),
        *(Case(*lists(1, 2, 3), RATE, reference=f.sgd, momentum=0.9, nesterov=n) for n in (False, True)),
    ],
    "rmsprop_update": [Case(*lists(1, 2), [a * a for a in STATE], RATE, reference=f.rmsprop, tolerance=100)],
    "adam_update": [
        Case(
            *lists(1, 2, 3),
            [a * a for a in STATE],
            [a * a for a in STATE][:n],
            RATE,
            np.asarray(3, "int64"),
            reference=f.adam,
            tolerance=1e4,
        )
        for n in (0, 2)
    ],
    "ctc_batch_cost": [
        Case(
            np.array([[0, 1], [1, 1]]),
            chances(2, 5, 3),
            np.array([[5], [4]]),
            np.array([[1], [2]]),
            reference=f.ctc_cost,
            grads=(1,),
        )
    ],
    "ctc_best_path": [Case(chances(2, 5, 3), np.array([5, 4]), reference=f.best_path)],
    "truncated_normal_quantile": [
        Case(np.array([0.5]), reference=lambda p: p * 0),
        Case(np.array([0.1, 0.4, 0.9]), reference=f.truncated_normal_quantile, grads=(0,)),
        Case(np.array([0.0, 1.0]), reference=lambda p: 4 * p - 2, tolerance=10),
    ],
}

TWO, ONE, THREE = f.classic_conv(2), f.classic_conv(1), f.classic_conv(3)
IMAGES = {
    "conv1d": [
        Case(SEQUENCE, normal(3, 4, 5), reference=ONE, grads=(0, 1), strides=2, padding="same"),
        Case(SEQUENCE, normal(3, 4, 5), reference=ONE, grads=(0, 1), padding="causal", dilation_rate=2),
        Case(images(SEQUENCE), normal(3, 4, 5), reference=ONE, grads=(0, 1), **FIRST),
    ],
    "conv2d": [
        Case(IMAGE, normal(3, 2, 4, 6), reference=TWO, grads=(0, 1), strides=(2, 1), padding="same"),
        Case(IMAGE, normal(3, 2, 2, 6), reference=TWO, grads=(0, 1), groups=2, dilation_rate=(1, 2)),
        Case(images(IMAGE), normal(3, 2, 4, 6), reference=TWO, grads=(0, 1), padding="same", **FIRST),
    ],
    "conv3d": [Case(VOLUME, normal(2, 2, 2, 2, 3), reference=THREE, grads=(0, 1), padding="same", strides=(1, 2, 1))],
    "conv2d_transpose": [
        Case(
            normal(2, 3, 3, 4),
            normal(3, 2, 5, 4),
            reference=f.classic_conv(2, True),
            grads=(0, 1),
            output_shape=(2, 5, 6, 5),
            strides=(2, 2),
            padding="same",
        ),
        Case(
            normal(2, 4, 3, 5),
            normal(3, 2, 5, 4),
            reference=f.classic_conv(2, True),
            grads=(0, 1),
            output_shape=(2, 5, 5, 6),
            **FIRST,
        ),
    ],
    "conv3d_transpose": [
        Case(
            normal(1, 2, 3, 2, 2),
            normal(2, 2, 2, 3, 2),
            reference=f.classic_conv(3, True),
            grads=(0, 1),
            output_shape=(1, 3, 4, 3, 3),
        )
    ],
    "depthwise_conv2d": [
        Case(IMAGE, normal(3, 3, 4, 2), reference=f.depthwise, grads=(0, 1), padding="same", strides=(2, 2)),
        Case(images(IMAGE), normal(2, 2, 4, 1), reference=f.depthwise, grads=(0, 1), **FIRST),
    ],
    "separable_conv1d": [
        Case(SEQUENCE, normal(3, 4, 2), normal(1, 8, 3), reference=f.separable, grads=(0, 1, 2), padding="same")
    ],
    "separable_conv2d": [Case(IMAGE, normal(3, 3, 4, 2), normal(1, 1, 8, 3), reference=f.separable, grads=(0, 1, 2))],
    "pool1d": [
        Case(SEQUENCE, reference=f.classic_pool(1), grads=(0,), pool_size=2, strides=2, padding="same", pool_mode=m)
        for m in ("max", "avg")
    ],
    "pool2d": [
        Case(
            x,
            reference=f.classic_pool(2),
            grads=(0,),
            pool_size=(3, 2),
            strides=(2, 1),
            padding="same",
            pool_mode=m,
            data_format=d,
        )
        for m in ("max", "avg")
        for d, x in (("channels_last", IMAGE), ("channels_first", images(IMAGE)))
    ],
    "pool3d": [
        Case(VOLUME, reference=f.classic_pool(3), grads=(0,), pool_size=2, strides=1, pool_mode=m)
        for m in ("max", "avg")
    ],
    "resize": [
        Case(
            IMAGE,
            reference=lambda x, size, **_: x[:, [int((i + 0.5) * 5 / size[0]) for i in range(size[0])]][
                :, :, [int((i + 0.5) * 6 / size[1]) for i in range(size[1])]
            ],
            grads=(0,),
            size=s,
        )
        for s in ((10, 4), (3, 6))
    ]
    + [
        Case(
            np.arange(4.0).reshape(1, 4, 1),
            reference=lambda x, **_: np.array([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]).reshape(1, 8, 1),
            grads=(),
            size=(8,),
            interpolation="bilinear",
        ),
        *(
            Case(np.ones((1, 4, 1)), reference=lambda x, **_: np.ones((1, 7, 1)), size=(7,), interpolation=kind)
            for kind in ("bicubic", "lanczos3", "lanczos5")
        ),
        Case(
            np.array([0.0, 8, 0, 0, 0, 0, 0, 8]).reshape(1, 8, 1),
            reference=lambda x, **_: np.array([24 / 7, 1, 0, 24 / 7]).reshape(1, 4, 1),
            size=(4,),
            interpolation="bilinear",
            antialias=True,
        ),
    ],
    "resize_images": [
        Case(
            IMAGE,
            reference=lambda x, **_: x.repeat(2, 1).repeat(3, 2),
            grads=(0,),
            height_factor=2,
            width_factor=3,
            data_format="channels_last",
        )
    ],
    "resize_volumes": [
        Case(
            VOLUME,
            reference=lambda x, **_: x.repeat(2, 2).repeat(3, 4),
            grads=(0,),
            depth_factor=2,
            height_factor=1,
            width_factor=3,
            **FIRST,
        )
    ],
    "extract_patches": [Case(IMAGE, reference=f.patches, grads=(0,), size=(2, 3), strides=(1, 2))],
    "local_conv": [
        Case(
            IMAGE,
            normal(8, 24, 3),
            reference=f.local_conv,
            grads=(0, 1),
            kernel_size=(2, 3),
            strides=(1, 2),
            output_shape=(4, 2),
        )
    ],
    "local_conv1d": [
        Case(
            SEQUENCE,
            normal(3, 12, 2),
            reference=lambda x, k, **a: f.local_conv(x, k, output_shape=(3,), **a),
            grads=(0, 1),
            kernel_size=(3,),
            strides=(2,),
        )
    ],
    "local_conv2d": [
        Case(
            IMAGE,
            normal(8, 24, 3),
            reference=f.local_conv,
            grads=(0, 1),
            kernel_size=(2, 3),
            strides=(1, 2),
            output_shape=(4, 2),
        )
    ],
}


CASES = {**NETWORKS, **IMAGES}
