"""Runs `keras-front demo` on a terminal and draws what it shows: `python docs/make_run_picture.py`, for the README.

The figures in the picture are those of the run. What a terminal would have overwritten (the progress bar on its way) is
not in it; dots stand for most layers of the summary, and for the epochs between the first two and the last one.
"""

from __future__ import annotations

import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

OUT = Path(__file__).parent / "run.svg"
COLUMNS, LINE, CHARACTER, MARGIN, SIZE = 136, 19, 8.43, 16, 14
COLOURS = {"31": "#f28b82", "32": "#81c995", "33": "#fdd663", "34": "#8ab4f8", "35": "#d7aefb", "36": "#78d9ec",
           "90": "#9aa0a6", "2": "#9aa0a6"}  # fmt: skip
COMMAND = "keras-front demo"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
Run = tuple[str, str]  # an SGR code, and the text that has it


def recorded() -> str:
    """What the demo writes to a terminal of `COLUMNS` columns."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": "40", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "keras_front", "demo"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    found = bytearray()
    while True:
        try:
            part = os.read(mine, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        found += part
    if process.wait():
        raise SystemExit(found.decode())
    return found.decode()


def shown(text: str) -> list[list[Run]]:
    """The lines as they stand in the end, each as runs of one colour."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells: dict[int, Run] = {}
        place, colour = 0, ""
        for code, letters in re.findall(r"\x1b\[([\d;?]*[A-Za-z])|([^\x1b])", line):
            if code.endswith("m"):
                colour = next((c for c in code[:-1].split(";") if c in COLOURS), "")
            elif code.endswith("K"):
                cells = {at: cell for at, cell in cells.items() if at < place}
            elif letters in ("\r", "\b"):
                place = 0 if letters == "\r" else max(place - 1, 0)
            elif letters:
                cells[place] = (colour, letters)
                place += 1
        lines.append(list(_joined([cells.get(i, ("", " ")) for i in range(max(cells, default=-1) + 1)])))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _joined(cells: list[Run]) -> Iterator[Run]:
    runs: list[Run] = []
    for colour, letter in cells:
        if runs and runs[-1][0] == colour:
            runs[-1] = (colour, runs[-1][1] + letter)
        else:
            runs.append((colour, letter))
    yield from runs


def shortened(lines: list[list[Run]]) -> list[list[Run]]:
    """The lines without those of most layers and epochs."""
    texts = ["".join(text for _, text in line) for line in lines]
    epochs = [i for i, text in enumerate(texts) if re.match(r"Epoch \d+/", text)]
    layers = next(i for i, text in enumerate(texts) if "(Conv2D)" in text) + 1
    total = next(i for i, text in enumerate(texts) if text.lstrip().startswith("Total params"))
    dots: list[list[Run]] = [[("90", "...")]]
    return [*lines[:layers], *dots, *lines[total : epochs[2]], *dots, *lines[epochs[-1] :]]


def drawn(lines: list[list[Run]]) -> str:
    """The picture."""
    prompt: list[list[Run]] = [[("32", "$ "), ("", COMMAND)]]
    rows = [*prompt, *lines]
    height, width = round(len(rows) * LINE + 2 * MARGIN + 14), round(COLUMNS * CHARACTER + 2 * MARGIN)
    texts = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + 20 + i * LINE}">{"".join(map(_span, row))}</text>'
        for i, row in enumerate(rows)
    )
    words = html.escape("A terminal in which keras-front demo trains a digit classifier, saves it and loads it again")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{words}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#202124"/>\n'
        f'<g font-family="{FONTS}" font-size="{SIZE}" fill="#e8eaed">\n{texts}\n</g>\n</svg>\n'
    )


def _span(run: Run) -> str:
    colour, text = run
    fill = f' fill="{COLOURS[colour]}"' if colour else ""
    return f"<tspan{fill}>{html.escape(text).replace(' ', chr(160))}</tspan>"  # spaces that stay


if __name__ == "__main__":
    OUT.write_text(drawn(shortened(shown(recorded()))), "utf-8")
    print(OUT)
