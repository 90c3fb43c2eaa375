"""What a `Profiler` has measured, as text, as a flame graph in a page, and as a timeline."""

from __future__ import annotations

import html
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

OUTSIDE = {  # what an op outside of layers is for, by its phase
    "forward": "(model)",
    "loss": "(loss)",
    "backward": "(gradient of the loss)",
    "optimizer": "(optimizer)",
    "metrics": "(metrics)",
}
OPS_SHOWN = 5


class StepTime(NamedTuple):
    """When what of a training step was over, in seconds of one clock.

    Attributes:
        before: when the callbacks of the step before were done.
        began: when the compiled step was called: the batch is there.
        returned: when the call returned; engines that run ahead are not done then.
        ended: when the engine was done.
        callbacks_ended: when the callbacks of this step were done; 0 until then.
    """

    before: float
    began: float
    returned: float
    ended: float
    callbacks_ended: float = 0.0

    @property
    def total(self) -> float:
        """Seconds from the end of the step before to the end of this one."""
        return max(self.callbacks_ended, self.ended) - self.before


class LayerOp(NamedTuple):
    """An op of a training step that was computed op by op.

    Attributes:
        op: its name.
        phase: 'forward', 'loss', 'backward', 'optimizer' or 'metrics'.
        layer: the name of the layer, with those of the models around it; '' outside of layers.
        kind: the class of the layer.
        seconds: the time that it took.
        shape: that of its result.
    """

    op: str
    phase: str
    layer: str
    kind: str
    seconds: float
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Profile:
    """Where the time of the training steps of a model went. `str(profile)` is a report.

    Args:
        model: the name of the model.
        backend: the name of the backend.
        first: the steps that were not yet warm.
        steps: the steps that were looked at.
        ops: one step op by op, in the order in which the ops run; empty where that could not be had.

    Example:
        >>> profile = profiler.profile  # doctest: +SKIP
        >>> profile.parts()  # doctest: +SKIP
        {'compiled step': 0.0021, 'next batch': 0.0001, 'callbacks': 0.0002}
    """

    model: str
    backend: str
    first: list[StepTime]
    steps: list[StepTime]
    ops: list[LayerOp] = field(repr=False)

    def parts(self) -> dict[str, float]:
        """Seconds of a step (medians), by who needs them.

        Returns: 'compiled step': the engine's, until it is done; 'next batch': the data, their way to the engine, and
            our loop; 'callbacks': all callbacks, the progress bar among them.
        """
        median = statistics.median
        return {
            "compiled step": median(step.ended - step.began for step in self.steps),
            "next batch": median(step.began - step.before for step in self.steps),
            "callbacks": median(max(step.callbacks_ended - step.ended, 0.0) for step in self.steps),
        }

    def layers(self) -> dict[str, dict[str, float]]:
        """Seconds op by op, by phase, of each layer, the dearest first, and then of what is outside of layers."""
        found: dict[str, dict[str, float]] = {}
        for op in self.ops:
            row = found.setdefault(op.layer or OUTSIDE[op.phase], {})
            row[op.phase] = row.get(op.phase, 0.0) + op.seconds
        outside = set(OUTSIDE.values())
        return dict(sorted(found.items(), key=lambda item: (item[0] in outside, -sum(item[1].values()))))

    def __str__(self) -> str:
        return "\n".join(_report(self))

    def write_html(self, path: str) -> None:
        """Write a flame graph: one page, with the report, that needs no other file and no network.

        Args:
            path: the file.
        """
        Path(path).write_text(_page(self), "utf-8")

    def write_trace(self, path: str) -> None:
        """Write a timeline in the form of Chrome's traces, which https://ui.perfetto.dev shows.

        Args:
            path: the file.
        """
        events = [*_names(), *_steps_as_events(self), *_ops_as_events(self.ops)]
        Path(path).write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}), "utf-8")


# The report -----------------------------------------------------------------------------------------------------


def _report(profile: Profile) -> Iterator[str]:
    if not profile.steps:
        seen = len(profile.first)
        yield f"Profile of {profile.model!r}: training ended after {seen} steps, before any was looked at."
        return
    parts = profile.parts()
    whole = sum(parts.values())
    yield f"Profile of {profile.model!r} on {profile.backend}: {len(profile.steps)} steps of `fit`, medians"
    yield ""
    yield f"  a step, waited for                              {_time(whole):>9}"
    said = {
        "compiled step": "the engine: the compiled step",
        "next batch": "ours and the data's: the next batch, the loop",
        "callbacks": "callbacks and progress bar",
    }
    for name, text in said.items():
        yield f"    {text:<46}{_time(parts[name]):>9}  {_share(parts[name], whole)}"
    yield from _first_steps(profile.first, whole)
    if profile.ops:
        yield ""
        yield from _by_layer(profile)


def _first_steps(first: Sequence[StepTime], whole: float) -> Iterator[str]:
    if first and first[0].total > 2 * whole:
        yield f"  the first step, which is traced and compiled    {_time(first[0].total):>9}"


def _by_layer(profile: Profile) -> Iterator[str]:
    whole, compiled = sum(op.seconds for op in profile.ops), profile.parts()["compiled step"]
    yield f"  The same step op by op, waiting after each: {_time(whole)}; the compiled step takes {_time(compiled)}."
    yield "  Nothing is fused here and gradients are those of K's rules, so read the shares, not the times."
    yield ""
    kinds = {op.layer: op.kind for op in profile.ops if op.layer}
    rows = [
        (f"{name} ({kinds[name]})" if name in kinds else name, row.get("forward", 0.0), row.get("backward", 0.0), row)
        for name, row in profile.layers().items()
    ]
    width = max(24, *(len(name) for name, *_ in rows))
    yield f"  {'':<{width}}  {'forward':>9} {'backward':>9} {'together':>9}  share"
    for name, forward, backward, row in rows:
        total = sum(row.values())
        yield f"  {name:<{width}}  {_time(forward):>9} {_time(backward):>9} {_time(total):>9}  {_share(total, whole)}"
    yield ""
    yield "  the dearest ops"
    for op in sorted(profile.ops, key=lambda op: -op.seconds)[:OPS_SHOWN]:
        where = f"{op.phase} of {op.layer}" if op.layer else OUTSIDE[op.phase]
        yield f"    {_time(op.seconds):>9}  {op.op} {_shape(op.shape)}, {where}"


def _time(seconds: float) -> str:
    if seconds == 0:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:4.0f} %" if whole else ""


def _shape(shape: Iterable[Any]) -> str:
    return f"({', '.join(map(str, shape))})"


# The flame graph ------------------------------------------------------------------------------------------------


class _Node:
    """A bar of the flame graph: a name, its seconds, and the bars above it."""

    def __init__(self, name: str):
        self.name, self.seconds, self.inside = name, 0.0, dict[str, _Node]()

    def add(self, names: Sequence[str], seconds: float) -> None:
        """Add the seconds here and along a path of names."""
        self.seconds += seconds
        if names:
            self.inside.setdefault(names[0], _Node(names[0])).add(names[1:], seconds)

    def as_html(self, whole: float) -> str:
        """The bar and all above it."""
        share = 100 * self.seconds / whole if whole else 100
        text = html.escape(f"{self.name}: {_time(self.seconds)}, {share:.1f} % of what it is a part of")
        inside = "".join(node.as_html(self.seconds) for node in self.inside.values())
        hue = sum(map(ord, self.name)) * 37 % 60
        return (
            f'<div class="node" style="flex:0 0 {share:.4f}%"><button style="--hue:{hue}" title="{text}">'
            f'{html.escape(self.name)}</button><div class="row">{inside}</div></div>'
        )


def _page(profile: Profile) -> str:
    graphs = [("A step of fit", _tree_of_step(profile)), ("The step op by op", _tree_of_ops(profile.ops))]
    figures = "".join(
        f"<h2>{title}, {_time(tree.seconds)}</h2><div class='graph row'>{tree.as_html(tree.seconds)}</div>"
        for title, tree in graphs
        if tree.seconds
    )
    title = html.escape(f"Profile of {profile.model} on {profile.backend}")
    return _TEMPLATE.format(title=title, figures=figures, report=html.escape(str(profile)))


def _tree_of_step(profile: Profile) -> _Node:
    tree = _Node("a step")
    for name, seconds in (profile.parts() if profile.steps else {}).items():
        tree.add([name], seconds)
    return tree


def _tree_of_ops(ops: Sequence[LayerOp]) -> _Node:
    tree = _Node("training step")
    for phase in OUTSIDE:
        for op in ops:
            if op.phase == phase:
                tree.add([phase, *filter(None, op.layer.split("/")), op.op], op.seconds)
    return tree


_TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }}
body {{ margin: 1rem; max-width: 80rem }}
h1 {{ font-size: 1.3rem }} h2 {{ font-size: 1.05rem; margin: 1.2rem 0 .4rem }}
.row {{ display: flex; width: 100% }}
.node {{ min-width: 0; overflow: hidden }}
.node button {{ all: unset; display: block; box-sizing: border-box; width: 100%; padding: .1rem .3rem; overflow: hidden;
  white-space: nowrap; font-size: .8rem; cursor: pointer; color: #222; border: solid #fff8; border-width: 0 1px 1px 0;
  background: hsl(var(--hue) 85% 68%) }}
.node button:focus-visible, .node button:hover {{ background: hsl(var(--hue) 95% 78%) }}
.hidden {{ display: none }} .whole {{ flex-basis: 100% !important }}
pre {{ overflow: auto; font-size: .85rem }}
</style>
<h1>{title}</h1>
<p>Each bar is as wide as the time it took, and hangs below what it is a part of. Click a bar to see it alone, and once
more to go back; its time is shown when you point at it.</p>
{figures}
<h2>Report</h2>
<pre>{report}</pre>
<script>
document.addEventListener("click", event => {{
  const button = event.target.closest(".node button");
  if (!button) return;
  const graph = button.closest(".graph"), again = button.classList.contains("alone");
  graph.querySelectorAll(".hidden, .whole, .alone").forEach(e => e.classList.remove("hidden", "whole", "alone"));
  if (again) return;
  button.classList.add("alone");
  for (let node = button.parentElement; node && !node.classList.contains("graph"); node = node.parentElement) {{
    if (!node.classList.contains("node")) continue;
    node.classList.add("whole");
    for (const other of node.parentElement.children) if (other !== node) other.classList.add("hidden");
  }}
}});
</script>
</html>
"""


# The timeline ---------------------------------------------------------------------------------------------------


def _names() -> Iterator[dict[str, Any]]:
    for process, name in ((1, "fit"), (2, "one step, op by op")):
        yield {"ph": "M", "name": "process_name", "pid": process, "tid": 1, "args": {"name": name}}


def _slice(name: str, kind: str, process: int, begin: float, end: float, **more: Any) -> dict[str, Any]:
    """A complete event, in microseconds."""
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "ts": begin * 1e6,
        "dur": max(end - begin, 0.0) * 1e6,
        "pid": process,
        "tid": 1,
        "args": more,
    }


def _steps_as_events(profile: Profile) -> Iterator[dict[str, Any]]:
    every = [*profile.first, *profile.steps]
    origin = every[0].before if every else 0.0
    for number, step in enumerate(every):
        before, began, returned, ended, done = (max(t - origin, 0.0) for t in step)
        done = max(done, ended)
        yield _slice(f"step {number}", "step", 1, before, done, warm=number >= len(profile.first))
        yield _slice("next batch", "ours", 1, before, began)
        yield _slice("compiled step", "engine", 1, began, ended, returned_after_us=(returned - began) * 1e6)
        yield _slice("callbacks", "callbacks", 1, ended, done)


def _ops_as_events(ops: Sequence[LayerOp]) -> Iterator[dict[str, Any]]:
    """Phases, layers and ops one within the other, in the order in which they run."""
    now = 0.0
    for phase, in_phase in groupby(ops, key=lambda op: op.phase):
        began, inner = now, []
        for layer, in_layer in groupby(in_phase, key=lambda op: op.layer):
            entered = now
            for op in in_layer:
                inner.append(_slice(op.op, "op", 2, now, now + op.seconds, shape=_shape(op.shape)))
                now += op.seconds
            if layer:
                inner.append(_slice(layer, "layer", 2, entered, now))
        yield _slice(phase, "phase", 2, began, now)
        yield from inner
