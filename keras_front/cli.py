"""The command line: `keras-front info | demo | run | launch | profile | summary | plot | history | inspect | ...`.

Each command imports what it needs when it runs; `info` imports no engine but that of the active backend.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import runpy
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from keras_front import __version__, config
from keras_front.errors import ArgumentError, KerasFrontError

if TYPE_CHECKING:
    from keras_front.backend import discovery

ABOUT = """The classic Keras over NumPy, PyTorch, JAX and TensorFlow, from the command line.

    keras-front demo               see it work: a digit classifier in a few seconds
    keras-front run old_script.py  run an old program as it is
    keras-front inspect model.h5   see what is in an old file"""
PROFILED = 5  # calls of `fit` that `profile` looks at: in a loop the next are like these


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `keras-front`; by default those of this process.

    Returns: the exit status: 0, 1 if the script of `run` failed, which is shown with its traceback, and 2 if the
        command itself cannot be carried out, which is explained in one message, or if there is none.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        status = options.command(options) or 0
        sys.stdout.flush()
    except KerasFrontError as error:
        print(f"keras-front: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough, as `head` has; nothing more is written, also at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose error for a command that there is not names the nearest one."""

    def error(self, message: str) -> NoReturn:
        import difflib

        words = message.split("'")[1::2] if "invalid choice" in message else []  # what was given, then what there is
        near = difflib.get_close_matches(words[0], words[1:], n=1) if words else []
        super().error(f"{message}. Did you mean {near[0]!r}?" if near else message)


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="keras-front", description=ABOUT, formatter_class=layout)
    parser.add_argument("--version", action="version", version=f"keras_front {__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(metavar="command", title="commands", prog="keras-front")

    def add(name: str, command: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    info = add("info", show_info, "show backends, devices and settings, and where each setting came from")
    info.add_argument("--devices", action="store_true", help="load every usable backend and show its devices")

    demo = add("demo", run_demo, "train a digit classifier, save it, load it again")
    demo.add_argument("--backend", help="the backend to train on (default: the active one)")
    demo.add_argument("--epochs", type=int, default=12)

    _add_programs(add)
    _add_files(add)
    return parser


def _add_programs(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands that run a program."""
    text = "run a program in which `import keras` and `import tensorflow.keras` mean keras_front"
    run = add("run", run_program, text)
    joins = "train with the other processes of the run that `launch`, torchrun or TF_CONFIG has started"
    run.add_argument("--data-parallel", action="store_true", help=joins)
    _takes_program(run)

    text = "run a program in several processes of this machine, data parallel, without a change to it"
    launch = add("launch", launch_program, text)
    launch.add_argument("-n", dest="processes", type=int, default=2, help="how many processes (default: 2)")
    launch.add_argument("--all-output", action="store_true", help="show what every process prints, not the first alone")
    _takes_program(launch)

    text = "run a program as `run` does, and show where the time of the training steps of each `fit` goes"
    profile = add("profile", profile_program, text)
    profile.add_argument("--steps", type=int, default=20, help="how many steps of a `fit` to look at (default: 20)")
    profile.add_argument(
        "--html", help="write a flame graph there; for a second `fit` with -2 before the end of the name"
    )
    profile.add_argument("--trace", help="write a timeline for ui.perfetto.dev there, a JSON file; as --html")
    profile.set_defaults(data_parallel=False)
    _takes_program(profile)


def _add_files(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands for files."""
    summary = add("summary", show_summary, "show the layers of a saved model")
    summary.add_argument("file")
    summary.add_argument("--nested", action="store_true", help="show the layers of models within the model")
    summary.add_argument("--trainable", action="store_true", help="show what training changes")
    summary.add_argument("--memory", action="store_true", help="show the bytes of weights and outputs")
    summary.add_argument("--flops", action="store_true", help="show the operations that each layer takes for a sample")

    text = "draw the graph of a saved model; nothing of it is compiled or run"
    plot = add("plot", plot_file, text)
    plot.add_argument("file", help="a model, or its structure as JSON or YAML")
    plot.add_argument("target", nargs="?", help="the picture: .svg .png .pdf .dot ... (default: FILE with .svg)")
    plot.add_argument("--nested", action="store_true", help="open models within the model")
    plot.add_argument("--no-shapes", action="store_true", help="leave out the shapes")
    plot.add_argument("--activations", action="store_true", help="show the activations")
    plot.add_argument("--trainable", action="store_true", help="show what training changes")
    plot.add_argument("--direction", choices=("TB", "LR", "BT", "RL"), default="TB", help="down, right, up or left")

    text = "show the losses and metrics in a log of CSVLogger or a JSON file, as text or as a picture"
    history = add("history", show_history, text)
    history.add_argument("log")
    history.add_argument("--metric", action="append", help="show this metric alone; may be given several times")
    history.add_argument("--chart", action="store_true", help="charts in characters, besides the table")
    history.add_argument("--to", metavar="FILE", help="write a picture instead: .svg .png .pdf ... (needs Matplotlib)")
    history.add_argument("--log-scale", action="store_true", help="a logarithmic scale for the values of the picture")

    text = "show what a file is, and what would be refused and why, without making anything of it"
    inspect = add("inspect", show_file, text)
    inspect.add_argument("file")
    inspect.add_argument("--json", action="store_true", help="as JSON, for programs")

    text = "look an installation over, and say what is wrong and what to do"
    doctor = add("doctor", show_health, text)
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    doctor.add_argument("--no-engines", action="store_true", help="do not load the engines, which takes a while")

    text = "turn a file into another: models, structures and weights of any Keras, NumPy, PyTorch and safetensors"
    convert = add("convert", convert_file, text)
    convert.add_argument("source")
    convert.add_argument("target", help="its end says what is written: .h5 .keras .json .yaml .weights.h5 .npz .pt ...")
    convert.add_argument("--to", help="the Keras that must read it: keras1, keras2.2, tf_keras or keras3")
    convert.add_argument("--model", help="a file with the model, where the source has weights alone")
    convert.add_argument("--names", help="a JSON file: what a state of PyTorch calls the layers")
    convert.add_argument("--by-order", action="store_true", help="modules of PyTorch belong to the layers in order")
    convert.add_argument("--allow-code", action="store_true", help="let Python code in the source run")

    export = add("export", export_model, "write how a saved model predicts as a program that needs no Keras")
    export.add_argument("file", help="the model")
    export.add_argument("target", help=".py for NumPy alone, .onnx, .pt2 for PyTorch, .stablehlo for JAX, or a folder")
    export.add_argument("--format", help="the format, where the name of the target does not tell: saved_model ...")
    export.add_argument("--batch-size", type=int, help="the only size that the batch will have (default: any)")


def _takes_program(command: argparse.ArgumentParser) -> None:
    """Let a command take a program, and how it is run."""
    command.usage = "%(prog)s [options] (script | -m module | -c code) arguments"
    command.add_argument("--backend", help="the backend to run it on (default: the active one)")
    command.add_argument(
        "--dialect", help="the Keras whose defaults hold: keras1, keras2.2, keras2.3, tf.keras or keras3"
    )
    speak_as = "what `K.backend()` answers, for libraries that know three engines: tensorflow, theano or cntk"
    command.add_argument("--speak-as", help=speak_as)
    command.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, as `python -m` does")
    command.add_argument("-c", dest="code", nargs=argparse.REMAINDER, help="run a text, as `python -c` does")
    command.add_argument("script", nargs="?")
    command.add_argument("arguments", nargs=argparse.REMAINDER)


# info -----------------------------------------------------------------------------------------------------


def show_info(options: argparse.Namespace) -> None:
    """Print versions, the backends there are, devices, and every setting with its source.

    Args:
        options: `devices`: whether to load every usable backend and show its devices.
    """
    from keras_front.backend import discovery

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
    from keras_front.backend import discovery

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
    from keras_front.backend import discovery

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
    if "OMP_NUM_THREADS" not in os.environ and sys.modules.get("numpy") is None:
        # Small matrices: threads that wait for each other take many times as long, on a machine that does other things.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from keras_front import demo

    demo.main(options.backend, epochs=options.epochs)


def run_program(options: argparse.Namespace) -> int:
    """Run a program as `__main__`, with `keras` and `tensorflow.keras` standing for this package.

    Args:
        options: `script`, a file or a folder, and its `arguments`; or `module`, or `code`, a list of either and its
            arguments; the `backend` to run it on; `dialect` and `speak_as`, see `install_as_keras`; `data_parallel`,
            whether this is one of several processes that train together.

    Returns: 0, or 1 if the program raised an error, which is printed as Python prints it.
    Raises: ArgumentError if there is no such program; ConfigError for an unknown dialect or engine;
        BackendNotFoundError if there is no such backend.
    """
    start = _program(options)
    from keras_front import install_as_keras  # which answers `keras` from now on

    install_as_keras(options.backend, options.dialect, options.speak_as)
    if options.data_parallel:
        from keras_front.distribution.launch import join

        join()
    try:
        start()
    except Exception as error:
        traceback = _of_program(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        return 1
    return 0


def launch_program(options: argparse.Namespace) -> int:
    """Run a program in several processes that train its models together.

    Args:
        options: `processes` and `all_output`, see `keras_front.distribution.launch`; the rest as for `run_program`.

    Returns: the exit status: 0, or that of the process that ended first with another one.
    """
    from keras_front.distribution.launch import launch

    prepare, program = _chosen_program(options)
    words = [
        f"--{name}={value}" for name, value in (("dialect", options.dialect), ("speak-as", options.speak_as)) if value
    ]
    words += [flag for flag, reads in (("-m", _module), ("-c", _code)) if reads is prepare]
    return launch(options.processes, options.backend, [*words, *program], options.all_output)


def profile_program(options: argparse.Namespace) -> int:
    """Run a program whose `fit`s are profiled, each with a `keras_front.callbacks.Profiler`.

    Args:
        options: `steps`, `html` and `trace`, see `Profiler`; the rest as for `run_program`.

    Returns: 0, or 1 if the program raised an error, which is printed as Python prints it.
    """
    from keras_front.callbacks import Profiler, in_every_fit

    made: list[Profiler] = []

    def profiler() -> Profiler | None:
        if len(made) == PROFILED:
            return None
        html, trace = (name and _numbered(name, len(made) + 1) for name in (options.html, options.trace))
        made.append(Profiler(options.steps, html=html, trace=trace))
        return made[-1]

    with in_every_fit(profiler):
        status = run_program(options)
    if not made:
        print(
            "keras-front profile: the program called no `fit`; other ways to train are not looked at.", file=sys.stderr
        )
    return status


def _numbered(name: str, number: int) -> str:
    """The name of a file; of a second one with a number before its end."""
    path = Path(name)
    return name if number == 1 else str(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _program(options: argparse.Namespace) -> Callable[[], object]:
    """What runs the program that was asked for, with `sys.argv` and `sys.path` as Python has them then."""
    prepare, (what, *arguments) = _chosen_program(options)
    start, name, folder = prepare(what)
    sys.argv = [name, *arguments]
    sys.path.insert(0, folder)
    return start


def _chosen_program(options: argparse.Namespace) -> tuple[Callable[[str], Any], list[str]]:
    """How to prepare the program that was asked for, and its words. Raises: ArgumentError unless there is one."""
    words_of = ([options.script, *options.arguments] if options.script else [], options.module, options.code)
    programs = [(prepare, words) for prepare, words in zip((_script, _module, _code), words_of) if words]
    if len(programs) != 1:
        raise ArgumentError("run: expected a script, or -m with a module, or -c with code.")
    return programs[0]


def _script(path: str) -> tuple[Callable[[], object], str, str]:
    if not Path(path).exists():
        raise ArgumentError(f"run: there is no file {path!r}.")
    return lambda: runpy.run_path(path, run_name="__main__"), path, str(Path(path).resolve().parent)


def _module(name: str) -> tuple[Callable[[], object], str, str]:
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True), "-m", str(Path.cwd())


def _code(text: str) -> tuple[Callable[[], object], str, str]:
    def start() -> None:
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(text, "<string>", "exec"), main.__dict__)

    return start, "-c", ""


def _of_program(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from the program's first line on, as if Python had run it."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
        traceback = traceback.tb_next
    return traceback


def show_summary(options: argparse.Namespace) -> None:
    """Print the summary of the model in a file; nothing of it is compiled or run.

    Args:
        options: `file`, the model; `nested`, `trainable`, `memory` and `flops`, see `Model.summary`.
    """
    _model_in("summary", options.file).summary(
        expand_nested=options.nested, show_trainable=options.trainable,
        show_memory=options.memory, show_flops=options.flops,
    )  # fmt: skip


def plot_file(options: argparse.Namespace) -> None:
    """Draw the model in a file; nothing of it is compiled or run.

    Args:
        options: `file`, the model; `target`, the picture, beside the file by default; `nested`, `no_shapes`,
            `activations`, `trainable` and `direction`, see `keras_front.utils.plot_model`.
    """
    from keras_front.utils.vis_utils import plot_model

    target = options.target or str(Path(options.file).with_suffix(".svg"))
    picture = plot_model(
        _model_in("plot", options.file), target, not options.no_shapes, rankdir=options.direction,
        expand_nested=options.nested, show_layer_activations=options.activations, show_trainable=options.trainable,
    )  # fmt: skip
    print(f"{options.file} -> {picture.filename}")


def _model_in(command: str, path: str) -> Any:
    """The model in a file; of a text, which has no weights, its structure. Raises: ArgumentError without the file."""
    from keras_front import models

    if not Path(path).exists():
        raise ArgumentError(f"{command}: there is no file {path!r}.")
    readers = {".json": models.model_from_json, ".yaml": models.model_from_yaml, ".yml": models.model_from_yaml}
    read = readers.get(Path(path).suffix.lower())
    return models.load_model(path, compile=False) if read is None else read(Path(path).read_text("utf-8"))


def show_history(options: argparse.Namespace) -> None:
    """Print, or draw, the losses and metrics in a log.

    Args:
        options: `log`, the file; `metric`, a list of names or None for all; `chart`, whether charts follow the table;
            `to`, the file of a picture, which then takes the place of the text; `log_scale`.
    """
    from keras_front.utils import figures, terminal
    from keras_front.utils.training_logs import read_log

    curves = read_log(options.log)
    if options.to:
        figures.save(curves.draw(options.metric, log_scale=options.log_scale)[0].figure, options.to)
        print(f"{options.log} -> {options.to}")
        return
    width, colours = terminal.width_of(sys.stdout) or 100, terminal.has_colours(sys.stdout)
    lines = curves.table(options.metric, min(40, width // 3))
    for metric in curves.groups(options.metric) if options.chart else ():
        lines += [[], *curves.chart(metric, min(100, width))]
    for line in lines:
        print(terminal.painted(line, colours))


def show_file(options: argparse.Namespace) -> int:
    """Print what a file is; nothing of it is made, read or run.

    Args:
        options: `file`; `json`, whether to print JSON.

    Returns: 1 if something in the file would be refused, else 0.
    """
    from keras_front.saving.inspection import describe

    found = describe(options.file)
    print(found.to_json() if options.json else found)
    return int(bool(found.refused))


def show_health(options: argparse.Namespace) -> int:
    """Print what is right and what is wrong with an installation.

    Args:
        options: `json`, whether to print JSON; `no_engines`, whether to leave the engines alone.

    Returns: 1 if something is wrong, else 0.
    """
    from keras_front import doctor

    findings = []
    for finding in doctor.examine(engines=not options.no_engines):  # engines take seconds each
        findings.append(finding)
        if not options.json:
            print(doctor.shown(finding), flush=True)
    print(doctor.as_json(findings) if options.json else f"\n{doctor.verdict(findings)}")
    return int(any(finding.level == "wrong" for finding in findings))


def convert_file(options: argparse.Namespace) -> None:
    """Turn one file into another, and say what could not be carried.

    Args:
        options: `source`, `target`, `to`, `model`, `names`, `by_order`, `allow_code`, see
            `keras_front.saving.conversion.convert`.
    """
    from keras_front.saving.conversion import convert

    names = json.loads(Path(options.names).read_text("utf-8")) if options.names else None
    given = {"by_order": options.by_order, "allow_code": options.allow_code}
    notes = convert(options.source, options.target, options.to, options.model, names, **given)
    print(f"{options.source} -> {options.target}")
    for note in notes:
        print(f"  not carried: {note}")


def export_model(options: argparse.Namespace) -> None:
    """Write how a saved model predicts as a program for another runtime.

    Args:
        options: `file`, the model; `target`, `format` and `batch_size`, see `keras_front.export.export`.
    """
    from keras_front.models import load_model

    if not Path(options.file).exists():
        raise ArgumentError(f"export: there is no file {options.file!r}.")
    given = {} if options.batch_size is None else {"batch_size": options.batch_size}
    load_model(options.file, compile=False).export(options.target, options.format, **given)
    print(f"{options.file} -> {options.target}")
