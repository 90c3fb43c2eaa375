"""Records what Keras-Preprocessing 1.1.2 answers to lines about images, into `images.npz`.

Run it once in an environment with that package, NumPy 1, SciPy, Pillow and pandas: `python
tests/preprocessing/record_images.py`. The lines mean the same here; each is run after the same seed of NumPy's global
generator, in a folder with the same images. Of a large result its shape, its sum and some elements are recorded.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("images.npz")

_RNG = np.random.RandomState(0)
X = (_RNG.rand(7, 9, 8, 3) * 255).astype("float32")
Y = np.arange(7) % 3
SMALL = (_RNG.rand(40, 3, 2, 1) * 2).astype("float32")

AFFINE = [
    "apply_affine_transform(x, theta=30)", "apply_affine_transform(x)", "apply_affine_transform(x.astype('u1'), tx=.5)",
    "apply_affine_transform(first(x), theta=30, row_axis=1, col_axis=2, channel_axis=0)",
    "apply_affine_transform(x, 30, 1, 2, 10, 1.1, .9, fill_mode='reflect', order=0)",
    "apply_affine_transform(x, shear=10, fill_mode='constant', cval=.5, order=3)",
    "apply_affine_transform(x, zx=.5, zy=1.7, fill_mode='wrap', order=1)", "apply_affine_transform(x, ty=-2.5)",
    "transform_matrix_offset_center(np.array([[1, 2, 0], [3, 4, 0], [0, 0, 1.]]), 5, 4)",
    "apply_channel_shift(x, 20.5, 2)", "apply_channel_shift(first(x), -20.5)", "flip_axis(x, 1)",
    "apply_brightness_shift(x, .5)", "apply_brightness_shift(x / 255, 1.5)", "apply_brightness_shift(x[..., :1], 1.5)",
    "random_rotation(first(x), 30)", "random_shift(first(x), .2, .3)", "random_shear(first(x), 20)",
    "random_zoom(first(x), (.5, 1.5))", "random_zoom(x, (1, 1))", "random_channel_shift(first(x), 30)",
    "random_brightness(x, (.5, 2))", "random_rotation(x, 30, 0, 1, 2, 'constant', 3., 0)",
]  # fmt: skip
PICTURES = [
    "array_to_img(x)", "array_to_img(x, scale=False)", "array_to_img(x[..., :1])", "array_to_img(x * 0)",
    "array_to_img(first(x), 'channels_first')", "array_to_img(np.concatenate([x, x[..., :1]], -1))",
    "array_to_img(x[..., :1] * 9, scale=False)", "img_to_array(array_to_img(x))", "img_to_array(x[..., 0])",
    "img_to_array(array_to_img(x), 'channels_first', 'uint8')",
    "load_img('cats/0.png')", "load_img('cats/0.png', grayscale=True)", "load_img('cats/0.png', color_mode='rgba')",
    *[f"load_img('dogs/1.png', target_size=(7, 13), interpolation={name!r})"
      for name in ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")],
    "load_img('deep.png', color_mode='grayscale')", "load_img('deep.png')", "saved(save_img, load_img)",
    "sorted(list_pictures('.'))", "sorted(list_pictures('.', 'png'))",
]  # fmt: skip
TRANSFORMS = [
    "rotation_range=30", "width_shift_range=.2", "height_shift_range=.2", "width_shift_range=3", "width_shift_range=1",
    "width_shift_range=2.5", "height_shift_range=[-2, 1]", "width_shift_range=(.1, .3)", "shear_range=20",
    "zoom_range=.2", "zoom_range=[.8, 1.5]", "zoom_range=-.1", "channel_shift_range=20", "brightness_range=(.5, 1.5)",
    "horizontal_flip=True, vertical_flip=True", "",
    "rotation_range=30, width_shift_range=.2, height_shift_range=.2, shear_range=20, zoom_range=.2, "
    "vertical_flip=True, channel_shift_range=20, horizontal_flip=True, fill_mode='reflect', interpolation_order=2",
    "rotation_range=5, brightness_range=(.5, 1.5), channel_shift_range=9., fill_mode='constant', cval=7",
]  # fmt: skip
STANDARDS = [
    "rescale=1 / 255", "samplewise_center=True", "samplewise_std_normalization=True", "featurewise_center=True",
    "featurewise_std_normalization=True", "preprocessing_function=lambda x: x[::-1] + 1, rescale=2.",
    "rescale=.5, samplewise_center=True, samplewise_std_normalization=True, featurewise_std_normalization=True",
    "data_format='channels_first', featurewise_std_normalization=True, rotation_range=9, horizontal_flip=True",
]  # fmt: skip
FLOWS = [
    "G().flow(X, Y, batch_size=3, seed=5)", "G(horizontal_flip=True, rotation_range=9).flow(X, Y, batch_size=3)",
    "G(rescale=2., width_shift_range=2).flow(X, Y, batch_size=3, shuffle=False, sample_weight=Y / 2)",
    "G().flow((X, [Y, Y * 2]), Y, batch_size=4)", "G().flow((X, Y), batch_size=4)", "G(dtype='float64').flow(X)",
    "G(validation_split=.4).flow(X, Y * 0, subset='training')", "G(validation_split=.4).flow(X, subset='validation')",
]  # fmt: skip
_SIZE = "target_size=(6, 5), batch_size=4"
FOLDERS = [
    f"G(rotation_range=9, validation_split=.4).flow_from_directory('.', {_SIZE}, {more})" for more in (
        "seed=1", "class_mode='binary', classes=['cats', 'dogs']", "class_mode='sparse', shuffle=False",
        "class_mode='input'", "class_mode=None", "classes=['dogs', 'none']", "subset='training'", "subset='validation'",
        "color_mode='grayscale', seed=2", "color_mode='rgba', shuffle=False, interpolation='bilinear'",
    )
] + [f"G(data_format='channels_first').flow_from_directory('.', {_SIZE})"]  # fmt: skip
TABLES = [
    f"G(rotation_range=9, validation_split=.4).flow_from_dataframe(table, '.', {_SIZE}, {more})" for more in (
        "seed=1", "class_mode='binary'", "class_mode='sparse', shuffle=False", "class_mode='input'", "class_mode=None",
        "class_mode='raw', y_col='a'", "class_mode='raw', y_col=['a', 'b']", "class_mode='other', y_col='a'",
        "class_mode='multi_output', y_col=['a', 'b']", "y_col='several'", "y_col='several', classes=['x', 'z']",
        "classes=['d', 'c']", "classes=['d']", "weight_col='w'", "subset='training'", "subset='validation'",
        "color_mode='grayscale', x_col='filename'",
    )
]  # fmt: skip
LINES = [
    *AFFINE, *PICTURES, *[f"transformed(G({arguments}))" for arguments in TRANSFORMS],
    *[f"standardized(G({arguments}))" for arguments in STANDARDS], "whitened(G(zca_whitening=True, zca_epsilon=.1))",
    *[f"batches({flow})" for flow in FLOWS], *[f"batches({flow})" for flow in [*FOLDERS, *TABLES]],
]  # fmt: skip
ERRORS = [
    "G(data_format='foo')", "G(validation_split=1.5)", "G(zoom_range=(1, 2, 3))", "G(zoom_range='a')", "G(foo=1)",
    "G(brightness_range=3)", "G(brightness_range=(1, 2, 3))", "G().fit(X[0])", "G().flow(X[0])", "G().flow(X, Y[:3])",
    "G().flow(X, Y, sample_weight=Y[:3])", "G().flow((X, Y[:2]), Y)", "G().flow(X, Y, subset='foo')",
    "G(validation_split=.2).flow(X, Y, subset='training')", "G().flow(X, Y)[5]", "random_brightness(x, 3)",
    "apply_affine_transform(x, theta=1, fill_mode='foo')", "array_to_img(x[..., :2])", "array_to_img(x[..., 0])",
    "array_to_img(x, data_format='foo')", "img_to_array(x[None])", "load_img('cats/0.png', color_mode='foo')",
    "load_img('cats/0.png', target_size=(2, 2), interpolation='foo')", "load_img('none.png')", "load_img('text.txt')",
    "G().flow_from_directory('.', class_mode='foo')", "G().flow_from_directory('.', color_mode='foo')",
    "G().flow_from_directory('none')", "G().flow_from_directory('.', subset='foo')",
    "G().flow_from_dataframe(table, class_mode='foo')", "G().flow_from_dataframe(table, class_mode='multi_output')",
    "G().flow_from_dataframe(table, class_mode='binary', y_col='several')", "G().flow_from_dataframe(table, y_col='a')",
    "G().flow_from_dataframe(table, class_mode='sparse', y_col='a')", "G().flow_from_dataframe(table, x_col='a')",
    "G().flow_from_dataframe(table, weight_col='class')", "G().flow_from_dataframe(table, x_col='none')",
    "G().flow_from_dataframe(table, class_mode='binary', classes=['c'])",
]  # fmt: skip


def make_folder() -> None:
    """Images of three classes in the current folder, with what else may lie there."""
    from PIL import Image

    random = np.random.RandomState(1)
    for name, count in (("cats", 5), ("dogs", 3), ("ants/below", 2), ("ants", 1), ("empty", 0)):
        os.makedirs(name, exist_ok=True)
        for i in range(count):
            Image.fromarray(random.randint(0, 255, (9, 8, 3), "uint8")).save(f"{name}/{i}.png")
    Path("text.txt").write_text("no image")
    Path("cats/text.txt").write_text("no image")
    Image.fromarray((X[0, ..., 0] * 200).astype("uint16")).save("deep.png")


def make_table(pandas: Any) -> Any:
    files = ["cats/0.png", "cats/2.png", "dogs/0.png", "dogs/2.png", "none.png", "cats/0.png"]
    several = [["x", "y"], ["x"], ["z"], ("x", "z"), [], ["y"]]
    numbers = {"w": [1.0, 2, 3, 4, 5, 6], "a": [1, 2, 3, 4, 5, 6], "b": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    return pandas.DataFrame({"filename": files, "class": list("ccddcc"), "several": several, **numbers})


def first(x: np.ndarray) -> np.ndarray:
    """Channels first."""
    return np.moveaxis(x, 2, 0)


def saved(save: Any, load: Any) -> list[Any]:
    save("made.png", X[0])
    save("made.bmp", X[0], scale=False)
    save("made", X[0][..., :1], file_format="png")
    return [np.asarray(load(name)) for name in ("made.png", "made.bmp", "made")]


def transformed(generator: Any) -> list[Any]:
    drawn = generator.get_random_transform(X[0].shape, seed=3)
    numbers = [0.0 if value is None else float(value) for value in drawn.values()]
    return [numbers, generator.random_transform(X[0], seed=3), generator.random_transform(X[1]), np.random.rand()]


def standardized(generator: Any) -> list[Any]:
    x = np.moveaxis(X, 3, 1).copy() if generator.data_format == "channels_first" else X.copy()
    generator.fit(x, augment=True, rounds=2, seed=4)
    return [generator.standardize(x[0].copy()), generator.standardize(x[1:3].copy()), np.random.rand()]


def whitened(generator: Any) -> list[Any]:
    generator.fit(SMALL)
    return [generator.principal_components, generator.standardize(SMALL[0].copy())]


def batches(iterator: Any) -> list[Any]:
    """Some batches in either manner, and what iterators say of themselves."""
    names = ("n", "filenames", "class_indices", "classes", "filepaths", "image_shape", "samples", "num_classes")
    facts = [(name, getattr(iterator, name, None)) for name in names]
    drawn = [next(iterator), next(iterator), iterator[0]]
    iterator.on_epoch_end()
    iterator.reset()
    return [len(iterator), drawn, next(iterator), iterator.total_batches_seen, iterator.batch_index, str(facts)]


def flat(value: Any) -> tuple[str, list[float]]:
    """A nested value as a text of what it is, and numbers: of a large array the sum and every 37th element."""
    if isinstance(value, list | tuple):
        parts = [flat(item) for item in value]
        return "; ".join(text for text, _ in parts), [number for _, numbers in parts for number in numbers]
    if isinstance(value, str):
        return value, []
    array = np.asarray(value)
    text = f"{value.mode} {value.size}" if hasattr(value, "getpixel") else f"{array.dtype} {array.shape}"
    numbers = array.astype("float64").ravel()
    return text, numbers.tolist() if numbers.size < 40 else [float(numbers.sum()), *numbers[::37].tolist()]


def answer(line: str, known: dict[str, Any]) -> tuple[str, list[float]]:
    np.random.seed(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return flat(eval(line, known))


def names(image: Any, table: Any) -> dict[str, Any]:
    """What the lines are about, from the module of some Keras."""
    functions = {f.__name__: f for f in (first, saved, transformed, standardized, whitened, batches)}
    known = {"X": X, "Y": Y, "x": X[0].copy(), "np": np, "G": image.ImageDataGenerator, "table": table}
    return {**vars(image), **known, **functions}


def main() -> None:
    import pandas
    from keras_preprocessing import image

    known = names(image, make_table(pandas))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_folder()
        found = [answer(line, known) for line in LINES]
        for line in ERRORS:
            try:
                print("no error:", line, answer(line, known))
            except Exception as error:
                print(type(error).__mro__[0:2], line)
    texts, numbers = zip(*found)
    ends = np.cumsum([len(part) for part in numbers])
    np.savez_compressed(FILE, lines=LINES, texts=texts, ends=ends, numbers=np.concatenate(numbers))
    print(FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
