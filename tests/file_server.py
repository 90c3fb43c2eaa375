"""A local HTTP server for tests: the fixture `file_server` serves bytes by name, whole or in parts, and can break off.

It answers `Range` with `If-Range` by entity tags, as servers of data sets do, and keeps the requests that it got.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FileServer:
    """What is served, and how."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []  # path and Range
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.break_after: list[int] = []  # bytes after which the next answers break off
        self.tags, self.lengths = True, True
        handler = type("Handler", (_Handler,), {"served": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, name: str, content: bytes) -> str:
        """Serve these bytes; returns their address."""
        self.files["/" + name] = content
        return f"{self.url}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: FileServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.served.requests.append((self.path, wanted))
        content = self.served.files.get(self.path)
        if content is None:
            return self.send_error(404)
        tag = '"' + hashlib.md5(content).hexdigest() + '"'
        start = 0
        if wanted and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.send_error(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.served.tags:
            self.send_header("ETag", tag)
        if self.served.lengths:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = self.served.break_after.pop(0) if self.served.break_after else len(content)
        self.wfile.write(content[start : start + stop])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.served.posted.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing in the output of tests."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """A server of files, ended after the test."""
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def keras_home(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A cache of one's own: `~/.keras` is never touched."""
    home = tmp_path / "home"
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home
