"""Schedules: what a program computes in which order, and where every tensor lies, decided before any code is written.

`data` has the schedule itself, plain immutable records; `scheduler` decides instruction by instruction; the other
modules have a rule for each op that is not simply a call of the adapter's method.
"""
