"""Programs, their children, `tensorflow` with and without TensorFlow, and what programs look at: in fresh processes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Another finder keeps TensorFlow away; as a `sitecustomize` of the user's own it is one for the children as well.
ABSENT = """
import sys
class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'", name=name)
sys.meta_path.insert(0, Blocked)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with no settings, on the path of every process, in which TensorFlow is not installed."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    for name in ("BACKEND", "DIALECT", "SPEAK_AS"):
        monkeypatch.delenv(f"KERAS_FRONT_{name}", raising=False)
    return tmp_path


def keras_front_run(*arguments, **options):
    command = [sys.executable, "-m", "keras_front", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


CHILDREN = """
import multiprocessing, subprocess, sys
import keras
from keras import backend as K

def seen(_=None):
    return keras.__version__, K.backend(), K.get_value(K.ones(2)).tolist()

if __name__ == "__main__":
    print(seen(), sys.argv[1:])
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.apply(seen) == seen(), method
    code = "import keras; from keras import backend as K; print((keras.__version__, K.backend()))"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    import os; del os.environ["KERAS_FRONT_SPEAK_AS"]
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
"""


def test_children_of_a_program_inherit_everything(home):
    (home / "program.py").write_text(CHILDREN)
    done = keras_front_run("--dialect", "keras2.2", "--speak-as=theano", str(home / "program.py"), "a", "-m", "--x")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "('2.2.4', 'theano', [1.0, 1.0]) ['a', '-m', '--x']",
        "('2.2.4', 'theano')",
        "('2.2.4', 'numpy')",
    ]


def test_a_module_and_a_text_are_programs(home):
    (home / "package").mkdir()
    (home / "package" / "__main__.py").write_text(
        "import sys, keras, package.part\nprint(__name__, sys.argv[1:], keras.__name__)\npackage.part.fail()\n"
    )
    (home / "package" / "part.py").write_text("def fail():\n    raise KeyError('mine')\n")
    done = keras_front_run("-m", "package", "--backend", "a", cwd=home)
    assert done.stdout.strip() == "__main__ ['--backend', 'a'] keras"
    assert done.returncode == 1
    frames = [line.strip() for line in done.stderr.splitlines() if line.startswith("  File")]
    assert [frame.split(", ", 1)[1] for frame in frames] == ["line 3, in <module>", "line 2, in fail"]
    text = "import sys, keras; print(sys.argv, __name__, keras.__version__); sys.exit(7)"
    done = keras_front_run("--dialect", "keras1", "-c", text, "-c", "b")
    assert (done.stdout.strip(), done.returncode) == ("['-c', '-c', 'b'] __main__ 1.2.2", 7)
    assert "expected a script, or -m with a module, or -c with code" in keras_front_run().stderr


IN_PYTHON = """
import keras_front
keras_front.install_as_keras(backend="numpy", dialect="keras2.3", speak_as="tensorflow")
import keras, keras.layers
assert keras is not keras_front and keras.__name__ == "keras" and keras.__version__ == "2.3.1"
assert keras.layers is keras_front.layers and keras.Layer is keras_front.layers.Layer
assert keras.backend.backend() == "tensorflow" and keras_front.backend.discovery.backend() == "numpy"
assert keras.__file__.endswith("__init__.py")
import importlib, os
assert importlib.reload(keras) is keras and importlib.reload(keras.backend) is keras_front.backend
with keras_front.dialect("keras1"):
    assert keras.__version__ == "1.2.2"
print(os.environ["KERAS_FRONT_SPEAK_AS"], os.environ["PYTHONPATH"].split(os.pathsep)[0].endswith("start"))
"""


def test_one_line_of_python_does_the_same(home):
    done = subprocess.run([sys.executable, "-c", IN_PYTHON], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "tensorflow True", done.stderr


def test_one_option_of_pytest_does_the_same(home):
    (home / "test_mine.py").write_text("import keras\ndef test_it():\n    assert keras.layers.Dense(3).units == 3\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "keras_front.as_keras", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=home)
    assert "1 passed" in done.stdout, done.stdout


# tensorflow ---------------------------------------------------------------------------------------------------

STAND_IN = """
import tensorflow as tf
import tensorflow.compat.v1 as tf1
import tensorflow.keras.backend as K
from tensorflow import keras
from tensorflow.keras.layers import Dense, Input, Lambda
from tensorflow.keras.layers.experimental import preprocessing
from tensorflow.python.client import device_lib
from tensorflow.python.keras.engine.base_layer import Layer
from tensorflow.python.keras import backend as same
import numpy as np
import keras_front

assert Dense is tf.keras.layers.Dense is keras_front.layers.Dense and Layer is keras_front.layers.Layer
assert tf.keras is keras and tf1.keras.layers is keras.layers is keras_front.layers and K is same
assert keras.__name__ == "tensorflow.keras" and keras.__version__ == tf.__version__ == tf.version.VERSION == "2.15.0"
assert preprocessing.Rescaling is keras.layers.Rescaling

# What programs set up before they begin.
tf.random.set_seed(1), tf.compat.v1.set_random_seed(1), tf1.disable_eager_execution(), tf1.disable_v2_behavior()
tf.get_logger().setLevel("ERROR"), tf1.logging.set_verbosity(tf1.logging.ERROR), tf.autograph.set_verbosity(0)
for gpu in tf.config.list_physical_devices("GPU") + tf.config.experimental.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
assert [d.device_type for d in tf.config.list_physical_devices()] == ["CPU"]
assert not tf.test.is_gpu_available() and tf.test.gpu_device_name() == "" and len(device_lib.list_local_devices()) == 1
config = tf1.ConfigProto(allow_soft_placement=True)
config.gpu_options.allow_growth, config.gpu_options.per_process_gpu_memory_fraction = True, 0.5
with tf1.Session(graph=tf1.get_default_graph(), config=config) as session, tf.device("/gpu:0"):
    session.run(tf1.global_variables_initializer())

# Functions in a model, in a session, and on values.
x = Input((3,))
y = Lambda(lambda t: tf.reduce_mean(tf.cast(t, tf.float32) * tf.constant(2.0), axis=1, keepdims=True))(x)
values = np.arange(6.0).reshape(2, 3)
assert np.allclose(keras.Model(x, y).predict(values, verbose=0)[:, 0], 2 * values.mean(1))
a = tf1.placeholder(tf.float32, [None, 3])
assert np.allclose(tf1.Session().run([a * 2, tf.reduce_sum(a)], {a: values})[1], 15)
assert isinstance(tf.constant(1), tf.Tensor) and isinstance(x, tf.Tensor) and isinstance(tf.Variable(1), tf.Variable)
assert tf.constant([1, 2]).dtype == "int32" and tf.float32.as_numpy_dtype is np.float32

image = Lambda(lambda t: tf.image.resize(tf.nn.bias_add(t, [1.0]), [4, 4]))(Input((2, 2, 1)))
assert image.shape == (None, 4, 4, 1) and float(tf.squared_difference(x=3.0, y=1.0)) == 4

# What it does not have says so, and so does the backend of that name.
assert not hasattr(tf, "lite") and not hasattr(tf.nn, "ctc_loss")
try:
    tf.data.experimental.service
except AttributeError as error:
    assert isinstance(error, keras_front.errors.KerasFrontError)
    print(error)
try:
    import tensorflow.lite
except ImportError as error:
    print(error)
try:
    keras_front.set_backend("tensorflow")
except ImportError as error:
    print(error)
"""


def test_without_tensorflow_a_stand_in_has_what_programs_use(home):
    done = keras_front_run("-c", STAND_IN)
    assert done.returncode == 0, done.stderr
    data, lite, backend = done.stdout.splitlines()
    said = ": TensorFlow is not installed, and the stand-in that keras_front has for it knows only what programs for"
    assert data.startswith(f"tensorflow.data.experimental.service{said}")
    assert data.endswith("pip install tensorflow.")
    assert lite.startswith(f"tensorflow.lite{said}")
    assert backend.startswith("backend 'tensorflow' is not installed")


PROGRAM = """
import numpy as np
import tensorflow as tf
from tensorflow.python.keras import backend_config
from tensorflow.python.ops import state_ops
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.models import Model

counter = K.variable(1.0)
assert float(K.eval(state_ops.assign_add(counter, 2.0))) == 3.0
assert tf.optimizers.Adam is tf.keras.optimizers.Adam
assert tf.initializers.GlorotUniform is tf.glorot_uniform_initializer is tf.initializers.glorot_uniform
assert float(tf.identity(tf.constant(1.0))) == 1.0 == float(tf.ones(()))
assert tuple(tf.truncated_normal((2,)).shape) == (2,)
with tf.distribute.MirroredStrategy().scope():
    images = Input((None, None, 1))
    larger = Lambda(lambda x: tf.image.resize_images(x, (2 * tf.shape(x)[1], 2)))(images)
    twice = Lambda(lambda x: x[:, tf.newaxis])(larger)
    model = Model(images, twice)
made = model.predict(np.array([[0.0, 1.0], [2.0, 3.0]]).reshape(1, 2, 2, 1), verbose=0)
assert made[0, 0, ..., 0].tolist() == [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [2.0, 3.0]]
class Doubling(Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x, training=True) - y + tf.zeros((tf.shape(x)[0], 1))))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {"loss": loss}

x = Input((1,))
model = Doubling(x, Dense(1, use_bias=False, kernel_initializer="zeros")(x))
model.compile(tf.keras.optimizers.SGD(0.25), "mse")
model.fit(np.ones((2, 1)), np.full((2, 1), 2.0), verbose=0)
assert model.get_weights()[0].tolist() == [[1.0]]
try:
    tf.distribute.cluster_resolver.TPUClusterResolver()
except ValueError:
    print(tf.get_default_graph().unique_name("a"), tf.get_default_graph().unique_name("a"))
"""


def test_without_tensorflow_programs_run_that_use_more_of_it(home):
    done = keras_front_run("--backend", "numpy", "-c", PROGRAM)
    assert done.stdout == "a a_1\n", done.stderr


REAL = """
import tensorflow as tf
real = tf.__version__, tf.reduce_mean, tf.data.Dataset
from tensorflow.keras.layers import Dense
from tensorflow.compat.v1.keras.layers import Dense as second
from tensorflow.python.keras.layers import Dense as third
import tensorflow.python.keras.engine.base_layer
import keras_front
assert Dense is second is third is tf.keras.layers.Dense is keras_front.layers.Dense
assert tf.optimizers.Adam is keras_front.optimizers.Adam
assert tf.keras.__name__ == "tensorflow.keras"
model = tf.keras.Sequential([Dense(3, input_shape=(2,), activation=tf.nn.relu)])
model.compile("adam", "mse")
assert model.fit(tf.ones((4, 2)), tf.ones((4, 3)), verbose=0).history["loss"][0] > 0
print(tf.reduce_sum(tf.constant([1, 2])).numpy())
"""


@pytest.mark.backends("tensorflow")
def test_in_the_real_tensorflow_only_keras_is_ours(backend, tmp_path):
    done = keras_front_run("--backend", "tensorflow", "-c", REAL)
    assert done.stdout.strip() == "3", done.stderr
    done = subprocess.run(
        [sys.executable, "-c", "import tensorflow, keras_front.as_keras\n" + REAL],
        capture_output=True, text=True, timeout=120, env={**os.environ, "KERAS_FRONT_BACKEND": "numpy"},
    )  # fmt: skip
    assert "Another `keras` is imported already" in done.stderr


PATHS = """
import importlib
import keras_front
for name in '''
    keras.src.layers.core.dense.Dense keras.src.optimizers.adam.Adam keras.api._v2.keras.layers.Dense
    keras._tf_keras.keras.models.Model tf_keras.layers.LSTM tensorflow.keras.optimizers.legacy.Adam
    tensorflow.python.keras.optimizer_v2.rmsprop.RMSprop tensorflow.python.keras.layers.recurrent_v2.LSTM
    tensorflow.python.keras.engine.functional.Model keras.src.callbacks.early_stopping.EarlyStopping
    tensorflow.keras.layers.experimental.preprocessing.Normalization keras.layers.normalization.Dropout
    keras.src.losses.loss.Loss keras.src.metrics.metric.Metric keras.src.models.functional.Functional
    keras.src.activations.activations.relu keras.src.layers.layer.Layer
    keras.src.backend.common.keras_tensor.KerasTensor keras.engine.training._make_batches
    keras.layers.recurrent._generate_dropout_mask
    tensorflow.python.keras.utils.tf_utils.shape_type_conversion keras.src.applications.resnet.ResNet50
'''.split():
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    assert found.__module__.startswith("keras_front."), name
import keras.src.layers.core.dense as path
import tensorflow.python.keras.engine.base_layer as path
for name in ("keras.src.layers.core.nowhere", "keras.layers.dense.nowhere", "keras.optimizers.nowhere", "keras.dense"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(name)
"""


def test_paths_of_later_versions(home):
    done = keras_front_run("-c", PATHS)
    assert done.returncode == 0, done.stderr + done.stdout


RELOAD = """
import importlib, os, sys, keras, keras_front
from keras import backend as K
engine = keras_front.backend.discovery.backend
for wanted in ["theano", *sys.argv[1:], "numpy", "tensorflow"]:
    os.environ["KERAS_BACKEND"] = wanted
    try:
        assert importlib.reload(K) is keras.backend and K.backend() == wanted
    except ImportError as error:
        print(str(error)[:39])
    print(wanted, engine(), float(K.sum(K.ones(3))))
os.environ["KERAS_FRONT_BACKEND"] = "numpy"
importlib.reload(K)
print(K.backend(), engine())

import keras_applications, keras_preprocessing
from keras_applications.vgg16 import VGG16
from keras_preprocessing.image.utils import load_img
from keras_preprocessing.text import Tokenizer
keras_preprocessing.set_keras_submodules(backend=K, utils=keras.utils)
assert Tokenizer is keras.preprocessing.text.Tokenizer and VGG16 is keras.applications.VGG16
assert keras_applications.get_submodules_from_kwargs({})[1] is keras.layers
assert (keras_preprocessing.__version__, keras_applications.__name__) == ("1.1.2", "keras_applications")
try:
    keras_preprocessing.get_keras_submodule("nowhere")
except ValueError as error:
    print(error)
"""


def test_reloading_the_backend_and_packages_beside_keras(home, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    others = ["torch"] if importlib.util.find_spec("torch") else []
    done = keras_front_run("-c", RELOAD, *others)
    assert done.stdout.splitlines() == [
        "theano numpy 3.0",
        *(f"{name} {name} 3.0" for name in others),
        "numpy numpy 3.0",
        "backend 'tensorflow' is not installed (",
        "tensorflow numpy 3.0",
        "tensorflow numpy",
        "get_keras_submodule: expected one of ('backend', 'engine', 'layers', 'models', 'utils'), received 'nowhere'.",
    ], done.stderr
