"""Fetching a file: with a progress bar, going on where an earlier attempt stopped, and in place only when it is whole.

What has come is kept beside the target in a hidden file that ends in `.part`, with a note of which version of the file
it belongs to (the server's entity tag or date). The next attempt asks the server for the rest of that very version. Two
processes that want the same file do not write into one: whoever comes second fetches a copy of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from keras_front.errors import ArgumentError, DownloadError, KerasFrontError, UnwritableFileError
from keras_front.utils.hashes import algorithm_of, hash_file, validate_file
from keras_front.utils.messages import print_msg
from keras_front.utils.progbar import Progbar

__all__ = ["download"]

SCHEMES = ("http", "https", "ftp", "file")
TIMEOUT = 60.0  # seconds without an answer or a byte
ATTEMPTS = 3  # as long as each brings some bytes
_CHUNK = 1 << 18


def download(origin: str, target: Path, file_hash: str | None = None, algorithm: str = "auto") -> None:
    """Fetch `origin` and put it in the place of `target`.

    Args:
        origin: address: http, https, ftp or file.
        target: the file; its folder exists.
        file_hash: hash that the file must have, or None to take it as it is.
        algorithm: see `validate_file`.

    Raises: DownloadError if it cannot be fetched; what has come stays for the next attempt. ArgumentError if what came
        has another hash; it is deleted.
    """
    if _scheme(origin) not in SCHEMES:
        raise ArgumentError(f"get_file: expected an address of {', '.join(SCHEMES)}, received origin={origin!r:.200}.")
    print_msg(f"Downloading data from {origin}")
    with _writing(target), _partial_file(target) as part:
        resumed = part.stat().st_size > 0
        _fetch(origin, part, target, file_hash is not None)
        if resumed and file_hash is not None and not validate_file(part, file_hash, algorithm):
            _forget(part)  # what was there belonged to another version
            part.touch()
            _fetch(origin, part, target, False)
        if file_hash is not None and not validate_file(part, file_hash, algorithm):
            received = hash_file(part, algorithm_of(algorithm, file_hash))
            _forget(part)
            raise ArgumentError(
                f"get_file: {origin} came incomplete or corrupted: expected the hash {file_hash}, received {received}."
            )
        os.replace(part, target)
        _note(part).unlink(missing_ok=True)


def _scheme(origin: str) -> str:
    """How an address begins; nothing if it is none."""
    try:
        origin.encode("utf-8")  # not where a text has half of a character
        return urllib.parse.urlsplit(origin).scheme.lower()
    except ValueError:
        return ""


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    """A context in which a disk that does not take the file is one error, with its path."""
    try:
        yield
    except KerasFrontError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnwritableFileError(f"get_file: {target}: expected a place to write to: {reason}.") from error


@contextlib.contextmanager
def _partial_file(target: Path) -> Iterator[Path]:
    """The file to write to: the one that is kept between attempts, or if somebody is at it, one of our own."""
    part = target.with_name(f".{target.name}.part")
    with open(part, "ab") as stream:
        if _lock(stream) and _is_at(stream, part):
            yield part
            return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        os.chmod(name, part.stat().st_mode & 0o777 if part.exists() else 0o644)
        yield Path(name)
    finally:
        _forget(Path(name))


def _lock(stream: IO[bytes]) -> bool:
    """Whether the file is ours alone; where the system has no such locks, it is taken to be."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_at(stream: IO[bytes], part: Path) -> bool:
    """Whether the open file is still the one of this name: who had it before may have put it in its place."""
    return part.exists() and os.path.samestat(os.fstat(stream.fileno()), part.stat())


def _note(part: Path) -> Path:
    """The file that says which version of the origin a partial file belongs to."""
    return part.with_name(part.name + ".version")


def _forget(part: Path) -> None:
    for path in (part, _note(part)):
        path.unlink(missing_ok=True)


def _fetch(origin: str, part: Path, target: Path, has_hash: bool) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        before = part.stat().st_size
        try:
            if _fetch_rest(origin, part, has_hash):
                return
            reason = f"the connection ended after {part.stat().st_size} bytes"
        except urllib.error.HTTPError as error:
            raise _failure(origin, target, f"{error.code} -- {error.reason}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", None) or error)
        if part.stat().st_size <= before or attempt == ATTEMPTS:
            break
    if not part.stat().st_size:
        _forget(part)
    raise _failure(origin, target, reason) from None


def _failure(origin: str, target: Path, reason: str) -> DownloadError:
    return DownloadError(
        f"get_file: URL fetch failure on {origin}: {reason}.\n  Expected the file at {target}.\n"
        "  Without a network, fetch it on another machine and put it there; the environment variable KERAS_HOME names "
        "another folder than ~/.keras."
    )


def _fetch_rest(origin: str, part: Path, has_hash: bool) -> bool:
    """Fetch what is missing; whether all of it came.

    A server that names no version is asked for the rest only if a hash will tell whether it belongs to what is there.
    """
    start, version = part.stat().st_size, _note(part)
    request = urllib.request.Request(origin)
    if start and (version.exists() or has_hash):
        request.add_header("Range", f"bytes={start}-")
    if start and version.exists():
        request.add_header("If-Range", version.read_text())
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # "Range Not Satisfiable": the file is another one by now, or was whole
            raise
        _forget(part)
        part.touch()
        return _fetch_rest(origin, part, has_hash)
    with response, open(part, "r+b") as out:
        if not _continues(response, start):
            start = 0
            out.truncate(0)
        _write_version(version, response)
        out.seek(start)
        return _copy(response, out, start)


def _continues(response: Any, start: int) -> bool:
    """Whether the answer is the rest of the file that was asked for."""
    sent = response.headers.get("Content-Range", "")
    return getattr(response, "status", None) == 206 and sent.startswith(f"bytes {start}-")


def _write_version(version: Path, response: Any) -> None:
    """Keep the strong entity tag or the date; without either, the next attempt begins anew."""
    tag = response.headers.get("ETag", "")
    known = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    if known:
        version.write_text(known)
    else:
        version.unlink(missing_ok=True)


def _copy(response: Any, out: IO[bytes], start: int) -> bool:
    length = response.headers.get("Content-Length")
    total = start + int(length) if length is not None and length.isdigit() else None
    bar, done = Progbar(total, in_bytes=True), start
    while chunk := response.read(_CHUNK):
        out.write(chunk)
        done += len(chunk)
        bar.update(done if total is None else min(done, total))
    out.flush()
    os.fsync(out.fileno())
    return total is None or done == total
