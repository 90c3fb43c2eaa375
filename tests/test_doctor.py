"""`keras-front doctor`: what it finds in a sound installation, and in broken ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

import pytest

from keras_front import cli, config, doctor
from keras_front.backend import discovery


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_FRONT_BACKEND", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)
    with config.use():
        config.reload()
        yield tmp_path / "home"
    config.reload()


def found(check, level="wrong"):
    return [item for item in doctor._careful(check) if item.level == level]


def test_a_sound_installation(home, monkeypatch):
    monkeypatch.setattr(metadata, "packages_distributions", dict)  # they take seconds to read
    monkeypatch.setattr(doctor, "_concerned", lambda: ["numpy", "h5py"])  # others may be installed as they are
    findings = [*doctor.examine(engines=False)]
    assert [item for item in findings if item.level == "wrong"] == []
    assert {"python", "numpy", "h5py", "keras.json", "home", "backend"} <= {item.subject for item in findings}
    assert doctor.verdict(findings) == "Nothing is wrong."
    assert "keras_front" in "\n".join(map(doctor.shown, findings))
    told = json.loads(doctor.as_json(findings))
    assert told["ok"] is True
    assert len(told["findings"]) == len(findings)


def test_an_engine_is_tried_in_a_process_of_its_own():
    finding = doctor._trial("numpy", "2")
    assert finding.level == "ok", finding
    assert "ready on cpu" in finding.said


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "died of signal 11"),
        ("import sys; sys.exit(3)", "status 3"),
        ("raise ImportError('libcudart.so.12 is missing')", "ImportError: libcudart.so.12 is missing"),
        ("import time; time.sleep(60)", "did not load within"),
        ('print(\'{"value": 35.0, "gradient": 24.0}\')', r"computes wrongly: \(2 \* 3\) \*\* 2 is 35"),
        ("print('no json')", ""),
    ],
)
def test_a_broken_engine_is_told(monkeypatch, probe, said):
    monkeypatch.setattr(doctor, "PROBE", probe)
    monkeypatch.setattr(doctor, "PATIENCE", 2.0)
    status = discovery.Status("numpy", True, "1", "", None)
    monkeypatch.setattr(discovery, "available", lambda: {"numpy": status})
    (finding,) = found(doctor._tried)
    assert re.search(said, finding.said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{broken", "cannot be read"),
        ("[]", "expected a JSON object"),
        ('{"keras_front": {"bakcend": "torch"}}', "Did you mean 'backend'"),
        ('{"keras_front": {"epsilon": "small"}}', "epsilon"),
    ],
)
def test_a_keras_json_that_cannot_be_used(home, text, said):
    home.mkdir()
    (home / "keras.json").write_text(text)
    config.reload()
    told = found(doctor._settings)
    assert told
    assert said in told[0].said
    assert told[0].remedy


def test_variables_and_backends_that_mean_nothing(home, monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_BAKCEND", "torch")
    (finding,) = found(doctor._environment)
    assert finding.remedy == "write KERAS_FRONT_BACKEND"
    monkeypatch.setenv("KERAS_FRONT_BACKEND", "tourch")
    config.reload()
    (finding,) = found(doctor._backends)
    assert "'tourch', which is none of" in finding.said


def test_a_folder_that_cannot_be_written(home, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    (finding,) = found(doctor._home)
    assert "Permission denied" in finding.said
    assert "KERAS_HOME" in finding.remedy


@pytest.mark.parametrize("alone", [False, True], ids=["packaging", "without"])
def test_versions_that_clash(monkeypatch, alone):
    versions = {"keras-front": "1.0", "numpy": "2.1.0", "torch": "2.2.0"}
    needs = {
        "keras-front": ["numpy>=1.26", 'torch>=2.4; extra == "torch"', 'jax>=0.4; extra == "jax"'],
        "torch": ["numpy<2", "numpy>=1.20", 'other>=1; python_version < "3"', 'numpy>9; extra == "more"'],
    }
    monkeypatch.setattr(doctor, "_version", versions.get)
    monkeypatch.setattr(metadata, "requires", lambda name: needs.get(name))
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"torch": ["torch", "torch-nightly"]})
    if alone:
        monkeypatch.setattr(doctor, "_packaging", lambda: None)
    told = {item.subject: item for item in found(doctor._requirements)}
    assert told["keras-front 1.0"].said == "needs torch>=2.4, and torch 2.2.0 is installed"
    assert told["keras-front 1.0"].remedy == "pip install -U keras-front 'torch>=2.4'"
    assert ("torch 2.2.0" in told) is not alone  # an upper bound needs the package that reads them
    assert told["module torch"].said.startswith("comes from torch and torch-nightly at once")


def test_a_script_that_hides_a_package(home, monkeypatch, tmp_path):
    (tmp_path / "numpy.py").write_text("")
    (finding,) = found(doctor._hidden_modules)
    assert "hides the package numpy" in finding.said
    assert finding.remedy == "rename numpy.py"


def test_an_examination_that_fails_is_a_finding():
    def _teeth():
        yield doctor.Finding("ok", "tongue", "red")
        raise RuntimeError("no mirror")

    tongue, teeth = doctor._careful(_teeth)
    assert tongue.level == "ok"
    assert teeth == doctor.Finding("wrong", "teeth", "could not be looked at: RuntimeError: no mirror")


def test_the_command(home, monkeypatch, capsys):
    monkeypatch.setattr(metadata, "packages_distributions", dict)  # they take seconds to read
    monkeypatch.setattr(doctor, "_concerned", list)
    assert cli.main(["doctor", "--no-engines"]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    monkeypatch.setenv("KERAS_FRONT_BAKCEND", "torch")
    assert cli.main(["doctor", "--no-engines", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_nothing_is_imported_for_it():
    code = "import sys, keras_front.doctor as d; [*d.examine(False)]; print(*{'torch', 'jax'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
