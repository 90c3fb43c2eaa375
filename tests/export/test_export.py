"""`Model.export`: which format is meant, and what an unknown one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_front import export
from keras_front.errors import ArgumentError
from keras_front.layers import Dense
from keras_front.models import Sequential


def test_the_format_is_named_or_follows_from_the_path(monkeypatch, tmp_path, capsys):
    written = []
    monkeypatch.setitem(export.FORMATS, "trial", export.Format(__name__, (".trial",), "a format of this test"))
    monkeypatch.setattr(export, "import_module", lambda name: _Writer(name, written))
    model = Sequential([Dense(1, input_shape=(2,))], name="small")
    model.export(tmp_path / "a.TRIAL", verbose=True)
    model.export(str(tmp_path / "a"), format="trial", detail=1)
    assert [(name, path.name.lower(), options) for name, path, options in written] == [
        (__name__, "a.trial", {}),
        (__name__, "a", {"detail": 1}),
    ]
    assert capsys.readouterr().out.startswith("Exported 'small' to ")


class _Writer:
    def __init__(self, name, written):
        self.name, self.written = name, written

    def write(self, model, path, **options):
        self.written.append((self.name, Path(path), options))


@pytest.mark.parametrize("path", ["model", "model.h5", ""])
def test_a_path_that_means_no_format_is_an_error_that_lists_them(path):
    with pytest.raises(ArgumentError, match="does not say which format is meant"):
        export.format_of(path)


def test_an_unknown_format_is_an_error_that_lists_them():
    with pytest.raises(ArgumentError, match=r"unknown format 'caffe'"):
        export.format_of("m.onnx", "caffe")
