"""`FileForm`: in what the files of later Keras versions write a class differently; a fact that stands on the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["FileForm"]


class FileForm(NamedTuple):
    """How other Keras versions write a class and its calls, where that differs from Keras 2.

    Attributes:
        name: what Keras 3 calls the class; None if the same.
        renamed: what arguments are called here, by their names in Keras 3.
        omitted: arguments that Keras 3 does not have, with the values that may be left out for it.
        tf_keras: arguments that tf_keras does not have, with the values that it computes with; `.h5` leaves these out.
        left_out: arguments that tf_keras and Keras 3 do not write, with the values that they have there.
        call: what Keras 3 calls the tensors that it passes to a call one by one, where here they are one list.
        further: what Keras 3 calls the list of the tensors that follow the first one, where here they are one list.
        says_training: whether Keras 3 writes `training=True` with each call. What counts is how the model is called.
        places: arguments that may name a file or an address, which a config must write out instead.
    """

    name: str | None = None
    renamed: Mapping[str, str] = {}
    omitted: Mapping[str, Any] = {}
    tf_keras: Mapping[str, Any] = {}
    left_out: Mapping[str, Any] = {}
    call: tuple[str, ...] = ()
    further: str | None = None
    says_training: bool = False
    places: tuple[str, ...] = ()
