"""`tf.app` and `tf.flags`: a program's own options, read from the command line when the first is asked for."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Any

_parser = ArgumentParser(allow_abbrev=False)


class Flags:
    """The values of the options that the program has defined, as attributes."""

    _values: Namespace | None = None

    def __getattr__(self, name: str) -> Any:
        if self._values is None:
            type(self)._values = _parser.parse_known_args()[0]
        return getattr(self._values, name)


FLAGS = Flags()


def _definition(kind: Callable[[str], Any]) -> Callable[..., None]:
    def define(flag_name: str, default_value: Any, docstring: str = "", **options: Any) -> None:
        """Define an option.

        Args:
            flag_name: its name, without dashes.
            default_value: its value where it is not given.
            docstring: what it is, for `--help`.
            options: not used.
        """
        _parser.add_argument(f"--{flag_name}", type=kind, default=default_value, help=docstring)

    return define


DEFINE_string, DEFINE_integer, DEFINE_float = _definition(str), _definition(int), _definition(float)
DEFINE_list = _definition(lambda text: text.split(","))


def DEFINE_bool(flag_name: str, default_value: bool, docstring: str = "", **options: Any) -> None:
    """Define an option that is on or off: `--flag`, `--noflag`, `--flag=true`.

    Args:
        flag_name: its name, without dashes.
        default_value: its value where it is not given.
        docstring: what it is, for `--help`.
        options: not used.
    """
    truth = lambda text: text.lower() in ("true", "t", "1", "yes", "y")  # noqa: E731
    _parser.add_argument(f"--{flag_name}", nargs="?", type=truth, const=True, default=default_value, help=docstring)
    _parser.add_argument(f"--no{flag_name}", dest=flag_name, action="store_false", help=docstring)


DEFINE_boolean = DEFINE_bool


def DEFINE_enum(flag_name: str, default_value: Any, enum_values: Sequence[str], docstring: str = "") -> None:
    """Define an option that has one of several values.

    Args:
        flag_name: its name, without dashes.
        default_value: its value where it is not given.
        enum_values: the values.
        docstring: what it is, for `--help`.
    """
    _parser.add_argument(f"--{flag_name}", choices=enum_values, default=default_value, help=docstring)


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> None:
    """Run a program and leave with its status.

    Args:
        main: a function of the command line; by default `main` of the script.
        argv: the command line; by default that of the process. Options that were defined are taken out of it.

    Raises: SystemExit always.
    """
    given = sys.argv if argv is None else argv
    Flags._values, rest = _parser.parse_known_args(given[1:])
    sys.exit((main or sys.modules["__main__"].main)([given[0], *rest]))
