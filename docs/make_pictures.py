"""Makes the pictures of docs/guides/pictures.md: `python docs/make_pictures.py`.

Needs Matplotlib. What terminals show is what the code has written, colours included, drawn as SVG.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
from html import escape
from pathlib import Path
from unittest import mock

from matplotlib import rc_context

from keras_front import set_random_seed
from keras_front.callbacks import Callback
from keras_front.datasets import digits
from keras_front.layers import BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.utils import plot_activations, plot_model, plot_weights
from keras_front.utils.terminal import painted

FOLDER = Path(__file__).parent / "guides" / "pictures"
COLUMNS = 110
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "36": "#76e3ea"}


class Screen(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def terminal():
    """Standard output as a terminal with colours."""
    screen = Screen()
    with contextlib.ExitStack() as stack:
        for module in ("keras_front.utils.progbar", "keras_front.graph.summary"):
            stack.enter_context(mock.patch(f"{module}.has_colours", return_value=True))
            stack.enter_context(mock.patch(f"{module}.width_of", return_value=COLUMNS))
        stack.enter_context(contextlib.redirect_stdout(screen))
        yield screen


def as_svg(lines: list[str]) -> str:
    """Lines with the codes of colours as the text of an SVG file."""
    columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines)
    width, height = 8.43 * columns + 24, 18 * len(lines) + 24
    rows = "\n".join(
        f'<text x="12" y="{28 + 18 * i}" xml:space="preserve">{_spans(line)}</text>' for i, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">'
        f'\n<rect width="100%" height="100%" rx="6" fill="#161b22"/>\n<g fill="#e6edf3">\n{rows}\n</g>\n</svg>\n'
    )


def _spans(line: str) -> str:
    parts, text = re.split(r"\x1b\[([0-9;]*)m", line), ""
    style = ""
    for i, part in enumerate(parts):
        if i % 2:
            style = _style(part.split(";"))
        elif part:
            text += f"<tspan{style}>{escape(part)}</tspan>"
    return text


def _style(codes: list[str]) -> str:
    colour = next((COLOURS[code] for code in codes if code in COLOURS), "")
    return (
        (f' fill="{colour}"' if colour else "")
        + (' font-weight="bold"' if "1" in codes else "")
        + (' opacity="0.6"' if "2" in codes else "")
    )


class Slowly(Callback):
    """Lets a bar be seen."""

    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.012)

    def on_test_batch_end(self, batch, logs=None):
        time.sleep(0.06)


def net() -> Sequential:
    model = Sequential([
        Conv2D(8, 3, activation="relu", input_shape=(8, 8, 1)),
        BatchNormalization(),
        MaxPooling2D(),
        Flatten(),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def bar(model: Sequential, x, y) -> list[str]:
    """Five moments of a training: within an epoch, within its validation, at its end, and the same of the next."""
    with terminal() as screen:
        model.fit(x, y, batch_size=32, epochs=2, validation_split=0.2, callbacks=[Slowly()])
    lines = ["$ python train.py"]
    for part in screen.getvalue().split("Epoch ")[1:]:
        head, *drawn = part.rstrip().split("\r")
        plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in drawn]
        training = [i for i, line in enumerate(plain) if " - ETA" in line and not line.startswith("validation")]
        validating = [i for i, line in enumerate(plain) if line.startswith("validation")]
        chosen = [training[len(training) // 2], validating[len(validating) // 2], len(drawn) - 1]
        lines += [f"Epoch {head.strip()}", *(drawn[i].rstrip() for i in chosen)]
    return lines


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    set_random_seed(0)
    (x, y), _ = digits.load_data()
    x = x[..., None] / 16
    model = net()
    (FOLDER / "bar.svg").write_text(as_svg(bar(model, x, y)))
    history = model.fit(x, y, batch_size=32, epochs=15, validation_split=0.2, verbose=0)
    curves = history.curves()
    table = [painted(line) for line in [*curves.table("loss", 15), [], *curves.chart("loss", COLUMNS - 10, 9)]]
    (FOLDER / "history.svg").write_text(as_svg(["$ keras-front history training.csv --chart --metric loss", *table]))
    model.layers[0].trainable = False
    with terminal() as screen:
        model.summary(show_flops=True, show_memory=True)
    (FOLDER / "summary.svg").write_text(as_svg([">>> model.summary(...)", *screen.getvalue().splitlines()]))
    with rc_context({"svg.fonttype": "none"}):
        history.plot(to_file=FOLDER / "curves.svg")
    with rc_context({"savefig.dpi": 75}):
        plot_weights(model, to_file=FOLDER / "weights.png", layers=["conv2d_1", "dense_1"])
        plot_activations(model, x[:1], kind="image", layers="conv.*|max.*|dense.*", to_file=FOLDER / "activations.png")
    plot_model(model, FOLDER / "model.svg", show_shapes=True)


if __name__ == "__main__":
    main()
