"""`tf.function` of the real TensorFlow around models of ours, as loops of one's own write it.

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply(grads, model.trainable_weights)

Our variables are no `tf.Variable`s, and what a graph reads of them would be a constant in it. So while TensorFlow
traces the function each variable that it meets is given a `tf.Variable` of the same value, which stands for it in
graphs. Before a call those whose variable has changed are brought up to date, after it the variables that the graph
assigns. Noise is keyed by a counter of calls. In a step of `fit` the function is called as it is: there the step is
traced as a whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from keras_front.backend import discovery, scopes
from keras_front.backend.scopes import Frame

_OWN_MODULES = ("keras_front", "keras_front_tensorflow")  # whose Python autograph leaves as it is


class _Mirrors:
    """The `tf.Variable`s that stand for variables of ours in graphs, and the tensors that both are known to hold.

    Args:
        tensorflow: the module.
    """

    def __init__(self, tensorflow: Any):
        self.tensorflow = tensorflow
        self.found: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self.agreed: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self.counter: Any = None

    def are_wanted(self) -> bool:
        """Whether TensorFlow is the backend, so that values of variables are its tensors."""
        return any(issubclass(self.tensorflow.Tensor, kind) for kind in discovery.active().native)

    def of(self, variable: Any) -> Any:
        """The one of a variable; made from its present value when it is first asked for."""
        if variable not in self.found:
            with self.tensorflow.init_scope():
                value = self.agreed[variable] = variable.current()
                self.found[variable] = self.tensorflow.Variable(value, trainable=False)
        return self.found[variable]

    def bring_in(self, variables: Any) -> None:
        """Give these mirrors what their variables hold now."""
        for variable in variables:
            value = variable.current()
            if self.agreed.get(variable) is not value:
                self.found[variable].assign(value)
                self.agreed[variable] = value

    def bring_out(self, variables: Any) -> None:
        """Give these variables what their mirrors hold now."""
        for variable in variables:
            variable.set(self.found[variable].value())
            self.agreed[variable] = variable.current()

    def count(self) -> None:
        """Begin another call: noise is another one."""
        if self.counter is None:
            self.counter = self.tensorflow.Variable(0, dtype="int64", trainable=False)
        self.counter.assign_add(1)


class _Mirrored(dict[Any, Any]):
    """The table of a frame whose values are those of mirrors, read and assigned in the graph that is traced."""

    def __init__(self, mirrors: _Mirrors, met: dict[Any, None], assigned: dict[Any, None]):
        self.mirrors, self.met, self.assigned = mirrors, met, assigned
        self.read: dict[Any, Any] = {}
        self.frame: Frame

    def _graph(self) -> int:
        return id(self.mirrors.tensorflow.compat.v1.get_default_graph())

    def __contains__(self, variable: object) -> bool:
        return not scopes.tracing()

    def get(self, variable: Any, default: Any = None) -> Any:
        if scopes.tracing() or (bound := scopes.uncast_value(variable, self.frame.parent)) is not None:
            return default if scopes.tracing() else bound
        key = self._graph(), variable
        if key not in self.read:
            self.met[variable] = None
            self.read[key] = self.mirrors.of(variable).read_value()
        return self.read[key]

    def __setitem__(self, variable: Any, value: Any) -> None:
        self.met[variable] = self.assigned[variable] = None
        self.mirrors.of(variable).assign(value)
        self.read = {key: tensor for key, tensor in self.read.items() if key[1] is not variable}


_RUNNING: ContextVar[Any] = ContextVar("keras_front_graph_function", default=None)


def complete_function(tensorflow: Any) -> None:
    """Let functions that `tf.function` makes read and change our variables.

    Args:
        tensorflow: the module.
    """
    make = tensorflow.function
    if hasattr(make, "_keras_front_mirrors"):
        return
    mirrors = _Mirrors(tensorflow)
    _keep_from_autograph()

    def function(func: Any = None, *args: Any, **options: Any) -> Any:
        """As TensorFlow's own; see there."""
        if func is None:
            return lambda f: GraphFunction(mirrors, make, f, args, options)
        return GraphFunction(mirrors, make, func, args, options)

    function.__doc__, function._keras_front_mirrors = make.__doc__, mirrors  # type: ignore[attr-defined]
    tensorflow.function = function


def _keep_from_autograph() -> None:
    """Let autograph, which rewrites the Python of what a graph function calls, leave ours alone as it does Keras's."""
    try:
        from importlib import import_module

        rules: Any = import_module("tensorflow.python.autograph.core.config")
        rules.CONVERSION_RULES = (*map(rules.DoNotConvert, _OWN_MODULES), *rules.CONVERSION_RULES)
    except (ImportError, AttributeError):
        pass


class GraphFunction:
    """A function of TensorFlow's graphs that may use variables of ours; other attributes are TensorFlow's own.

    Args:
        mirrors: what stands for our variables.
        make: TensorFlow's own `tf.function`.
        func: the Python function.
        args: what `tf.function` is given besides.
        options: the same by name.
    """

    def __init__(self, mirrors: _Mirrors, make: Callable[..., Any], func: Any, args: Any, options: dict[str, Any]):
        self.python_function, self._mirrors = func, mirrors
        self._made_with = make, args, options
        self._met: dict[Any, None] = {}
        self._assigned: dict[Any, None] = {}
        self._bound: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self.__name__, self.__doc__ = getattr(func, "__name__", "function"), func.__doc__
        self._function = make(self._traced(func, options.get("autograph", True)), *args, **options)

    def _traced(self, func: Any, autograph: Any) -> Any:
        """What TensorFlow traces: the function, whose Python autograph may rewrite, with mirrors for variables."""
        tensorflow = self._mirrors.tensorflow
        graph = tensorflow.__internal__.autograph

        def traced(*args: Any, **kwargs: Any) -> Any:
            own = graph.tf_convert(func, graph.control_status_ctx()) if autograph else func
            if not self._mirrors.are_wanted():
                return own(*args, **kwargs)
            counter = self._mirrors.counter
            table = _Mirrored(self._mirrors, self._met, self._assigned)
            table.frame = Frame(table, None if counter is None else counter.read_value(), False, False, real=True)
            with scopes.frame_scope(table.frame):
                return own(*args, **kwargs)

        traced.__name__, traced.__signature__ = self.__name__, inspect.signature(func)  # type: ignore[attr-defined]
        return traced

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As TensorFlow's own; the Python function on another engine, and in a step of `fit`, which is traced whole."""
        outer = _RUNNING.get()
        in_graph = outer is None and not self._mirrors.tensorflow.executing_eagerly()
        if scopes.tracing() or in_graph or not self._mirrors.are_wanted():
            return self.python_function(*args, **kwargs)
        if outer is None:
            self._mirrors.count()
            self._mirrors.bring_in(self._met)
        token = _RUNNING.set(self)
        try:
            return self._function(*args, **kwargs)
        finally:
            _RUNNING.reset(token)
            self._end(outer)

    def _end(self, outer: Any) -> None:
        if outer is not None:
            outer._met.update(self._met)
            outer._assigned.update(self._assigned)
        else:
            self._mirrors.bring_out(self._assigned)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if instance not in self._bound:
            make, args, options = self._made_with
            bound = self.python_function.__get__(instance, owner)
            self._bound[instance] = GraphFunction(self._mirrors, make, bound, args, options)
        return self._bound[instance]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)
