"""Records what tf_keras 2.21 makes of folders and series, into `datasets.npz`.

Run it once in an environment with tensorflow and tf_keras: `python tests/preprocessing/record_datasets.py`. The lines
mean the same here, in a folder with the same files. What tf.data shuffles has no recorded order: there the elements are
recorded in sorted order, and the order of the files beside them.
"""

from __future__ import annotations

import os
import struct
import tempfile
import wave
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("datasets.npz")

IMAGES = [
    f"image_dataset_from_directory('images', image_size=(6, 7), {more})" for more in (
        "shuffle=False", "shuffle=False, label_mode='categorical', batch_size=4", "shuffle=False, label_mode=None",
        "shuffle=False, class_names=['dogs', 'empty', 'cats', 'ants']",
        "shuffle=False, labels=[2, 0, 1, 2, 0, 1, 2, 0, 1]", "shuffle=False, labels=None, label_mode=None",
        "shuffle=False, validation_split=.4, subset='training'",
        "shuffle=False, validation_split=.4, subset='validation'",
        "seed=3", "seed=3, validation_split=.4, subset='training'", "seed=3, validation_split=.4, subset='validation'",
        "shuffle=False, color_mode='grayscale'", "shuffle=False, color_mode='rgba'", "shuffle=False, batch_size=None",
        "shuffle=False, crop_to_aspect_ratio=True", "shuffle=False, crop_to_aspect_ratio=True, interpolation='nearest'",
        *[f"shuffle=False, interpolation={name!r}" for name in (
            "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic",
        )],
    )
]  # fmt: skip
TEXTS = [
    f"text_dataset_from_directory('texts', {more})" for more in (
        "shuffle=False", "shuffle=False, max_length=4, batch_size=2", "seed=1, label_mode='binary'",
        "shuffle=False, label_mode=None, labels=None", "shuffle=False, batch_size=None",
    )
]  # fmt: skip
SOUNDS = [
    f"audio_dataset_from_directory('sounds', {more})" for more in (
        "shuffle=False", "shuffle=False, output_sequence_length=6, batch_size=2", "seed=1",
    )
]  # fmt: skip
SERIES = [
    f"timeseries_dataset_from_array(series, {more})" for more in (
        "None, 4", "series * 2, 4", "series * 2, 4, sequence_stride=3", "series * 2, 4, sampling_rate=2, batch_size=3",
        "series[5:], 6, start_index=2", "series[:7], 6, sampling_rate=2", "series, 3, batch_size=None",
        "plane[4:], 5, sequence_stride=2, sampling_rate=2, start_index=1, end_index=17",
        "plane, 2, shuffle=True, seed=1",
    )
]  # fmt: skip
LINES = [*IMAGES, *TEXTS, *SOUNDS, *SERIES]
ERRORS = [
    "image_dataset_from_directory('images', labels='foo')", "image_dataset_from_directory('images', label_mode='foo')",
    "image_dataset_from_directory('images', color_mode='foo')",
    "image_dataset_from_directory('images', subset='training')",
    "image_dataset_from_directory('images', validation_split=.2)",
    "image_dataset_from_directory('images', validation_split=2, subset='training', seed=1)",
    "image_dataset_from_directory('images', validation_split=.2, subset='training')",
    "image_dataset_from_directory('images', validation_split=.2, subset='foo', seed=1)",
    "image_dataset_from_directory('images', labels=[1, 2])",
    "image_dataset_from_directory('images', class_names=['mice'])", "image_dataset_from_directory('texts')",
    "image_dataset_from_directory('images', label_mode='binary')", "image_dataset_from_directory('none')",
    "image_dataset_from_directory('images', interpolation='foo')", "text_dataset_from_directory('sounds')",
    "timeseries_dataset_from_array(series, None, 0)", "timeseries_dataset_from_array(series, None, 4, sampling_rate=0)",
    "timeseries_dataset_from_array(series, None, 4, sequence_stride=99)",
    "timeseries_dataset_from_array(series, None, 4, start_index=99)",
    "timeseries_dataset_from_array(series, None, 4, end_index=99)",
    "timeseries_dataset_from_array(series, None, 20, sampling_rate=2)",
]  # fmt: skip


def write_png(path: str, pixels: np.ndarray) -> None:
    """A PNG file, without a package that one of the environments lacks."""
    rows, columns, channels = pixels.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    body = b"".join(b"\0" + row.tobytes() for row in pixels)
    Path(path).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    )


def make_folder() -> None:
    random = np.random.RandomState(1)
    for name, count in (("cats", 4), ("dogs", 3), ("ants/below", 1), ("ants", 1), ("empty", 0)):
        os.makedirs(f"images/{name}", exist_ok=True)
        for i in range(count):
            write_png(f"images/{name}/{(7 * i) % 4}.png", random.randint(0, 255, (9 + 3 * i, 12, 3)).astype("uint8"))
    Path("images/cats/text.txt").write_text("no image")
    for name, texts in (("neg", ["bad film", "a bad play\nreally"]), ("pos", ["good", "good film", "nice"])):
        os.makedirs(f"texts/{name}")
        for i, text in enumerate(texts):
            Path(f"texts/{name}/{i}.txt").write_text(text)
    for name, lengths in (("low", [5, 9]), ("high", [7])):
        os.makedirs(f"sounds/{name}")
        for i, length in enumerate(lengths):
            with wave.open(f"sounds/{name}/{i}.wav", "wb") as file:
                file.setparams((2, 2, 8000, 0, "NONE", ""))
                file.writeframes(random.randint(-(2**15), 2**15, 2 * length).astype("<i2").tobytes())


def flat(value: Any) -> tuple[str, list[float]]:
    """An element as a text of what it is, and numbers: of a large array the sum and every 17th number."""
    if isinstance(value, tuple | list):
        parts = [flat(item) for item in value]
        return "; ".join(text for text, _ in parts), [number for _, numbers in parts for number in numbers]
    array = np.asarray(value.numpy())
    if array.dtype.kind in "OSU":
        texts = [text.decode() if isinstance(text, bytes) else str(text) for text in array.ravel().tolist()]
        return str((array.shape, texts)), []
    numbers = array.astype("float64").ravel()
    return f"{array.dtype} {array.shape}", (
        numbers.tolist() if numbers.size < 40 else [float(numbers.sum()), *numbers[::17].tolist()]
    )


def total(sample: Any) -> float:
    """The sum of a sample, or the sum of the bytes of a text."""
    if isinstance(sample, str | bytes):
        return float(sum(sample if isinstance(sample, bytes) else sample.encode()))
    return float(np.asarray(sample).astype("float64").sum())


def answer(line: str, known: dict[str, Any]) -> tuple[str, list[float]]:
    dataset = eval(line, known)
    elements = list(dataset)
    classes = getattr(dataset, "class_names", None)
    classes = None if classes == [""] else classes  # what tf_keras has where there are no labels
    facts = str((classes, dataset.file_paths if "image" in line else None, len(dataset)))
    if "seed" in line:
        columns = [np.concatenate([part.numpy() for part in column]) for column in zip(*elements)]
        rows = sorted([total(part) for part in row] for row in zip(*columns))
        return facts, [number for row in rows for number in row]
    text, numbers = flat(elements)
    return f"{facts} {text}", numbers


def names(utils: Any) -> dict[str, Any]:
    """What the lines are about, from the `utils` of some Keras."""
    series = np.arange(20.0)
    return {**{n: getattr(utils, n) for n in dir(utils)}, "series": series, "plane": np.arange(40).reshape(20, 2)}


def main() -> None:
    import tf_keras

    known = names(tf_keras.utils)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_folder()
        found = [answer(line, known) for line in LINES]
        for line in ERRORS:
            try:
                eval(line, known)
                print("no error:", line)
            except Exception as error:
                print(type(error).__name__, line)
    texts, numbers = zip(*found)
    ends = np.cumsum([len(part) for part in numbers])
    np.savez_compressed(FILE, lines=LINES, texts=texts, ends=ends, numbers=np.concatenate(numbers))
    print(FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
