"""Images between files, pictures and arrays, and the images of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from keras_front.tracebacks import warn_user
from keras_front.utils.image_utils import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "array_to_img",
    "img_to_array",
    "list_pictures",
    "load_img",
    "save_img",
    "smart_resize",
    "validate_filename",
]

EXTENSIONS = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff")


def list_pictures(directory: str | os.PathLike[str], ext: str | Sequence[str] = EXTENSIONS) -> list[str]:
    """The images in a folder and the folders below it, in the order of their names.

    Args:
        directory: the folder.
        ext: endings of names: one, several, or several with '|' between them as in Keras 1.

    Source: Keras-Preprocessing 1.1.2, whose order is that of the disk.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> (folder / "cat.png").touch()
        >>> [pathlib.Path(file).name for file in list_pictures(folder)]
        ['cat.png']
    """
    endings = tuple(f".{ending}" for ending in (ext.split("|") if isinstance(ext, str) else ext))
    found = (os.path.join(root, name) for root, _, names in os.walk(directory) for name in names)
    return sorted(path for path in found if path.lower().endswith(endings))


def validate_filename(filename: str, white_list_formats: Sequence[str]) -> bool:
    """Whether there is a file of that name, which has one of some endings.

    Args:
        filename: the name.
        white_list_formats: the endings.

    Example:
        >>> validate_filename("cat.png", ("png", "jpg"))
        False
    """
    return filename.lower().endswith(tuple(white_list_formats)) and os.path.isfile(filename)


def image_files(
    directory: str | os.PathLike[str], endings: tuple[str, ...], follow_links: bool = False
) -> Iterator[str]:
    """The images in a folder and those below it: folder by folder, and in each by name.

    Args:
        directory: the folder.
        endings: what their names end with.
        follow_links: whether links to folders are followed.
    """
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith((".tif", ".tiff")):
                warn_user(f"{name}: only the first picture of a TIFF file is read.")
            if name.lower().endswith(endings):
                yield os.path.join(root, name)
