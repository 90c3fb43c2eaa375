"""`tf.logging`: TensorFlow's logger by the names that programs use."""

from __future__ import annotations

import logging

DEBUG, INFO, WARN, ERROR, FATAL = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL
_logger = logging.getLogger("tensorflow")
debug, info, warning, error, fatal, log = (
    _logger.debug, _logger.info, _logger.warning, _logger.error, _logger.critical, _logger.log,
)  # fmt: skip
warn, vlog = warning, log
get_verbosity = _logger.getEffectiveLevel


def set_verbosity(v: int | str) -> None:
    """Show messages from a level on.

    Args:
        v: the level, a number or a name such as 'ERROR'.
    """
    _logger.setLevel(v)
