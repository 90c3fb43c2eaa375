"""Kernels of the NumPy backend: plain functions on arrays, made for given shapes.

A kernel comes from a *plan*: `plan_something(shapes, ...)` takes what is known beforehand, allocates scratch
memory once, and returns `run(inputs..., out)`, which writes its result into `out` and allocates no arrays.
The eager adapter makes a plan for each shape that it meets and keeps the last ones; a planned program makes
one for each of its lines.
"""
