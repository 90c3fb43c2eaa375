"""Calls of `keras.ops` of Keras 3, each a function of the module and of tensors made of these arrays.

`record_keras3_ops.py` runs them in real Keras, `test_keras3_ops.py` here. Left out is where Keras 3.15.1 on TensorFlow
gives something else than its documentation: `eye` and `rot90` for some k, `sparsemax`, `gaussian_blur` of windows that
are not square, `map_coordinates` with 'reflect', and segments without rows.
"""

import numpy as np

RNG = np.random.default_rng(20)
ARRAYS = {
    "x": RNG.normal(size=(3, 4)),
    "y": RNG.normal(size=(3, 4)),
    "v": RNG.normal(size=(5,)),
    "w": RNG.normal(size=(3,)),
    "unit": RNG.uniform(-0.9, 0.9, size=(3, 4)),
    "positive": RNG.uniform(0.5, 3.0, size=(3, 4)),
    "cube": RNG.normal(size=(2, 3, 4)),
    "square": RNG.normal(size=(4, 4)) + 3 * np.eye(4),
    "holes": np.where(RNG.random((4, 5)) < 0.3, np.nan, RNG.normal(size=(4, 5))),
    "images": RNG.uniform(size=(2, 6, 8, 3)),
    "others": RNG.uniform(size=(2, 6, 8, 3)),
    "large": RNG.uniform(size=(2, 16, 16, 3)),
    "signal": RNG.normal(size=(2, 40)),
    "sequence": RNG.normal(size=(2, 7, 3)),
    "scores": RNG.normal(size=(2, 6, 5)),
    "heads": RNG.normal(size=(2, 4, 3, 5)),
}
ARRAYS = {name: value.astype("float32") for name, value in ARRAYS.items()}
ARRAYS["spd"] = (ARRAYS["square"] @ ARRAYS["square"].T).astype("float32")
ARRAYS["whole"] = RNG.integers(-9, 10, (3, 4)).astype("int32")
ARRAYS["counts"] = RNG.integers(0, 6, (7,)).astype("int32")
ARRAYS["ids"] = np.array([0, 2, 1, 2, 0], "int32")
ARRAYS["labels"] = np.array([[1, 2, 2], [3, 1, 4]], "int32")

ELEMENTWISE = (
    "arctan cbrt exp2 sinc deg2rad rad2deg angle conj real imag isreal isposinf isneginf fabs signbit sign".split()
)
FLOATS = (
    "selu celu hard_tanh hard_silu soft_shrink hard_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid".split()
)

ACTIVATIONS = (
    "relu relu6 elu gelu hard_sigmoid leaky_relu log_sigmoid log_softmax sigmoid silu softmax softplus".split()
)

CALLS = {
    **{name: (lambda o, a, name=name: getattr(o.nn, name)(a["x"])) for name in (*ACTIVATIONS, "softsign", "glu")},
    "crossentropies": lambda o, a: [
        o.nn.binary_crossentropy(o.cast(a["unit"] > 0, "float32"), o.sigmoid(a["x"])),
        o.nn.categorical_crossentropy(o.softmax(a["y"]), a["x"], from_logits=True),
        o.nn.sparse_categorical_crossentropy(a["labels"], o.softmax(a["scores"][:, :3])),
    ],
    "arguments by name": lambda o, a: [
        o.add(x1=a["x"], x2=a["y"]),
        o.clip(x=a["x"], x_min=-0.5, x_max=0.5),
        o.sum(x=a["x"], axis=0),
        o.tile(a["x"], repeats=(2, 1)),
        o.concatenate(xs=[a["x"], a["y"]], axis=1),
        o.numpy.mean(x=a["x"], axis=1),
    ],
    **{
        name: (lambda o, a, name=name: getattr(o, name)(a["x"]))
        for name in (*ELEMENTWISE, *FLOATS, "swish", "hard_swish")
    },
    **{
        name: (lambda o, a, name=name: getattr(o, name)(a["unit"]))
        for name in ("arcsin", "arccos", "erfinv", "arctanh")
    },
    **{
        name: (lambda o, a, name=name: getattr(o, name)(a["x"], a["y"]))
        for name in (
            "arctan2",
            "hypot",
            "fmax",
            "fmin",
            "logaddexp2",
            "heaviside",
            "divide_no_nan",
            "fmod",
            "cdist",
            "kron",
        )
    },
    **{
        name: (lambda o, a, name=name: getattr(o, name)(a["whole"], a["whole"][:1]))
        for name in ("gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor")
    },
    **{
        f"{n} of NaN": (lambda o, a, n=n: getattr(o, n)(a["holes"], axis=0))
        for n in (
            "nansum",
            "nanmean",
            "nanmax",
            "nanmin",
            "nanprod",
            "nanstd",
            "nanvar",
            "nanargmax",
            "nanargmin",
            "nanmedian",
            "nancumsum",
            "nancumprod",
        )
    },
    **{f"{n} of all": (lambda o, a, n=n: getattr(o, n)(a["holes"])) for n in ("nansum", "nanmean", "nanmax", "nanvar")},
    "arccosh": lambda o, a: o.arccosh(a["positive"] + 1),
    "i0": lambda o, a: o.i0(a["x"] * 3),
    "erfc": lambda o, a: o.erfc(a["x"] * 2),
    "ldexp": lambda o, a: o.ldexp(a["x"], a["whole"]),
    "bitwise_not": lambda o, a: o.bitwise_not(a["whole"]),
    "shifts": lambda o, a: [o.left_shift(a["whole"], 2), o.right_shift(a["whole"], 1)],
    "threshold": lambda o, a: o.threshold(a["x"], 0.3, -1.0),
    "logspace": lambda o, a: o.logspace(0.0, 2.0, num=5),
    "geomspace": lambda o, a: o.geomspace(1.0, 100.0, num=4),
    "linspace": lambda o, a: [
        o.linspace(0.0, 1.0, 5),
        o.linspace(0.0, 1.0, 4, endpoint=False),
        o.linspace(a["w"], 2 * a["w"], 3),
    ],
    "complex": lambda o, a: [
        o.view_as_real(o.polar(a["positive"], a["x"])),
        o.view_as_real(o.view_as_complex(o.stack([a["x"], a["y"]], axis=-1))),
    ],
    "windows": lambda o, a: [o.bartlett(6), o.blackman(6), o.hamming(6), o.hanning(6), o.kaiser(6, 8.0)],
    "full": lambda o, a: o.full((2, 3), 1.5),
    "eye": lambda o, a: [o.eye(3), o.eye(2, 4), o.identity(2), o.tri(3, 4, k=-1)],
    "empty_like": lambda o, a: o.zeros_like(o.empty_like(a["x"])),
    "meshgrid": lambda o, a: [*o.meshgrid(a["v"], a["w"]), *o.meshgrid(a["v"], a["w"], indexing="ij")],
    "diag": lambda o, a: [o.diag(a["w"]), o.diag(a["w"], k=-2), o.diag(a["x"]), o.diag(a["x"], k=1)],
    "diagflat": lambda o, a: o.diagflat(a["w"], k=1),
    "diagonal": lambda o, a: [o.diagonal(a["cube"], axis1=1, axis2=2), o.diagonal(a["cube"], offset=1)],
    "trace": lambda o, a: o.trace(a["cube"], offset=1, axis1=1, axis2=2),
    "vander": lambda o, a: [o.vander(a["w"]), o.vander(a["w"], N=2, increasing=True)],
    "append": lambda o, a: [o.append(a["x"], a["y"], axis=1), o.append(a["x"], a["v"])],
    "array_split": lambda o, a: list(o.array_split(a["v"], 3)),
    "splits": lambda o, a: [*o.hsplit(a["x"], 2), *o.vsplit(a["x"], 3), *o.dsplit(a["cube"], [1, 3])],
    "dstack": lambda o, a: o.dstack([a["x"], a["y"]]),
    "unstack": lambda o, a: list(o.unstack(a["cube"], axis=1)),
    "flips": lambda o, a: [o.fliplr(a["x"]), o.flipud(a["x"])],
    "rot90": lambda o, a: [o.rot90(a["x"], k=k) for k in (0, 1, 3)],
    "cross": lambda o, a: [o.cross(a["w"], 2 * a["w"] + 1), o.cross(a["x"][:, :3], a["y"][:, :3])],
    "select": lambda o, a: o.select([a["x"] > 1, a["x"] > 0], [a["y"], -a["y"]], default=7.0),
    "get_item": lambda o, a: o.get_item(a["cube"], (0, slice(1, None))),
    "unravel_index": lambda o, a: list(o.unravel_index(o.convert_to_tensor([1, 7, 11]), (3, 4))),
    "nonzero": lambda o, a: list(o.nonzero(a["whole"])),
    "unique": lambda o, a: o.unique(a["counts"]),
    "quantile": lambda o, a: [o.quantile(a["x"], 0.3), o.quantile(a["x"], 0.75, axis=1, keepdims=True)],
    "quantile methods": lambda o, a: [
        o.quantile(a["x"], 0.4, axis=0, method=m) for m in ("lower", "higher", "midpoint", "nearest")
    ],
    "percentile": lambda o, a: o.percentile(a["x"], 30, axis=1),
    "median": lambda o, a: [o.median(a["x"]), o.median(a["cube"], axis=(0, 2)), o.median(a["v"], keepdims=True)],
    "nanquantile": lambda o, a: [o.nanquantile(a["holes"], 0.4, axis=1), o.nanpercentile(a["holes"], 70)],
    "searchsorted": lambda o, a: [
        o.searchsorted(o.sort(a["v"]), a["x"]),
        o.searchsorted(o.sort(a["v"]), a["v"], side="right"),
    ],
    "digitize": lambda o, a: o.digitize(a["x"], np.array([-1.0, 0.0, 1.0], "float32")),
    "isin": lambda o, a: [o.isin(a["whole"], a["counts"]), o.isin(a["whole"], a["counts"], invert=True)],
    "allclose": lambda o, a: [o.allclose(a["x"], a["x"] + 1e-9), o.isclose(a["holes"], a["holes"], equal_nan=True)],
    "bincount": lambda o, a: [o.bincount(a["counts"]), o.bincount(a["counts"], minlength=9)],
    "histogram": lambda o, a: [*o.histogram(a["v"], bins=4), *o.histogram(a["v"], bins=3, range=(-1.0, 1.0))],
    "corrcoef": lambda o, a: o.corrcoef(a["x"]),
    "correlate": lambda o, a: [o.correlate(a["v"], a["w"], mode=m) for m in ("valid", "same", "full")],
    "trapezoid": lambda o, a: [o.trapezoid(a["x"]), o.trapezoid(a["x"], dx=0.5, axis=0)],
    "max": lambda o, a: [o.max(a["x"], axis=1, initial=0.5), o.min(a["x"], initial=-5.0)],
    "cumulative": lambda o, a: [o.cumsum(a["x"], axis=1), o.cumprod(a["x"], axis=0), o.prod(a["x"], axis=1)],
    "pad": lambda o, a: [o.pad(a["x"], ((1, 2), (2, 1)), mode=m) for m in ("reflect", "symmetric", "constant")],
    "top_k": lambda o, a: list(o.top_k(a["x"], 2, sorted=True)),
    "conv": lambda o, a: [
        o.conv(
            a["images"],
            a["large"][0, :3, :3, :, None] * a["w"][:2],
            strides=2,
            padding="same",
            data_format="channels_last",
        ),
        o.conv(a["sequence"], a["large"][0, :3, :3], dilation_rate=2, data_format="channels_last"),
    ],
    "depthwise_conv": lambda o, a: [
        o.depthwise_conv(a["images"], a["large"][0, :3, :3, :, None], padding="same", data_format="channels_last"),
        o.depthwise_conv(a["sequence"], a["large"][0, 0, :3, :, None], data_format="channels_last"),
    ],
    "separable_conv": lambda o, a: o.separable_conv(
        a["images"],
        a["large"][0, :3, :3, :, None],
        a["large"][1, :1, :1, :, None] * a["w"][:2],
        data_format="channels_last",
    ),
    "conv_transpose": lambda o, a: (
        [
            o.conv_transpose(
                a["images"],
                a["large"][0, :3, :2, None] + a["w"][:2, None],
                strides=2,
                padding=p,
                data_format="channels_last",
            )
            for p in ("valid", "same")
        ]
        + [o.conv_transpose(a["sequence"], a["large"][0, :3, :2], strides=2, data_format="channels_last")]
    ),
    "pooling": lambda o, a: [
        o.max_pool(a["images"], 2, data_format="channels_last"),
        o.average_pool(a["images"], 3, strides=2, padding="same", data_format="channels_last"),
        o.max_pool(a["sequence"], 2, strides=1, data_format="channels_last"),
    ],
    "adaptive pooling": lambda o, a: [
        o.adaptive_average_pool(a["images"], (3, 5), data_format="channels_last"),
        o.adaptive_max_pool(a["images"], 2, data_format="channels_last"),
    ],
    "unfold": lambda o, a: o.unfold(o.transpose(a["images"], (0, 3, 1, 2)), 3, padding=1, stride=2),
    "fold": lambda o, a: o.fold(o.unfold(o.transpose(a["images"], (0, 3, 1, 2)), (2, 3)), (6, 8), (2, 3)),
    "depth_to_space": lambda o, a: [
        o.depth_to_space(o.space_to_depth(a["images"], 2), 2),
        o.space_to_depth(a["images"], 2),
    ],
    "normalize": lambda o, a: [o.normalize(a["x"]), o.normalize(a["x"], axis=0, order=3)],
    "rms_normalization": lambda o, a: o.rms_normalization(a["x"], scale=a["x"][0], axis=-1),
    "layer_normalization": lambda o, a: o.layer_normalization(
        a["x"], gamma=a["x"][0], beta=a["x"][1], axis=-1, epsilon=1e-3
    ),
    "batch_normalization": lambda o, a: o.batch_normalization(
        a["x"], a["y"][0], o.abs(a["y"][1]), axis=-1, offset=a["x"][0], scale=a["x"][1]
    ),
    "moments": lambda o, a: list(o.moments(a["cube"], axes=[0, 2], keepdims=True)),
    "dot_product_attention": lambda o, a: [
        o.dot_product_attention(a["heads"], a["heads"] * 0.5, a["heads"] + 1, attn_logits_soft_cap=s)
        for s in (None, 2.0)
    ],
    "one_hot": lambda o, a: [o.one_hot(a["labels"], 5), o.one_hot(a["labels"], 5, axis=1)],
    "multi_hot": lambda o, a: o.multi_hot(a["labels"], 6),
    "psnr": lambda o, a: o.psnr(a["images"], a["others"], 1.0),
    "ctc_loss": lambda o, a: o.ctc_loss(a["labels"], a["scores"], np.array([3, 2], "int32"), np.array([6, 5], "int32")),
    "ctc_decode": lambda o, a: o.ctc_decode(a["scores"] * 3, np.array([6, 5], "int32"))[0][:, :, :1],
    "slice": lambda o, a: o.slice(a["cube"], np.array([0, 1, 1]), (2, 2, 3)),
    "slice_update": lambda o, a: o.slice_update(a["x"], np.array([1, 1]), a["y"][:2, :2]),
    "scatter": lambda o, a: o.scatter(np.array([[0, 1], [2, 0], [0, 1]]), a["w"], (3, 4)),
    "scatter_update": lambda o, a: [
        o.scatter_update(a["x"], np.array([[0, 1], [2, 0]]), a["w"][:2]),
        *(
            o.scatter_update(a["x"], np.array([[0, 1], [2, 0], [0, 1]]), a["w"], reduction=r)
            for r in ("add", "max", "min", "mul")
        ),
    ],
    "segments": lambda o, a: [
        getattr(o, f"segment_{n}")(a["v"], a["ids"], num_segments=3) for n in ("sum", "max", "min", "prod")
    ],
    "saturate_cast": lambda o, a: [o.saturate_cast(a["x"] * 300, "uint8"), o.saturate_cast(a["whole"] * 50, "int8")],
    "convert": lambda o, a: [o.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]]), o.cast(a["x"], "int32")],
    "scan": lambda o, a: list(o.scan(lambda c, x: (c + x, c * x), a["x"][0], a["y"])),
    "map": lambda o, a: o.map(lambda r: r * r.shape[0] + o.sum(r), a["x"]),
    "fori_loop": lambda o, a: o.fori_loop(0, 4, lambda i, v: v * 1.5 + 1, a["w"]),
    "associative_scan": lambda o, a: [
        o.associative_scan(lambda p, q: p + q, a["cube"], axis=1),
        o.associative_scan(o.multiply, a["v"], reverse=True),
    ],
    "switch": lambda o, a: o.switch(1, [lambda t: t + 1, lambda t: t * 3], a["w"]),
    "vectorize": lambda o, a: o.vectorize(lambda p, q: p * q + 1)(a["x"], a["x"][0]),
    "rearrange": lambda o, a: o.rearrange(a["cube"], "b c (h p) -> b h (p c)", p=2),
    "fft2": lambda o, a: [*o.fft2((a["x"], a["y"])), *o.ifft2((a["x"], a["y"])), *o.fft((a["x"], a["y"]))],
    "rfft": lambda o, a: [*o.rfft(a["signal"]), *o.rfft(a["signal"], fft_length=16), o.irfft(o.rfft(a["signal"]))],
    "extract_sequences": lambda o, a: o.extract_sequences(a["signal"], 8, 4),
    "stft": lambda o, a: [
        *o.stft(a["signal"], 8, 4, 10),
        *o.stft(a["signal"], 8, 4, 8, window="hamming", center=False),
    ],
    "istft": lambda o, a: o.istft(o.stft(a["signal"], 8, 4, 8), 8, 4, 8),
    "cholesky": lambda o, a: [o.cholesky(a["spd"]), o.cholesky(a["spd"], upper=True)],
    "cholesky_inverse": lambda o, a: o.cholesky_inverse(o.cholesky(a["spd"])),
    "eigh": lambda o, a: [o.eigh(a["spd"])[0], o.abs(o.eigh(a["spd"])[1])],
    "lu_factor": lambda o, a: o.lu_factor(a["square"])[0],
    "slogdet": lambda o, a: [*o.slogdet(a["square"]), o.logdet(a["spd"])],
    "pinv": lambda o, a: o.pinv(a["x"]),
    "lstsq": lambda o, a: o.lstsq(o.transpose(a["x"]), a["square"][:, :2]),
    "matrix_rank": lambda o, a: o.matrix_rank(a["x"]),
    "qr": lambda o, a: [o.abs(t) for t in o.qr(o.transpose(a["x"]), mode="complete")],
    "svd": lambda o, a: [o.svd(a["x"], compute_uv=False), *(o.abs(t) for t in o.svd(a["square"]))],
    "solve_triangular": lambda o, a: o.solve_triangular(o.tril(a["square"]), a["square"], lower=True),
    "jvp": lambda o, a: list(o.jvp(lambda p, q: o.sin(p) * q, (a["x"], a["y"]), (a["y"], a["x"]))),
    "colours": lambda o, a: [
        o.image.rgb_to_grayscale(a["images"], data_format="channels_last"),
        o.image.rgb_to_hsv(a["images"], data_format="channels_last"),
        o.image.hsv_to_rgb(a["images"], data_format="channels_last"),
    ],
    "resize": lambda o, a: [
        o.image.resize(a["images"], (4, 5), data_format="channels_last"),
        o.image.resize(a["images"], (9, 9), crop_to_aspect_ratio=True, data_format="channels_last"),
        o.image.resize(a["images"], (9, 9), pad_to_aspect_ratio=True, fill_value=0.5, data_format="channels_last"),
    ],
    "crop_images": lambda o, a: o.image.crop_images(
        a["images"], 1, 2, target_height=4, target_width=3, data_format="channels_last"
    ),
    "pad_images": lambda o, a: o.image.pad_images(
        a["images"], 1, 2, target_height=9, target_width=12, data_format="channels_last"
    ),
    "extract_patches": lambda o, a: o.image.extract_patches(
        a["images"], (2, 3), strides=2, data_format="channels_last"
    ),
    "map_coordinates": lambda o, a: [
        o.image.map_coordinates(a["x"], a["y"][None, 0] + np.array([[0.5], [1.0]], "float32"), order=n, fill_mode=m)
        for n in (0, 1)
        for m in ("constant", "nearest", "wrap", "mirror")
    ],
    "affine_transform": lambda o, a: [
        o.image.affine_transform(
            a["images"],
            np.array([[1.0, 0.2, -0.53, -0.1, 0.9, 0.37, 0.0, 0.01]] * 2, "float32"),
            interpolation=i,
            fill_mode=m,
            data_format="channels_last",
        )
        for i, m in (("bilinear", "constant"), ("bilinear", "reflect"), ("nearest", "nearest"))
    ],
    "perspective_transform": lambda o, a: o.image.perspective_transform(
        a["images"],
        np.array([[[0, 0], [7, 0], [0, 5], [7, 5]]] * 2, "float32"),
        np.array([[[1, 0], [6, 1], [0, 5], [7, 4]]] * 2, "float32"),
        data_format="channels_last",
    ),
    "gaussian_blur": lambda o, a: o.image.gaussian_blur(a["images"], (5, 5), (1.5, 1.5), data_format="channels_last"),
    "sobel_edges": lambda o, a: o.image.sobel_edges(a["images"], data_format="channels_last"),
    "scale_and_translate": lambda o, a: o.image.scale_and_translate(
        a["images"], (2, 4, 5, 3), np.array([0.6, 0.7], "float32"), np.array([0.3, -0.2], "float32"), (1, 2), "linear"
    ),
    "ssim": lambda o, a: o.image.ssim(a["large"], o.flip(a["large"], axis=0), data_format="channels_last"),
}
