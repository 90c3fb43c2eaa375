"""What Python and NumPy had when the programs were written."""

from __future__ import annotations

from fresh import in_new_process


def test_names_of_python_and_numpy_are_back_and_none_is_replaced():
    printed = in_new_process("""
import numpy, collections, inspect, time
sleep, array, integer = time.sleep, numpy.array, numpy.int64
import keras_front.as_keras
from collections import Iterable, Mapping, OrderedDict
from inspect import getargspec
assert isinstance([], Iterable) and time.clock() <= time.clock()
assert numpy.float is float and numpy.product([2, 3]) == 6 and numpy.asscalar(numpy.ones(())) == 1 and numpy.Inf > 1
assert (time.sleep, numpy.array, numpy.int64) == (sleep, array, integer)
def function(a, b=2, *c, **d): pass
print(getargspec(function))
print(numpy.fromstring("AC", numpy.int8).tolist(), numpy.fromstring("1 2", sep=" ").tolist())
print(numpy.fromstring(b"abcd", "uint8", 2).tolist())
""")
    spec, read, counted = printed.splitlines()
    assert spec == "ArgSpec(args=['a', 'b'], varargs='c', keywords='d', defaults=(2,))"
    assert (read, counted) == ("[65, 67] [1.0, 2.0]", "[97, 98]")
