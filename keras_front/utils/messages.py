"""Where progress and messages go: to standard output, or to the logger `keras_front`."""

from __future__ import annotations

import sys

_interactive = True


def enable_interactive_logging() -> None:
    """From now on what there is to say is printed, as it is from the start.

    Example:
        >>> enable_interactive_logging()
        >>> is_interactive_logging_enabled()
        True
    """
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """From now on progress and messages go to the logger `keras_front`, at the level INFO.

    Source: tf.keras 2.15, `keras/src/utils/io_utils.py`.

    Example:
        >>> disable_interactive_logging()
        >>> is_interactive_logging_enabled()
        False
        >>> enable_interactive_logging()
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether what there is to say is printed.

    Example:
        >>> is_interactive_logging_enabled()
        True
    """
    return _interactive


def print_msg(message: str, line_break: bool = True) -> None:
    """Print a message, or hand it to the logger.

    Args:
        message: the text.
        line_break: end the line, where it is printed.
    """
    if _interactive:
        sys.stdout.write(message + ("\n" if line_break else ""))
        sys.stdout.flush()
        return
    import logging

    logging.getLogger("keras_front").info(message)
