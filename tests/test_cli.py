"""The command line, as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from keras_front import cli, config
from keras_front.backend import discovery
from keras_front.errors import BackendError


def run(capsys: pytest.CaptureFixture, *arguments: str) -> SimpleNamespace:
    status = cli.main(arguments)
    return SimpleNamespace(status=status, **capsys.readouterr()._asdict())


def command(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "keras_front", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def test_info_shows_backends_and_the_source_of_each_setting(capsys, monkeypatch, tmp_path, fresh_choice):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_FRONT_SEED", "5")
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float64"}))
    config.reload()
    out = run(capsys, "info").out
    assert re.search(r"\* +numpy +\d+\.\d+.* ready on cpu", out)
    for name in ("torch", "jax", "tensorflow"):
        assert re.search(rf"^ +{name} ", out, re.M)
    assert re.search(r"backend +numpy +default", out)
    assert re.search(rf"floatx +float64 +{re.escape(str(tmp_path))}\S+, key floatx", out)
    assert re.search(r"seed +5 +environment variable KERAS_FRONT_SEED", out)
    assert f"file {tmp_path / 'keras.json'}: read" in out


def test_info_survives_what_cannot_be_used(capsys, monkeypatch, fresh_choice):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", "openvino")
    monkeypatch.setenv("KERAS_FRONT_FLOATX", "float3")
    config.reload()
    shown = run(capsys, "info")
    assert shown.status == 0
    assert "no backend is active: environment variable KERAS_FRONT_BACKEND: there is no backend" in shown.out
    assert "KERAS_FRONT_FLOATX: expected one of" in shown.out


def test_info_with_devices_reports_what_does_not_load(capsys, monkeypatch):
    def get(name):
        raise BackendError("out of order")

    monkeypatch.setattr(discovery, "get", get)
    out = run(capsys, "info", "--devices").out
    assert "not usable: out of order" in out


def test_info_says_what_to_install(capsys, monkeypatch):
    missing = discovery.Status("nowhere", False, None, "x:Y", "pip install 'keras-front[nowhere]'")
    monkeypatch.setattr(discovery, "available", lambda: {"nowhere": missing})
    assert "not installed; pip install 'keras-front[nowhere]'" in run(capsys, "info").out


def test_info_imports_no_engine_but_the_active_one():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from keras_front.cli import main; main(['info']); "
            "print({'torch', 'jax', 'tensorflow', 'h5py'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip().endswith("set()"), done.stdout + done.stderr


def test_the_module_is_the_command():
    done = command("--version")
    assert done.stdout.startswith("keras_front ")
    assert command().returncode == 2


def test_an_error_is_one_message_and_a_status(capsys):
    shown = run(capsys, "demo", "--backend", "tensroflow")
    assert shown.status == 2
    assert shown.err.startswith("keras-front: there is no backend 'tensroflow'")
    assert run(capsys, "summary", "no_such_file.h5").err.startswith("keras-front: summary: there is no file")
    assert run(capsys, "run", "no_such_file.py").err.startswith("keras-front: run: there is no file")


def test_run_gives_keras_front_for_keras(tmp_path):
    (tmp_path / "neighbour.py").write_text("VALUE = 3\n")
    script = tmp_path / "old.py"
    script.write_text(
        "import sys, keras, neighbour\n"
        "from keras.utils import np_utils\n"
        "import keras.utils.np_utils, keras_front.utils.np_utils\n"
        "assert __name__ == '__main__' and sys.argv[1:] == ['a', '--b']\n"
        "assert keras.utils.np_utils is keras_front.utils.np_utils\n"
        "try:\n"
        "    import keras.no_such_module\n"
        "except ImportError:\n"
        "    print(np_utils.to_categorical([neighbour.VALUE]).tolist())\n"
    )
    done = command("run", str(script), "a", "--b")
    assert done.stdout.strip() == "[[0.0, 0.0, 0.0, 1.0]]", done.stderr


SCRIPT = """import sys
from keras.models import Sequential
from keras.layers import Dense

def build():
    return Sequential([Dense(3, input_shape=(2,)), Dense('many')])

{last}
"""


def run_script(tmp_path, last: str, *arguments: str) -> subprocess.CompletedProcess:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(last=last))
    return command("run", str(script), *arguments)


def test_run_shows_the_traceback_of_an_error_in_the_script(tmp_path):
    done = run_script(tmp_path, "build()")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.split(", ", 1)[1] for line in lines if line.startswith("  File")] == [
        "line 8, in <module>",
        "line 6, in build",
    ]
    assert "units to be a positive integer, received 'many'" in lines[-1]


def test_run_shows_a_syntax_error_as_python_does(tmp_path):
    done = run_script(tmp_path, "x = = 1")
    assert done.returncode == 1
    assert "script.py" in done.stderr
    assert "runpy" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("SyntaxError")


def test_run_gives_the_exit_status_of_the_script(tmp_path):
    assert run_script(tmp_path, "sys.exit(7)").returncode == 7
    assert run_script(tmp_path, "sys.exit('a reason')").stderr.strip() == "a reason"
    assert run_script(tmp_path, "print(1)").returncode == 0


def test_only_errors_of_the_command_itself_are_one_line(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text("")
    shown = run(capsys, "run", "--backend", "tensroflow", str(script))
    assert shown.status == 2
    assert "Traceback" not in shown.err
    assert "tensroflow" in shown.err


def test_run_chooses_the_backend(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from keras import backend as K\nprint(K.backend())\n")
    assert command("run", "--backend", "numpy", str(script)).stdout.strip() == "numpy"


def test_summary_shows_a_saved_model(capsys, tmp_path):
    from keras_front.layers import Dense
    from keras_front.models import Sequential

    Sequential([Dense(4, input_shape=(3,), name="only")]).save(str(tmp_path / "model.h5"))
    shown = run(capsys, "summary", str(tmp_path / "model.h5"))
    assert re.search(r"only \(Dense\) +\(None, 4\) +16", shown.out), shown.err


def test_the_demo_learns_the_digits(capsys, backend):
    shown = run(capsys, "demo", "--backend", backend.name)
    assert shown.status == 0, shown.err
    accuracy = float(re.search(r"has not seen: (\S+)", shown.out).group(1))
    assert accuracy >= 0.97
    assert "loaded it again: the same predictions" in shown.out


def test_without_a_command_it_says_what_there_is(capsys):
    shown = run(capsys)
    assert shown.status == 2
    assert "keras-front demo" in shown.out


def test_the_demo_takes_one_thread_of_blas():
    """NumPy reads the variable when it is loaded, so nothing may load it before the command is known."""
    code = "import sys, keras_front.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import sys, keras_front.cli; sys.exit(keras_front.cli.main(['info']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()  # as `keras-front info | head -1` does
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_a_misspelt_command_says_which_is_meant(capsys):
    from keras_front.cli import main

    with pytest.raises(SystemExit):
        main(["sumary", "model.h5"])
    assert "Did you mean 'summary'?" in capsys.readouterr().err
