"""Files and what is in them: `tf.io.read_file`, images by Pillow, lines of CSV, numbers in bytes.

Source: TensorFlow 2.15, `tf.io` and `tf.image`.
"""

from __future__ import annotations

import base64
import csv
import glob
import io
import os
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.utils.dataset_elements import values_of
from keras_front.utils.image_utils import pillow

from .functions import constant
from .texts import texts_of

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def bytes_of(contents: Any) -> bytes:
    """The bytes of one text.

    Args:
        contents: a text, bytes, or an array with one.
    """
    if isinstance(contents, bytes):
        return contents
    return str(texts_of(contents)[()]).encode("utf-8", "surrogateescape")


def _path(filename: Any) -> str:
    return os.fsdecode(bytes_of(filename))


def read_file(filename: Any, name: str | None = None) -> Any:
    """What a file holds.

    Args:
        filename: the file.
        name: not used.
    """
    with open(_path(filename), "rb") as file:
        return values_of(file.read())


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write a file.

    Args:
        filename: the file.
        contents: what it shall hold.
        name: not used.
    """
    folder = os.path.dirname(_path(filename))
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(_path(filename), "wb") as file:
        file.write(bytes_of(contents))


def matching_files(pattern: Any, name: str | None = None) -> Any:
    """The files whose names match, in order.

    Args:
        pattern: a pattern with `*` and `?`, or several.
        name: not used.
    """
    found = sorted(path for one in np.atleast_1d(texts_of(pattern)) for path in glob.glob(one))
    return values_of(np.array([*found, None], object)[:-1])


# Images ----------------------------------------------------------------------------------------------------


def _picture(contents: Any) -> Any:
    try:
        return pillow().open(io.BytesIO(bytes_of(contents)))
    except pillow().UnidentifiedImageError as error:
        raise ArgumentError("tf.io.decode_image: expected the bytes of an image, received others.") from error


def _pixels(picture: Any, channels: int, dtype: Any) -> np.ndarray:
    channels = int(channels or 0)
    if channels not in (0, *_MODES):
        raise ArgumentError(f"tf.io.decode_image: expected channels to be 0, 1, 3 or 4, received {channels}.")
    wide = picture.mode.startswith("I")  # 16 bits
    if not wide and channels and picture.mode != _MODES[channels]:
        picture = picture.convert(_MODES[channels])
    elif picture.mode not in (*_MODES.values(), "I", "I;16", "I;16B"):
        picture = picture.convert("RGBA" if "transparency" in picture.info else "L" if picture.mode == "1" else "RGB")
    array = np.asarray(picture)
    array = array[:, :, None] if array.ndim == 2 else array
    wanted = str(getattr(dtype, "name", dtype))
    if wide:
        array = np.repeat(array.astype("uint16"), max(channels, 1), axis=-1)
        array = array if wanted != "uint8" else (array >> 8).astype("uint8")
    elif wanted == "uint16":
        array = array.astype("uint16") * 257
    if wanted.startswith("float"):
        return (array / np.iinfo(array.dtype).max).astype(wanted)
    return array


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = "uint8", name: str | None = None,
    expand_animations: bool = True, **options: Any,
) -> Any:  # fmt: skip
    """The pixels of an image in any format that Pillow reads.

    Args:
        contents: the bytes of the file.
        channels: 1, 3 or 4; 0 or None for those of the file.
        dtype: 'uint8', 'uint16', or a float from 0 to 1.
        name: not used.
        expand_animations: give all pictures of a GIF, along a first axis.
        **options: not used.

    Raises: ArgumentError for bytes that are no image.
    """
    picture = _picture(contents)
    if picture.format == "GIF" and expand_animations:
        return decode_gif(contents)
    return constant(_pixels(picture, channels or 0, dtype))


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: str | None = None) -> Any:
    """The pixels of an image, see `decode_image`.

    Args:
        contents: the bytes of the file.
        channels: 1, 3 or 4; 0 for those of the file.
        dtype: 'uint8' or 'uint16'.
        name: not used.
    """
    return decode_image(contents, channels, dtype, expand_animations=False)


def decode_jpeg(contents: Any, channels: int = 0, ratio: int = 1, name: str | None = None, **options: Any) -> Any:
    """The pixels of an image, see `decode_image`.

    Args:
        contents: the bytes of the file.
        channels: 1, 3 or 4; 0 for those of the file.
        ratio: give every `ratio`-th pixel.
        name: not used.
        **options: not used.
    """
    return constant(_pixels(_picture(contents), channels, "uint8")[::ratio, ::ratio])


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Any:
    """The pixels of an image, see `decode_image`.

    Args:
        contents: the bytes of the file.
        channels: 1, 3 or 4; 0 for those of the file.
        name: not used.
    """
    return decode_image(contents, channels, expand_animations=False)


def decode_gif(contents: Any, name: str | None = None) -> Any:
    """The pictures of a GIF, along a first axis.

    Args:
        contents: the bytes of the file.
        name: not used.
    """
    picture = _picture(contents)
    frames = []
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        frames.append(np.asarray(picture.convert("RGB")))
    return constant(np.stack(frames))


def _encoded(image: Any, kind: str, **options: Any) -> Any:
    array = K.to_numpy(image)
    picture = pillow().fromarray(array[:, :, 0] if array.shape[-1] == 1 else array)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return values_of(file.getvalue())


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Any:
    """The bytes of a PNG file.

    Args:
        image: the pixels, of uint8, with 1, 2, 3 or 4 channels.
        compression: from 0 to 9; -1 for what Pillow chooses.
        name: not used.
    """
    return _encoded(image, "PNG", **({} if compression < 0 else {"compress_level": compression}))


def encode_jpeg(image: Any, format: str = "", quality: int = 95, **options: Any) -> Any:
    """The bytes of a JPEG file.

    Args:
        image: the pixels, of uint8, with 1 or 3 channels.
        format: not used: it follows from the channels.
        quality: from 1 to 100.
        **options: not used.
    """
    return _encoded(image, "JPEG", quality=int(quality))


def is_jpeg(contents: Any, name: str | None = None) -> Any:
    """Whether bytes are a JPEG file.

    Args:
        contents: the bytes.
        name: not used.
    """
    return constant(bytes_of(contents).startswith(b"\xff\xd8\xff"))


# Numbers in texts ------------------------------------------------------------------------------------------


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None, **o: Any) -> Any:
    """The numbers that bytes hold.

    Args:
        input_bytes: bytes, or an array of them, all of one length.
        out_type: the dtype of the numbers.
        little_endian: the order of the bytes of one.
        fixed_length: cut or fill up with zeros to so many bytes.
        **o: not used.
    """
    kind = np.dtype(str(getattr(out_type, "name", out_type))).newbyteorder("<" if little_endian else ">")

    def numbers(text: Any) -> np.ndarray:
        data = bytes_of(text)
        data = data if fixed_length is None else data[:fixed_length].ljust(fixed_length, b"\0")
        return np.frombuffer(data, kind).astype(kind.newbyteorder("="))

    texts = texts_of(input_bytes)
    return constant(numbers(texts) if not texts.ndim else np.stack([numbers(t) for t in texts.ravel()]))


def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Any:
    """Bytes in the letters of base 64 that are fit for addresses.

    Args:
        input: the bytes.
        pad: fill up with `=`.
        name: not used.
    """
    made = base64.urlsafe_b64encode(bytes_of(input)).decode()
    return values_of(made if pad else made.rstrip("="))


def decode_base64(input: Any, name: str | None = None) -> Any:
    """The bytes that `encode_base64` was given.

    Args:
        input: the letters.
        name: not used.
    """
    data = bytes_of(input).rstrip(b"=")
    return values_of(base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)))


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    select_cols: Any = None, name: str | None = None,
) -> list[Any]:  # fmt: skip
    """The columns of lines.

    Args:
        records: a line, or several.
        record_defaults: for each column its default, which has the dtype, in a list of one; an empty list or a dtype
            where one is needed.
        field_delim: what stands between columns.
        use_quote_delim: whether quoted columns may hold that.
        na_value: what stands for a missing value, beside nothing.
        select_cols: the numbers of the columns that are wanted.
        name: not used.

    Raises: ArgumentError for a line with another number of columns, or without a value that has no default.
    """
    lines = texts_of(records)
    quoting: Any = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = list(csv.reader(np.atleast_1d(lines).ravel().tolist(), delimiter=field_delim, quoting=quoting))
    if select_cols is not None:
        rows = [[row[i] for i in select_cols] for row in rows]
    wrong = next((row for row in rows if len(row) != len(record_defaults)), None)
    if wrong is not None:
        raise ArgumentError(
            f"tf.io.decode_csv: expected {len(record_defaults)} columns, received {len(wrong)}: {wrong}."
        )
    columns = [_column([row[i] for row in rows], default, na_value) for i, default in enumerate(record_defaults)]
    return [
        values_of(c.reshape(lines.shape)) if c.dtype == object else constant(c.reshape(lines.shape)) for c in columns
    ]


def _column(fields: list[str], default: Any, missing: str) -> np.ndarray:
    if isinstance(default, str) and hasattr(default, "as_numpy_dtype"):  # a dtype
        default, dtype = [], str(default)
    else:
        default = default if isinstance(default, list | tuple) else np.atleast_1d(np.asarray(default)).tolist()
        kind = np.asarray(default[:1], object if default and isinstance(default[0], str | bytes) else None).dtype
        dtype = {"float64": "float32", "int64": "int32", "object": "string"}.get(kind.name, kind.name)
    if not default and any(field in ("", missing) for field in fields):
        raise ArgumentError("tf.io.decode_csv: expected a value in a column without a default, received none.")
    read = str if dtype == "string" else int if "int" in dtype else float
    made = [default[0] if field in ("", missing) else read(field) for field in fields]
    return np.array([*made, None], object)[:-1].astype(object if dtype == "string" else dtype)
