"""Pictures of graphs as PNG, drawn with Pillow where Graphviz is not installed."""

from __future__ import annotations

import io
import itertools
import math
from typing import Any

from keras_front.utils.graph_shapes import FONT, LINE, Rectangle, Words, shapes_of, text_width
from keras_front.utils.graph_shapes import Line as Arrow
from keras_front.utils.image_utils import pillow

__all__ = ["drawing"]

_FINER = 3  # times finer than the result, for smooth lines
_MOST_PIXELS = 60_000_000
_POINTS = 24  # of which a bent piece is drawn
_ARROW = 6.5

Point = tuple[float, float]


def drawing(graph: Any) -> bytes:
    """A picture of a graph as the bytes of a PNG file.

    Args:
        graph: the graph, a `Dot` of `dot.py`. Its `dpi`, 96 by default, says how large the picture becomes.

    Raises: MissingPackageError (an ImportError) without Pillow.
    """
    image_module = pillow()
    shapes, (width, height) = shapes_of(graph)
    scale = float(graph.get("dpi") or 96) / 96
    finer = _FINER if width * height * (scale * _FINER) ** 2 < _MOST_PIXELS else 1
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = image_module.new("RGB", (size[0] * finer, size[1] * finer), "white")
    pen = _Pen(image, scale * finer)
    for shape in shapes:
        pen.draw(shape)
    if finer > 1:
        image = image.resize(size, image_module.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class _Pen:
    """Draws shapes on a picture of Pillow, so many times larger."""

    def __init__(self, image: Any, scale: float):
        self.canvas, self.scale = pillow("ImageDraw").Draw(image), scale
        self.fonts: dict[int, Any] = {}
        self.line_width = max(1, round(scale))

    def draw(self, shape: Rectangle | Words | Arrow) -> None:
        if isinstance(shape, Words):
            self._words(shape)
        elif isinstance(shape, Arrow):
            self._arrow(shape)
        else:
            self._rectangle(shape)

    def _at(self, point: Point) -> Point:
        return point[0] * self.scale, point[1] * self.scale

    def _color(self, name: str) -> Any:
        """A colour by a name that Graphviz has and Pillow may not have."""
        try:
            return pillow("ImageColor").getrgb(name)
        except ValueError:
            return (0, 0, 0)

    def _rectangle(self, shape: Rectangle) -> None:
        corners = (shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)
        if shape.fill is not None:
            self.canvas.rectangle([self._at(c) for c in corners], fill=self._color(shape.fill))
        (left, top), (right, bottom) = corners
        outline = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        for a, b in itertools.pairwise(outline):
            self._stroke(a, b, shape.stroke, shape.dashed)

    def _stroke(self, a: Point, b: Point, color: str, dashed: bool) -> None:
        length = math.dist(a, b)
        parts = [(0.0, length)] if not dashed else [(t, min(t + 5.0, length)) for t in _steps(length, 9.0)]
        for start, end in parts:
            ends = [(a[0] + (b[0] - a[0]) * t / length, a[1] + (b[1] - a[1]) * t / length) for t in (start, end)]
            self.canvas.line([self._at(point) for point in ends], fill=self._color(color), width=self.line_width)

    def _words(self, shape: Words) -> None:
        for i, line in enumerate(shape.lines):
            place = self._at((shape.x, shape.y + i * LINE))
            anchor = "ms" if shape.centred else "ls"
            self.canvas.text(place, line, fill=self._color(shape.ink), font=self._font(line), anchor=anchor)

    def _font(self, text: str) -> Any:
        """A font in which the text is not wider than its box was made for."""
        wide = self._sized(FONT).getlength(text) if text else 0.0
        room = text_width(text) * self.scale
        return self._sized(FONT * min(1.0, room / wide if wide else 1.0))

    def _sized(self, size: float) -> Any:
        pixels = max(1, round(size * self.scale))
        if pixels not in self.fonts:
            self.fonts[pixels] = pillow("ImageFont").load_default(pixels)
        return self.fonts[pixels]

    def _arrow(self, shape: Arrow) -> None:
        points = [point for piece in shape.pieces for point in _along(piece)]
        color = self._color(shape.color)
        self.canvas.line([self._at(p) for p in points], fill=color, width=self.line_width, joint="curve")
        tip, before = points[-1], points[-2]
        angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
        sides = [
            (tip[0] - _ARROW * math.cos(angle + turn), tip[1] - _ARROW * math.sin(angle + turn)) for turn in (0.4, -0.4)
        ]
        self.canvas.polygon([self._at(p) for p in (tip, *sides)], fill=color)


def _steps(length: float, step: float) -> list[float]:
    return [i * step for i in range(math.ceil(length / step))]


def _along(piece: list[Point]) -> list[Point]:
    """Points on a straight or bent piece of a line."""
    if len(piece) == 2:
        return piece
    found = []
    for i in range(_POINTS + 1):
        t = i / _POINTS
        weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3
        pairs = list(zip(weights, piece, strict=True))
        found.append((sum(w * p[0] for w, p in pairs), sum(w * p[1] for w, p in pairs)))
    return found
