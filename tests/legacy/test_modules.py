"""`import keras` under `keras-front run`: every former module, in any order, in threads, and imports that fail."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest
from fresh import in_forks, in_new_process

from keras_front.legacy.modules import HOMES

pytestmark = pytest.mark.slow

# Imports as scripts of Keras 1 and 2 have them.
STATEMENTS = [
    "from keras.legacy.layers import Merge, MaxoutDense, Highway, merge",
    "from keras.legacy import interfaces",
    "from keras.layers import merge, Merge, Convolution2D, Dense, TimeDistributedDense",
    "from keras.layers.merge import add, Concatenate",
    "from keras.layers.core import Dense, Dropout, Activation, Flatten, Merge, Lambda, Reshape, MaxoutDense",
    "from keras.layers.convolutional import Conv2D, MaxPooling2D, ZeroPadding2D, UpSampling2D, AtrousConvolution2D",
    "from keras.layers.recurrent import LSTM, GRU, SimpleRNN",
    "from keras.layers.normalization import BatchNormalization",
    "from keras.layers.advanced_activations import LeakyReLU, PReLU, SReLU",
    "from keras.layers.pooling import MaxPooling1D, GlobalAveragePooling2D",
    "from keras.layers.wrappers import TimeDistributed, Bidirectional",
    "from keras.layers.noise import GaussianNoise",
    "from keras.layers.local import LocallyConnected1D",
    "from keras.layers.embeddings import Embedding",
    "from keras.layers.convolutional_recurrent import ConvLSTM2D",
    "import keras.layers.core as core; core.Merge, core.Dense",
    "import keras.engine.topology as topology; topology.Layer, topology.Merge",
    "from keras.engine import Layer, InputSpec, Input, Model",
    "from keras.engine.training import Model",
    "from keras import engine, objectives, initializations, layers, losses, backend as K",
    "from keras.initializations import glorot_uniform, get",
    "from keras.objectives import mse",
    "from keras.utils import np_utils, generic_utils",
    "from keras.utils import get_custom_objects, CustomObjectScope, custom_object_scope",
    "from keras.utils.generic_utils import get_custom_objects, CustomObjectScope",
    "from keras.utils.np_utils import to_categorical",
    "from keras.regularizers import l2, activity_l2, WeightRegularizer",
    "from keras.callbacks import ModelCheckpoint, EarlyStopping",
    "from keras.models import Sequential, Model, load_model, model_from_json",
    "from keras.optimizers import SGD, Adam",
]  # fmt: skip

START = "import sys; from keras_front.legacy import modules; modules.install()\n"
# What must hold whatever was imported: no module of ours has been replaced, in `sys.modules` or in its package.
CHECK = """
import importlib, keras_front
from types import ModuleType
for name, module in list(sys.modules.items()):
    if name.startswith("keras_front."):
        parent, _, child = name.rpartition(".")
        assert module.__name__ == name, name
        held = vars(sys.modules[parent]).get(child)
        assert not isinstance(held, ModuleType) or held is module, (name, held)
import keras, keras.layers
assert keras.layers is keras_front.layers
assert keras.layers.core is sys.modules["keras_front.layers.core"]
from keras_front.legacy.layers import Merge as ours
from keras.layers import Merge as theirs
assert ours is theirs
"""


def test_each_import_works_alone():
    in_forks([statement + CHECK for statement in STATEMENTS], START)


def test_imports_work_in_any_order_and_repeated():
    orders = [random.Random(seed).sample(STATEMENTS * 2, 2 * len(STATEMENTS)) for seed in range(6)]
    in_forks(["\n".join(order) + CHECK for order in orders], START)


def test_every_former_module_is_there_and_lists_its_names():
    modules = [f"keras.{name}" for name in HOMES]
    code = "".join(f"import {name}\nfrom {name} import *\n" for name in modules)
    code += "".join(f"assert sys.modules[{name!r}].__all__\n" for name in modules)
    in_new_process(START + code + CHECK)


def test_imports_from_many_threads():
    code = f"""
import threading
statements, failed = {STATEMENTS!r}, []
start = threading.Barrier(len(statements))
def run(statement):
    start.wait()
    try:
        exec(statement, {{}})
    except BaseException as error:
        failed.append((statement, error))
threads = [threading.Thread(target=run, args=(s,)) for s in statements]
for t in threads: t.start()
for t in threads: t.join(60)
assert not failed, failed
assert not any(t.is_alive() for t in threads)
"""
    for _ in range(3):
        in_new_process(START + code + CHECK)


def test_one_thread_loads_keras_and_the_others_wait():
    """Two threads that load modules of one package in two orders would wait for each other's import locks."""
    code = """
import threading
class Recorder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("keras_front.") and "keras.utils.np_utils" not in sys.modules:
            loaders.add(threading.get_ident())
loaders, start = set(), threading.Barrier(3)
sys.meta_path.insert(0, Recorder())
sys.setswitchinterval(1e-4)
def run(name):
    start.wait()
    __import__(name)
threads = [threading.Thread(target=run, args=(f"keras.{n}",)) for n in ("losses", "callbacks", "models")]
for t in threads: t.start()
for t in threads: t.join(60)
assert len(loaders) == 1, loaders
"""
    in_new_process(START + code + CHECK)


def test_a_module_keeps_its_spec_when_two_threads_import_it_by_two_names():
    code = """
import importlib.util, keras
specs = [importlib.util.find_spec(root + ".callbacks") for root in ("tf_keras", "keras.src")]
modules = [importlib.util.module_from_spec(spec) for spec in specs]
for spec, module in zip(specs, modules):
    spec.loader.exec_module(module)
import keras_front.callbacks as ours
assert modules == [ours, ours]
assert ours.__spec__.name == ours.__name__
"""
    in_new_process(START + code + CHECK)


MISSING = [
    "import keras.nowhere",
    "import keras.layers.nowhere",
    "import keras.layers.core.nowhere",
    "import keras.engine.nowhere",
    "from keras.layers import Densest",
    "from keras.layers.core import Densest",
    "from keras.legacy.layers import Densest",
    "from keras.engine.topology import Densest",
    "from keras.losses.nowhere import x",
    "from keras import nowhere",
]


def test_an_import_that_fails_leaves_everything_as_it_was():
    code = """
import keras, keras.layers.core, keras.engine.topology, keras.losses, keras.legacy.layers
before = dict(sys.modules)
for _ in range(2):
    try:
        exec({statement!r})
    except ImportError as error:
        print(error)
    else:
        raise SystemExit("imported")
assert {{n for n in sys.modules if "nowhere" in n}} == set()
assert all(sys.modules[n] is m for n, m in before.items())
"""
    further = "\n".join(STATEMENTS[:3]) + CHECK
    for printed in in_forks([code.format(statement=statement) + further for statement in MISSING], START):
        first, second = printed.splitlines()
        assert first == second
        assert "nowhere" in first or "Densest" in first


def test_a_module_that_breaks_while_it_is_loaded_can_be_imported_later(tmp_path):
    code = """
import importlib
real = importlib.import_module
def broken(name, *args):
    if name == "keras_front.demo":
        raise RuntimeError("broken")
    return real(name, *args)
importlib.import_module = broken
try:
    import keras.demo
except RuntimeError:
    pass
else:
    raise SystemExit("imported")
assert "keras.demo" not in sys.modules
importlib.import_module = real
from keras.demo import build_model
import keras_front.demo
assert build_model is keras_front.demo.build_model
"""
    in_new_process(START + code + CHECK)


def test_everything_lists_the_former_names():
    code = """
space = {}
exec("from keras.layers import *", space)
for name in ("Merge", "merge", "Convolution2D", "AtrousConvolution2D", "Highway", "MaxoutDense", "SReLU", "Dense"):
    assert name in space, name
exec("from keras.regularizers import *", space); assert "activity_l2" in space and "l2" in space
exec("from keras.backend import *", space); assert "image_dim_ordering" in space and "dot" in space
exec("from keras.legacy.layers import *", space); assert "Merge" in space
exec("from keras.layers.convolutional import *", space); assert "Convolution2D" in space
"""
    in_new_process(START + code + CHECK)


def test_without_the_finder_no_former_name_is_listed():
    code = "from keras_front import layers; print('Merge' in layers.__all__, 'keras' in __import__('sys').modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


def test_decorators_of_old_layers_change_nothing():
    code = """
from keras.legacy import interfaces
from keras.layers import Dense, Layer
class Mine(Dense):
    @interfaces.legacy_dense_support
    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
    @interfaces.generate_legacy_interface(allowed_positional_args=["x"])
    def other(self, x):
        return x
assert Mine(3).units == 3 and Mine(3).other(4) == 4
try:
    interfaces.legacy_of_nothing
except AttributeError as error:
    print(error)
"""
    assert "legacy_of_nothing" in in_new_process(START + code)


def test_installing_twice_and_reloading_keep_one_finder():
    code = """
modules.install(); modules.install()
assert sum(isinstance(f, modules.Alias) for f in sys.meta_path) == 1
import importlib, keras.losses, keras_front.losses
assert importlib.reload(keras.losses) is keras_front.losses
"""
    in_new_process(START + code + CHECK)


def test_another_keras_is_not_overrun():
    code = "import sys, types; sys.modules['keras'] = types.ModuleType('keras')\n" + START
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "Another `keras` is imported already" in done.stderr


def test_pairs_of_packages_in_both_orders():
    names = ["keras.layers.core", "keras_front.layers.core", "keras.legacy.layers", "keras.engine.topology"]
    pairs = itertools.permutations(names, 2)
    in_forks(["".join(f"import {name}\n" for name in pair) + CHECK for pair in pairs], START)


def test_the_protocol_of_keras1():
    """In a new process, since `import keras` puts it on the classes of today."""
    printed = in_new_process("""
from keras_front.legacy import modules
modules.install()
from keras.layers import Dense, Embedding, Input, Layer
from keras.models import Sequential
from keras import constraints, metrics, optimizers, regularizers
assert metrics.precision.__name__ == "precision"
dense = Dense(3, init="one", W_regularizer="l2", b_constraint="nonneg")
dense.create_input_layer((None, 4))
assert dense.output_shape == (None, 3) and dense.output_dim == 3 and dense.get_output_shape_for((5, 4)) == (5, 3)
assert dense.W is dense.kernel and dense.b is dense.bias and dense.init.get_config() == {}
other = Dense(2)
other.add_inbound_node(dense)
assert other.input is dense.output
assert Embedding(3, 4).output_dim == 4
assert not hasattr(dense, "subsample")
class Mine(Layer):
    def build(self, input_shape):
        self.regularizers = []
        self.W = self.add_weight((input_shape[1], 2), initializer="one", name="W")
        self.trainable_weights = [self.W]
        self.constraints = {}
        self.constraints[self.W] = constraints.nonneg()
        self.built = True
    def call(self, x, mask=None):
        from keras import backend as K
        return K.dot(x, self.W)
mine = Mine()
mine.build((None, 3))
assert mine.regularizers == [] and len(mine.weights) == 1
assert dense.constraints == {dense.b: dense.b.constraint}
held = Sequential([Mine(input_shape=(3,))])
held.compile(optimizers.SGD(lr=100.0), "mse")
import numpy as np
held.train_on_batch(np.ones((4, 3)), np.zeros((4, 2)))
assert (held.get_weights()[0] == 0).all()
inner = Sequential([Dense(2, input_dim=3), Dense(2)])
model = Sequential([inner, Dense(1)])
assert len(model.flattened_layers) == 3 and model.model is model
assert model.validation_data is None and model.training_data is None
regularizers.l2(0.1).set_param(None)
assert float(optimizers.get("sgd", {"lr": 0.5}).lr) == 0.5 and constraints.get("maxnorm", {"m": 3}).max_value == 3
from keras.layers.recurrent import Recurrent, time_distributed_dense, LSTM
from keras.layers.convolutional_recurrent import ConvLSTM2D, ConvRecurrent2D
import numpy as np
lstm = LSTM(2, input_shape=(3, 4))
lstm.build((None, 3, 4))
assert isinstance(lstm, Recurrent) and lstm.get_constants(None) == [] and lstm.preprocess_input(3) == 3
zeros = np.zeros((1, 2), "float32")
output, states = lstm.step(np.ones((1, 4), "float32"), [zeros, zeros])
assert output.shape == (1, 2) and len(states) == 2
print("all there")
""")
    assert printed == "all there"
