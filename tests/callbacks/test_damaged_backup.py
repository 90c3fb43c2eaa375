"""Backups that are damaged, or made to lead elsewhere, are refused in words."""

import json

import numpy as np
import pytest

from keras_front import callbacks as C
from keras_front import layers as L
from keras_front.errors import UnreadableFileError
from keras_front.models import Sequential

SAVED = {"epoch": 1, "batch": 0, "done": 0, "previous": None}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        b"[" * 100_000,
        b"[1]",
        json.dumps({**SAVED, "state": "../elsewhere"}).encode(),
        json.dumps({**SAVED, "state": "/tmp"}).encode(),
        json.dumps({**SAVED, "state": "state-1", "previous": {**SAVED, "state": "state-/../.."}}).encode(),
    ],
)
def test_a_damaged_backup_is_refused(content, tmp_path):
    (tmp_path / "training_metadata.json").write_bytes(content)
    model = Sequential([L.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    with pytest.raises(UnreadableFileError, match=r"training_metadata.json.*Delete the folder"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0, callbacks=[C.BackupAndRestore(str(tmp_path))])
