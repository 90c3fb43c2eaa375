"""Hashes of files, by which downloads are checked."""

from __future__ import annotations

import os
from typing import Any

from keras_front.compatibility import reject_unknown, renamed

__all__ = ["algorithm_of", "hash_file", "validate_file"]


def algorithm_of(algorithm: str, file_hash: str = "") -> str:
    """'sha256' or 'md5', as Keras decides: MD5 unless SHA-256 was named, or is told by the length of the hash.

    Args:
        algorithm: 'md5', 'sha256' or 'auto'.
        file_hash: the hash, for 'auto'.
    """
    return "sha256" if algorithm == "sha256" or (algorithm == "auto" and len(file_hash) == 64) else "md5"


def hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """The hash of a file, in hexadecimal digits.

    Args:
        fpath: the file.
        algorithm: 'sha256'; anything else is MD5, as in Keras.
        chunk_size: bytes to read at a time.

    Source: Keras 2.3.1, `keras/utils/data_utils.py`, `_hash_file`.
    """
    import hashlib  # here, as only downloads are hashed and importing it takes milliseconds

    hasher = hashlib.new(algorithm_of(algorithm), usedforsecurity=False)
    with open(fpath, "rb") as stream:
        while chunk := stream.read(chunk_size):
            hasher.update(chunk)
    return hasher.hexdigest()


@renamed
def validate_file(
    fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto", chunk_size: int = 65535, **kwargs: Any
) -> bool:
    """Whether a file has a hash.

    Args:
        fpath: the file.
        file_hash: the hash in hexadecimal digits.
        algorithm: 'md5', 'sha256', or 'auto': SHA-256 if the hash has 64 digits, otherwise MD5.
        chunk_size: bytes to read at a time.
        **kwargs: older names of these arguments.

    Source: Keras 2.3.1, `keras/utils/data_utils.py`.
    """
    reject_unknown("validate_file", kwargs, validate_file)
    return hash_file(fpath, algorithm_of(algorithm, str(file_hash)), chunk_size) == str(file_hash).lower()
