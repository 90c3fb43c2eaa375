"""The command line: `keras-front info | demo | run | summary`.

Each command imports what it needs when it runs; `info` imports no engine but that of the active backend.
"""

from __future__ import annotations

import argparse
import platform
import runpy
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType

from keras_front import __version__, config
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, KerasFrontError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `keras-front`; by default those of this process.

    Returns: the exit status: 0, 1 if the script of `run` failed, which is shown with its traceback, and 2 if the
        command itself cannot be carried out, which is explained in one message.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except KerasFrontError as error:
        print(f"keras-front: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keras-front", description=__doc__.splitlines()[0].split(": ")[0])
    parser.add_argument("--version", action="version", version=f"keras_front {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    info = add("info", show_info, "show backends, devices and settings, and where each setting came from")
    info.add_argument("--devices", action="store_true", help="load every usable backend and show its devices")

    demo = add("demo", run_demo, "train a digit classifier, save it, load it again")
    demo.add_argument("--backend", help="the backend to train on (default: the active one)")
    demo.add_argument("--epochs", type=int, default=12)

    run = add("run", run_script, "run a script in which `import keras` means keras_front")
    run.add_argument("--backend", help="the backend to run it on (default: the active one)")
    run.add_argument("script")
    run.add_argument("arguments", nargs=argparse.REMAINDER)

    summary = add("summary", show_summary, "show the layers of a saved model")
    summary.add_argument("file")
    return parser


# info -----------------------------------------------------------------------------------------------------


def show_info(options: argparse.Namespace) -> None:
    """Print versions, the backends there are, devices, and every setting with its source.

    Args:
        options: `devices`: whether to load every usable backend and show its devices.
    """
    print(f"keras_front {__version__}   Python {platform.python_version()}   {_versions('numpy', 'h5py')}")
    active, problem = _active_name()
    print("\nbackends")
    _print_table(_backend_row(status, active, options.devices) for status in discovery.available().values())
    if problem:
        print(f"  no backend is active: {problem}")
    print("\nsettings")
    _print_table(_setting_row(name) for name in config.KINDS)
    print(f"\nfile {config.path()}: {'read' if config.path().exists() else 'not there, which is fine'}")


def _versions(*distributions: str) -> str:
    found = []
    for name in distributions:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name}: not installed")
    return "   ".join(found)


def _active_name() -> tuple[str | None, str]:
    try:
        return discovery.backend(), ""
    except KerasFrontError as error:
        return None, str(error)


def _backend_row(status: discovery.Status, active: str | None, every: bool) -> tuple[str, ...]:
    mark = "*" if status.name == active else " "
    if not status.usable:
        return mark, status.name, "-", f"not installed; {status.remedy}"
    state = _devices(status.name) if every or status.name == active else "installed"
    return mark, status.name, status.version or "?", state


def _devices(name: str) -> str:
    try:
        return "ready on " + ", ".join(discovery.get(name).devices())
    except KerasFrontError as error:
        return f"not usable: {error}"


def _setting_row(name: str) -> tuple[str, ...]:
    try:
        found = config.setting(name)
    except KerasFrontError as error:
        return " ", name, "?", str(error)
    default = {"device": "the engine's best", "seed": "drawn at first use"}
    value = default.get(name, "none") if found.value is None else str(found.value)
    return " ", name, value, found.source


def _print_table(rows: Iterable[tuple[str, ...]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# The other commands ---------------------------------------------------------------------------------------


def run_demo(options: argparse.Namespace) -> None:
    """Train the digit classifier of `keras_front.demo`.

    Args:
        options: `backend` and `epochs`.
    """
    from keras_front import demo

    demo.main(options.backend, epochs=options.epochs)


def run_script(options: argparse.Namespace) -> int:
    """Run a script as `__main__`, with `keras` standing for this package.

    Args:
        options: `script`, its `arguments`, and the `backend` to run it on.

    Returns: 0, or 1 if the script raised an error, which is printed as Python prints it.
    Raises: ArgumentError if there is no such script.
    """
    from keras_front.legacy import modules

    if not Path(options.script).is_file():
        raise ArgumentError(f"run: there is no file {options.script!r}.")
    if options.backend:
        discovery.set_backend(options.backend)
    modules.install()
    sys.argv = [options.script, *options.arguments]
    sys.path.insert(0, str(Path(options.script).resolve().parent))
    try:
        runpy.run_path(options.script, run_name="__main__")
    except Exception as error:
        traceback = _from_file(error.__traceback__, options.script)
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        return 1
    return 0


def _from_file(traceback: TracebackType | None, script: str) -> TracebackType | None:
    """The traceback from the script's first line on, as if Python had run it."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename != script:
        traceback = traceback.tb_next
    return traceback


def show_summary(options: argparse.Namespace) -> None:
    """Print the summary of the model in a file; nothing of it is compiled or run.

    Args:
        options: `file`: the model.
    """
    from keras_front.models import load_model

    if not Path(options.file).is_file():
        raise ArgumentError(f"summary: there is no file {options.file!r}.")
    load_model(options.file, compile=False).summary()
