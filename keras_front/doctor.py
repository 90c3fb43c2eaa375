"""`keras-front doctor`: looks an installation over, and says what is wrong and what to do.

Nothing that is looked at can bring the examination down: packages are looked up by their metadata, and each engine is
tried in a process of its own, which may die or hang. No engine is known here: what each needs stands in the metadata of
this package and of the engine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from keras_front import __version__, config, keras_json
from keras_front.backend import discovery
from keras_front.errors import KerasFrontError, meant_by

__all__ = ["Finding", "as_json", "examine", "shown", "verdict"]

DISTRIBUTION = "keras-front"
NEEDED = ("numpy", "h5py")  # what every installation has
PATIENCE = 120.0  # seconds after which an engine that is loading counts as hung

# Loads an engine and computes with it; the last line that it prints is what was found.
PROBE = """
import json, sys, time
start = time.perf_counter()
from keras_front import backend as K
from keras_front.backend import discovery
K.set_backend(sys.argv[1])
value, gradient = K.value_and_grad(lambda ws: K.sum(K.square(K.dot(ws[0], K.constant([[2.0]])))), [K.variable([[3.0]])])
engine = discovery.active()
found = {"devices": list(engine.devices()), "value": float(K.to_numpy(value)), "seconds": time.perf_counter() - start}
found["gradient"] = float(K.to_numpy(gradient[0]).item())
print()
print(json.dumps(found))
"""


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        level: 'ok', 'note' for what may be missed, or 'wrong' for what needs to be mended.
        subject: what was looked at, in a word or two.
        said: what was found.
        remedy: what to do; empty where nothing needs to be done.
    """

    level: str
    subject: str
    said: str
    remedy: str = ""


def examine(engines: bool = True) -> Iterator[Finding]:
    """Everything that is looked at, one thing after another, each as soon as it is known.

    Args:
        engines: whether the engines that are installed are loaded and tried, each in a process of its own.
    """
    checks: list[Callable[[], Iterable[Finding]]] = [
        _python, _package, _requirements, _hidden_modules, _settings, _environment, _home, _backends,
    ]  # fmt: skip
    checks += [_tried] * engines
    checks += [_real_keras, _extras]
    for check in checks:
        yield from _careful(check)


def shown(finding: Finding) -> str:
    """A finding as a line for people, and one with the remedy.

    Args:
        finding: what was looked at.

    Example:
        >>> print(shown(Finding("wrong", "home", "cannot be written", "set KERAS_HOME")))
        wrong  home                  cannot be written
                                     -> set KERAS_HOME
    """
    line = f"{finding.level:<6} {finding.subject:<21} {finding.said}"
    return f"{line}\n{'':<29}-> {finding.remedy}" if finding.remedy else line


def verdict(findings: Sequence[Finding]) -> str:
    """How many things are wrong, in words.

    Args:
        findings: what `examine` found.
    """
    wrong = sum(item.level == "wrong" for item in findings)
    return "Nothing is wrong." if not wrong else f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong."


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as JSON, for programs: `ok`, and a list of objects with the fields of `Finding`.

    Args:
        findings: what `examine` found.
    """
    listed = [item._asdict() for item in findings]
    return json.dumps({"ok": all(item.level != "wrong" for item in findings), "findings": listed}, indent=2)


def _careful(check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds; that it failed, if it does: no installation is so broken that nothing is said of it."""
    subject = check.__name__.strip("_").replace("_", " ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from check()
    except Exception as error:
        yield Finding("wrong", subject, f"could not be looked at: {type(error).__name__}: {error}")


# Python and packages ----------------------------------------------------------------------------------


def _python() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.platform()}, {sys.executable}")


def _package() -> Iterator[Finding]:
    said = f"{__version__} in {Path(__file__).parent}"
    installed = _version(DISTRIBUTION)
    if installed is None:
        yield Finding("wrong", "keras_front", f"{said}, which is not installed", "pip install keras-front")
    elif installed != __version__:
        again = "pip install --force-reinstall keras-front, or -e . in its folder"
        yield Finding("wrong", "keras_front", f"{said}, but {installed} is installed", again)
    else:
        yield Finding("ok", "keras_front", said)


def _requirements() -> Iterator[Finding]:
    """Whether each package that matters here finds the others in the versions that it needs."""
    for name in _concerned():
        unmet = [*_unmet(name)]
        for wanted, found in unmet:
            said = f"needs {wanted}, and {found or 'it is not installed'}"
            yield Finding("wrong", f"{name} {_version(name)}", said, f"pip install -U {name} {_quoted(wanted)}")
        if not unmet and name in NEEDED:
            yield Finding("ok", name, str(_version(name)))
    for module, owners in _doubled():
        said = f"comes from {' and '.join(owners)} at once, which overwrite each other"
        again = f"pip uninstall -y {' '.join(owners)}, then install one of them"
        yield Finding("wrong", f"module {module}", said, again)


def _concerned() -> list[str]:
    """The distributions that are looked at: this one, what it needs, and the engines that are installed."""
    needed = [re.match(r"[\w.-]+", line)[0] for line in metadata.requires(DISTRIBUTION) or ()]  # type: ignore[index]
    owners = metadata.packages_distributions()
    engines = [owner for name in discovery.available() for owner in owners.get(name, ())]
    return [name for name in dict.fromkeys([DISTRIBUTION, *needed, *engines]) if _version(name)]


def _unmet(name: str) -> Iterator[tuple[str, str | None]]:
    """The requirements of a distribution that are not met, and what is there in their place."""
    for line in metadata.requires(name) or ():
        extra = re.search(r"""extra\s*==\s*["']([\w-]+)""", line)
        wanted, _, marker = (part.strip() for part in line.partition(";"))
        other = re.match(r"[\w.-]+", wanted)
        there = _version(other[0]) if other else None
        if extra and (name != DISTRIBUTION or there is None or extra[1] in ("test", "docs")):
            continue  # extras of others are their own affair, and those of this package may be left out
        if (extra is None and marker and not _applies(marker)) or _allows(wanted, there):
            continue
        yield wanted, there and f"{other[0]} {there} is installed"  # type: ignore[index]


def _packaging() -> Any:
    """The package that understands versions: its own distribution, or the copy in pip; None without either."""
    for name in ("packaging", "pip._vendor.packaging"):
        try:
            importlib.import_module(f"{name}.requirements")
            return importlib.import_module(name)
        except Exception:  # a broken pip is no reason to stop
            continue
    return None


def _applies(marker: str) -> bool:
    packaging = _packaging()
    return packaging is not None and packaging.markers.Marker(marker).evaluate({"extra": ""})


def _allows(wanted: str, there: str | None) -> bool:
    """Whether a version meets a requirement; without `packaging` only lower bounds are compared."""
    if there is None:
        return False
    packaging = _packaging()
    if packaging is not None:
        return packaging.requirements.Requirement(wanted).specifier.contains(there, prereleases=True)
    least = re.search(r">=\s*([\d.]+)", wanted)
    return least is None or _numbers(there) >= _numbers(least[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _doubled() -> Iterator[tuple[str, list[str]]]:
    """Modules of engines that several installed distributions bring."""
    owners = metadata.packages_distributions()
    for name in discovery.available():
        several = sorted(set(owners.get(name, ())))
        if len(several) > 1:
            yield name, several


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _quoted(requirement: str) -> str:
    return f"'{requirement.replace(' ', '')}'"


def _hidden_modules() -> Iterator[Finding]:
    """Files of the present folder that Python takes in place of a package, as a script named after one."""
    here = Path.cwd()
    for name in dict.fromkeys(("keras", "keras_front", *NEEDED, *discovery.available())):
        for path in (here / f"{name}.py", here / name / "__init__.py"):
            if path.is_file() and _version_of_module(name) is not None and not _is_installed_from(here):
                said = f"{path} hides the package {name} from programs that run here"
                yield Finding("wrong", "names", said, f"rename {path.relative_to(here).parts[0]}")


def _is_installed_from(folder: Path) -> bool:
    """Whether a folder is where packages are installed, or that of this package."""
    return folder in (Path(__file__).parent.parent, *map(Path, filter(os.path.isabs, sys.path[1:])))


def _version_of_module(name: str) -> str | None:
    owners = metadata.packages_distributions().get(name, ())
    return next((version for owner in owners if (version := _version(owner))), None)


# Settings ---------------------------------------------------------------------------------------------


def _settings() -> Iterator[Finding]:
    path = config.path()
    yield from _told_by(keras_json.read, "keras.json", "mend or remove it; its keys are listed in keras.json.example")
    for name in config.KINDS:
        yield from _told_by(lambda name=name: [*config.candidates(name)], "settings", "correct the value")  # type: ignore[misc]
    said = "read" if path.is_file() else "not there, which is fine"
    yield Finding("ok", "keras.json", f"{path}: {said}")


def _told_by(read: Callable[[], Any], subject: str, remedy: str) -> Iterator[Finding]:
    """What reading something warns of, or raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            read()
        except KerasFrontError as error:
            yield Finding("wrong", subject, str(error), remedy)
    yield from (Finding("wrong", subject, str(item.message), remedy) for item in caught)


# Variables of the environment that are no settings.
_OTHER_VARIABLES = (
    "KERAS_FRONT_DISTRIBUTION_TIMEOUT", "KERAS_FRONT_LAUNCH_ALL_OUTPUT", "KERAS_FRONT_SPEAK_AS",
    "KERAS_FRONT_TEST_ALL", "KERAS_FRONT_TEST_BACKENDS", "KERAS_FRONT_TEST_QUICK",
)  # fmt: skip


def _environment() -> Iterator[Finding]:
    known = [*_OTHER_VARIABLES, *(variable for kind in config.KINDS.values() for variable in kind.environment)]
    for name in sorted(os.environ):
        if name.startswith("KERAS_FRONT_") and name not in known:
            near = meant_by(name, known)
            remedy = f"write {near[0]}" if near else "remove it"
            yield Finding("wrong", "environment", f"the variable {name} means nothing here", remedy)


def _home() -> Iterator[Finding]:
    """Whether data sets and weights can be kept."""
    folder = config.path().parent
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            yield Finding("ok", "home", f"{folder} can be written")
    except OSError as error:
        said = f"{folder} cannot be written ({error.strerror}), so no data set or weights can be kept"
        yield Finding("wrong", "home", said, "set the variable KERAS_HOME to a folder of your own")


# Engines ----------------------------------------------------------------------------------------------


def _backends() -> Iterator[Finding]:
    found = discovery.available()
    if not found:
        yield Finding("wrong", "backends", "none is declared by any package", "pip install keras-front")
    for status in found.values():
        if not status.usable:
            yield Finding("note", status.name, "not installed", status.remedy or "")
    try:
        name = config.setting("backend")
    except KerasFrontError:
        return  # told with the settings
    chosen = found.get(str(name.value))
    if chosen is not None and not chosen.usable and name.given:
        yield Finding("wrong", "backend", f"{name.source} asks for {chosen.name}", chosen.remedy or "")
    elif chosen is None and ":" not in str(name.value) and name.value not in discovery.RETIRED:
        said = f"{name.source} asks for {name.value!r}, which is none of {', '.join(found)}"
        yield Finding("wrong", "backend", said, "choose one of these")
    else:
        yield Finding("ok", "backend", f"{name.value} ({name.source})")


def _tried() -> Iterator[Finding]:
    for status in discovery.available().values():
        if status.usable:
            yield _trial(status.name, status.version or "?")


def _trial(name: str, version: str) -> Finding:
    """Load an engine in another process, and differentiate something with it."""
    again = f"pip install --force-reinstall 'keras-front[{name}]', or read the error and the page of the engine"
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, name], capture_output=True, text=True, errors="replace", timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return Finding("wrong", f"{name} {version}", f"did not load within {PATIENCE:g} seconds", again)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return Finding("wrong", f"{name} {version}", f"does not load: {_last_words(done)}", again)
    found = json.loads(lines[-1])
    if (found["value"], found["gradient"]) != (36.0, 24.0):
        said = f"computes wrongly: (2 * 3) ** 2 is {found['value']}, its derivative {found['gradient']}"
        return Finding("wrong", f"{name} {version}", said, again)
    return _on_devices(name, version, found)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"its process died of signal {-done.returncode}"
    told = [line for line in done.stderr.strip().splitlines() if line and not line.startswith(" ")]
    return told[-1] if told else f"its process ended with status {done.returncode}"


def _on_devices(name: str, version: str, found: dict[str, Any]) -> Finding:
    devices, seconds = found["devices"], found["seconds"]
    said = f"ready on {', '.join(devices)}, loaded in {seconds:.1f} s"
    alone = all(device.lower().startswith("cpu") for device in devices)
    if alone and name != discovery.DEFAULT and Path("/dev/nvidia0").exists():
        remedy = "install the build of the engine for CUDA, as its own page says"
        return Finding(
            "note", f"{name} {version}", f"{said}; this machine has an NVIDIA GPU that it does not see", remedy
        )
    return Finding("ok", f"{name} {version}", said)


# Beside this package ----------------------------------------------------------------------------------


def _real_keras() -> Iterator[Finding]:
    for name in ("keras", "tf_keras"):
        version = _version_of_module(name)
        if version is not None:
            said = f"{version} is installed beside this package; `import {name}` gives that one"
            remedy = "`keras-front run script.py`, or `import keras_front as keras`, gives this one"
            yield Finding("note", name, said, remedy)
        elif name == "keras":
            said = "not installed: `import keras` works in `keras-front run script.py` and after install_as_keras()"
            yield Finding("ok", name, said)


def _extras() -> Iterator[Finding]:
    """What may be installed in addition, and is not."""
    absent: dict[str, list[str]] = {}
    for line in metadata.requires(DISTRIBUTION) or ():
        extra = re.search(r"""extra\s*==\s*["']([\w-]+)""", line)
        name = re.match(r"[\w.-]+", line)
        own = extra is None or name is None or name[0] == DISTRIBUTION
        if own or extra[1] in ("test", "docs", "all", *discovery.available()):  # type: ignore[index]
            continue
        if _version(name[0]) is None:  # type: ignore[index]
            absent.setdefault(extra[1], []).append(name[0])  # type: ignore[index]
    for group, names in absent.items():
        yield Finding("note", f"extra {group}", f"without {', '.join(names)}", f"pip install 'keras-front[{group}]'")
