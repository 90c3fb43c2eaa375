"""A plugin for pytest: where one engine alone is installed, tests that meet another one are skipped, and counted so.

    python -m pytest -p skip_missing

Elsewhere a missing engine is a failure: a test that silently does not run proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from keras_front.errors import BackendNotFoundError

ENGINES = ("torch", "jax", "tensorflow", "pytensor", "onnxruntime", "onnx")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[Any]:
    """The report of a test; that of one which met an engine that is not there says that it was skipped."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if report.failed and _is_missing(error):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: {error}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    """The report of a file; one that imports an engine which is not there counts as one test that was skipped."""
    report = yield
    call = getattr(report, "call", None)
    error = call.excinfo.value if call is not None and call.excinfo is not None else None
    if report.failed and error is not None and _is_missing(error.__cause__ or error):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: {error.__cause__ or error}")
    return report


def _is_missing(error: BaseException | None) -> bool:
    if isinstance(error, BackendNotFoundError):
        return any(f"backend {name!r} is not installed" in str(error) for name in ENGINES)
    return isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] in ENGINES
