"""Watches a reader of a hostile file: what it raises, how long it takes, what memory, and what it touches outside.

    with Watch(allowed=[path]) as watch:
        read(path)
    watch.check_refused()

Python reports every file that is opened, every process, connection, pickle and piece of marshalled code to an audit
hook; what C code of HDF5 opens is seen by what it brings instead: the files that hostile files point to hold `SECRET`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import sysconfig
import time
import traceback
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import KerasFrontError

SECRET = 31337.0  # the number in files that no reader may open
SECONDS = 10.0  # of the processor, for it may be shared
MEGABYTES = 512
FORBIDDEN = (
    "marshal.loads", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.symlink", "os.link", "os.system",
    "pickle.find_class", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "ctypes.dlopen", "webbrowser.open",
    "ftplib.connect", "urllib.Request",
)  # fmt: skip
MOVING = ("os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")} | {*filter(None, sys.path)})
ROOT = str(Path(__file__).parents[2])

_active: list[Watch] = []


class canary:
    """What code in hostile files sets, if it ever runs."""

    ran = False


sys.modules["keras_front_canary"] = types.ModuleType("keras_front_canary")
sys.modules["keras_front_canary"].canary = canary  # type: ignore[attr-defined]


def _paths(arguments: tuple[Any, ...]) -> Iterator[str]:
    """The paths in the arguments of an event; the last one may be an open folder that they are relative to."""
    folder = arguments[-1]
    base = os.readlink(f"/proc/self/fd/{folder}") if isinstance(folder, int) and folder > 2 else ""
    yield from (os.path.join(base, os.fsdecode(item)) for item in arguments if not isinstance(item, int | None))


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in _active:
        watch.notice(event, arguments)


sys.addaudithook(_hook)


class Watch:
    """A context around one reader; nothing that the reader raises leaves it, but for what the trial itself must see.

    Args:
        allowed: paths that may be opened, or folders.
        events: forbidden events that are allowed here.
    """

    def __init__(self, allowed: Sequence[Any] = (), events: Sequence[str] = ()):
        self.allowed = [str(path) for path in (*allowed, config.path())]
        self.events = events
        self.error: BaseException | None = None
        self.touched: list[str] = []
        self.seconds = self.megabytes = 0.0

    def __enter__(self) -> Watch:
        canary.ran = False
        self._memory, self._began = _peak(), time.process_time()
        _active.append(self)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        _active.remove(self)
        self.error = error
        self.seconds, self.megabytes = time.process_time() - self._began, _peak() - self._memory
        return isinstance(error, Exception)

    def notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Write down what is not allowed."""
        if event == "marshal.loads" and "importlib" in sys._getframe(2).f_code.co_filename:
            return  # Python reads one of its own files
        if event in FORBIDDEN and event not in self.events:
            self.touched.append(f"{event}{arguments[:1]!r:.80}")
        elif event in MOVING and not all(map(self._is_allowed, _paths(arguments))):
            self.touched.append(f"{event}{arguments!r:.160}")
        elif event == "open" and not self._may_open(*arguments[:3]):
            self.touched.append(f"open({arguments[0]!r:.80}, {arguments[1]!r})")

    def _may_open(self, path: Any, mode: Any, flags: Any) -> bool:
        if isinstance(path, int):
            return True
        if self._is_allowed(path):
            return True
        text = os.path.abspath(os.fsdecode(path))
        writes = bool(flags & WRITING) if isinstance(flags, int) else "r" not in str(mode)
        return text.startswith((*LIBRARIES, ROOT)) and (not writes or text.endswith((".pyc", ".json")))

    def _is_allowed(self, path: Any) -> bool:
        text = os.path.abspath(os.fsdecode(path))
        return any(text == place or text.startswith(place + os.sep) for place in self.allowed)

    # What is found ---------------------------------------------------------------------------------------

    def check_harmless(self) -> None:
        """The reader ended in time, took no memory, ran nothing and touched nothing; it may have raised our errors."""
        assert not canary.ran, "code of the file was run"
        assert not self.touched, f"touched {self.touched[:3]}"
        assert self.seconds < SECONDS, f"took {self.seconds:.1f} s"
        assert self.megabytes < MEGABYTES, f"took {self.megabytes:.0f} MB"
        if self.error is None:
            return
        assert isinstance(self.error, KerasFrontError), f"raw {_shown(self.error)}"
        assert not isinstance(self.error.__cause__, MemoryError | RecursionError), (
            f"memory or stack ran out before: {self.error}"
        )

    def check_refused(self, *texts: str) -> None:
        """... and it has refused the file by one of our errors, whose message holds these texts."""
        self.check_harmless()
        assert self.error is not None, "was read"
        for text in texts:
            assert text in str(self.error), f"expected {text!r} in the message: {self.error}"


def _shown(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(last))
    return f"{type(error).__name__}: {error} ({places})"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def bounded_memory(gigabytes: float) -> Iterator[None]:
    """A context in which the process may take so much address space more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    bound = pages * resource.getpagesize() + int(gigabytes * (1 << 30))
    resource.setrlimit(resource.RLIMIT_AS, (bound, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def check_no_secret(model: Any) -> None:
    """No weight of a model that was read holds what stands in a file outside."""
    for value in model.get_weights() if model is not None else ():
        assert not np.any(np.asarray(value) == SECRET), "the model holds numbers of a file outside"
