"""Every function that reads a name or a file works in a process that has imported nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fresh import in_forks, in_new_process

from keras_front import losses, metrics
from keras_front.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from keras_front.models import Model, Sequential
from keras_front.registry import HOMES, Registry

pytestmark = pytest.mark.slow

CONFIG = {"class_name": "Dense", "config": {"units": 2, "activation": "relu", "kernel_regularizer": None}}
NETWORK = {"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer",
           "config": {"batch_input_shape": [None, 3]}}, CONFIG]}}  # fmt: skip
NESTED = {"class_name": "Bidirectional", "config": {"layer": {"class_name": "LSTM", "config": {"units": 2}}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of a compiled model with a layer, loss, metric, optimizer and regularizer of each sort."""
    place = tmp_path_factory.mktemp("files")
    x = Input((4, 4, 1))
    y = BatchNormalization()(Conv2D(2, 3, kernel_constraint="max_norm", kernel_regularizer="l2")(x))
    y = Dense(3, activation="softmax", kernel_initializer="he_normal")(Flatten()(y))
    model = Model(x, y)
    model.compile("adam", losses.CategoricalCrossentropy(), [metrics.AUC(), "acc"])
    model.save(place / "m.h5")
    model.save(place / "m.keras")
    model.save_weights(place / "w.h5")
    (place / "m.json").write_text(model.to_json())
    return place


# One line for each entry point: the code that runs in a fresh process and prints what it made.
ENTRY_POINTS = [
    "from keras_front.models import load_model; made = load_model('m.h5')",
    "from keras_front.models import load_model; made = load_model('m.keras')",
    "from keras_front.saving import load_model; made = load_model('m.keras')",
    "import keras_front as k; made = k.models.load_model('m.h5')",
    "from keras_front.models import model_from_json; made = model_from_json(open('m.json').read())",
    "import json; from keras_front.models import model_from_config\n"
    "made = model_from_config(json.load(open('m.json')))",
    "import json; from keras_front.models import Model\nmade = Model.from_config(json.load(open('m.json'))['config'])",
]


def test_models_are_read_in_a_fresh_process(folder):
    start = "import os, sys; os.chdir(sys.argv[1])"
    printed = in_forks(
        [f"{code}; print(*[type(l).__name__ for l in made.layers])" for code in ENTRY_POINTS], start, str(folder)
    )
    assert printed == ["InputLayer Conv2D BatchNormalization Flatten Dense"] * len(ENTRY_POINTS)


def test_a_loaded_model_is_compiled_as_it_was(folder):
    code = (
        "import os, sys; os.chdir(sys.argv[1]); from keras_front.models import load_model\n"
        "for name in ('m.h5', 'm.keras'):\n"
        "    m = load_model(name); print(type(m.optimizer).__name__, type(m.loss).__name__, *m.metrics_names)\n"
    )
    lines = in_new_process(code, str(folder)).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("Adam CategoricalCrossentropy loss auc") for line in lines)


def test_the_command_summary_in_a_fresh_process(folder):
    done = subprocess.run(
        [sys.executable, "-m", "keras_front", "summary", str(folder / "m.h5")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "(Conv2D)" in done.stdout


# Kind of object, module that is imported, what is asked for, and the class or function that comes.
OBJECTS = [
    ("layers", {"class_name": "Dense", "config": {"units": 2}}, "Dense"),
    ("layers", NESTED, "Bidirectional"),
    ("layers", NETWORK, "Sequential"),
    ("losses", "mse", "mean_squared_error"),
    ("losses", {"class_name": "BinaryCrossentropy", "config": {}}, "BinaryCrossentropy"),
    ("metrics", "acc", None),
    ("metrics", {"class_name": "AUC", "config": {}}, "AUC"),
    ("metrics", "kullback_leibler_divergence", None),
    ("optimizers", "NADAM", "Nadam"),
    ("optimizers", {"class_name": "Adadelta", "config": {}}, "Adadelta"),
    ("regularizers", "l1_l2", "L1L2"),
    ("regularizers", {"class_name": "L1L2", "config": {"l1": 0.5}}, "L1L2"),
    ("initializers", "he_normal", "VarianceScaling"),
    ("initializers", {"class_name": "Orthogonal", "config": {}}, "Orthogonal"),
    ("constraints", "unit_norm", "UnitNorm"),
    ("activations", "softplus", "softplus"),
    ("activations", {"class_name": "LeakyReLU", "config": {"alpha": 0.5}}, "LeakyReLU"),
    ("activations", "LeakyReLU", "LeakyReLU"),
]


SHOW = "print(getattr(made, '__name__', type(made).__name__))"


def test_objects_are_found_in_a_fresh_process():
    codes = [f"from keras_front.{module} import deserialize; made = deserialize({asked!r}); {SHOW}"
             for module, asked, _ in OBJECTS]  # fmt: skip
    for printed, (module, asked, wanted) in zip(in_forks(codes), OBJECTS, strict=True):
        assert printed, (module, asked)
        assert wanted in (None, printed), (module, asked)


def test_a_registry_finds_its_home_when_nothing_is_imported():
    names = {"activation": "relu", "initializer": "Ones", "regularizer": "L1L2", "constraint": "NonNeg",
             "layer": "LSTM", "loss": "hinge", "metric": "AUC", "optimizer": "sgd",
             "learning rate schedule": "CosineDecay", "quantizer": "AbsMaxQuantizer"}  # fmt: skip
    assert set(names) == set(HOMES)
    start = "from keras_front.registry import Registry"
    printed = in_forks([f"print({names[kind]!r} in Registry.of({kind!r}))" for kind in HOMES], start)
    assert printed == ["True"] * len(HOMES)


def test_any_object_is_deserialized_when_only_the_registry_is_imported():
    asked = [CONFIG, NETWORK, {"class_name": "Adam", "config": {}}, "mean_absolute_error"]
    start = "from keras_front.registry import deserialize_keras_object"
    printed = in_forks([f"made = deserialize_keras_object({item!r}); {SHOW}" for item in asked], start)
    assert printed == ["Dense", "Sequential", "Adam", "mean_absolute_error"]


def test_arguments_of_layers_are_read_in_a_fresh_process():
    code = (
        "from keras_front.graph import Layer\n"
        "from keras_front.layers.core import Dense\n"
        "layer = Dense(2, 'LeakyReLU', kernel_initializer='he_normal', kernel_regularizer='l2')\n"
        "print(type(layer.activation).__name__, type(layer.kernel_regularizer).__name__)"
    )
    assert in_new_process(code) == "LeakyReLU L1L2"


def test_a_pickled_model_is_read_in_a_fresh_process(tmp_path):
    import pickle

    model = Sequential([Dense(2, input_shape=(3,)), Dense(1, activation="tanh")])
    model.compile("rmsprop", "mse", ["mae"])
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    code = "import pickle, sys; m = pickle.load(open(sys.argv[1], 'rb')); print(len(m.layers), m.optimizer is not None)"
    assert in_new_process(code, str(tmp_path / "m.pkl")) == "2 True"


def test_a_file_never_chooses_what_is_imported(tmp_path):
    """Names with dots, module paths and unknown kinds are names that nobody knows, and no import is tried."""
    (tmp_path / "trap_module.py").write_text("raise SystemExit('imported because a file said so')\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from keras_front.registry import deserialize_keras_object\n"
        "from keras_front.models import model_from_config\n"
        "for config in ({'class_name': 'trap_module.Trap', 'config': {}},\n"
        "               {'module': 'trap_module', 'class_name': 'Trap', 'registered_name': 'trap_module>Trap'},\n"
        "               {'module': 'trap_module', 'class_name': 'function', 'config': 'trap_module'}):\n"
        "    for read in (deserialize_keras_object, model_from_config):\n"
        "        try: read(config)\n"
        "        except ValueError as error: assert 'Trap' in str(error) or 'trap' in str(error), error\n"
        "        else: raise SystemExit('read')\n"
        "print('trap_module' in sys.modules)"
    )
    assert in_new_process(code, str(tmp_path)) == "False"


def test_the_order_of_kinds_does_not_depend_on_imports():
    code = "import keras_front.{}; from keras_front.registry import Registry; print(*[r.kind for r in Registry.all()])"
    assert in_new_process(code.format("optimizers")) == in_new_process(code.format("layers")) == " ".join(HOMES)


def test_an_unknown_name_is_reported_with_the_names_that_come_close():
    code = (
        "from keras_front.graph.layer import LAYERS\n"
        "try: LAYERS.lookup('Denze')\n"
        "except ValueError as error: print(error)"
    )
    printed = in_new_process(code)
    assert "Unknown layer 'Denze'" in printed
    assert "Did you mean 'Dense'" in printed


def test_an_unknown_kind_names_the_kinds():
    with pytest.raises(ValueError, match=r"one of the kinds activation, .*optimizer"):
        Registry.of("thing of no kind")
