"""`tensorflow.python.util.tf_inspect`: Python's `inspect`, under the names that libraries import from there."""

from __future__ import annotations

import inspect

FullArgSpec, Parameter = inspect.FullArgSpec, inspect.Parameter
currentframe, getmodule, getmro, stack = inspect.currentframe, inspect.getmodule, inspect.getmro, inspect.stack
getdoc, getfile, getmembers, getsource = inspect.getdoc, inspect.getfile, inspect.getmembers, inspect.getsource
getfullargspec = getargspec = inspect.getfullargspec
getcallargs, signature = inspect.getcallargs, inspect.signature
isclass, isfunction, ismethod, ismodule = inspect.isclass, inspect.isfunction, inspect.ismethod, inspect.ismodule
isbuiltin, isgenerator, isroutine = inspect.isbuiltin, inspect.isgenerator, inspect.isroutine
