"""Behaviours of Keras 2 that programs stand on and that no table of names shows: one test for each kind."""

import json

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import bytecode, config, optimizers
from keras_front.layers import RNN, Activation, Dense, Dropout, Input, Lambda, Layer, LSTMCell, StackedRNNCells
from keras_front.legacy.engine import training_utils
from keras_front.losses import categorical_crossentropy
from keras_front.models import Model, Sequential, load_model, model_from_json

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


class Penalized(Layer):
    """Adds the sum of its inputs to the loss."""

    def call(self, inputs):
        """The inputs."""
        self.add_loss(K.sum(inputs))
        return inputs


def test_losses_of_a_call_on_values_are_those_of_the_latest_call(backend):
    inner, outer = Penalized(), Sequential([Penalized(), Activation("linear", activity_regularizer="l2")])
    inner(X)
    inner(2 * X)
    assert [float(loss) for loss in inner.losses] == [42]
    outer(Input((3,)))
    outer(X)
    assert [float(loss) for loss in outer.losses] == pytest.approx([21, 0.01 * np.square(X).sum() / 2])
    assert [float(loss) for loss in outer.layers[0].losses] == [21]
    assert len(inner.get_losses_for(K.variable(X))) == 1
    inner.add_loss = lambda losses: None
    inner(X)
    assert inner.losses == []


def test_bounds_of_clip_may_be_tensors(backend):
    lowest, x = K.variable(np.full((2, 3), 2.5)), K.placeholder((2, 3))
    np.testing.assert_allclose(K.eval(K.clip(K.variable(X), lowest, 5.0)), np.clip(X, 2.5, 5))
    found = K.function([x], [K.clip(K.variable(X), x, 100.0)])([np.full((2, 3), 2.5)])[0]
    np.testing.assert_allclose(found, np.clip(X, 2.5, 100))


@pytest.mark.engine_neutral
def test_tensors_know_whether_layers_before_them_look_at_the_phase(backend):
    x = Input((3,))
    dropped = Dropout(0.5)(Dense(2)(x))
    assert all(t._uses_learning_phase for t in (dropped, Dense(1)(dropped)))
    assert not any(t._uses_learning_phase for t in (x, Dense(2)(x), Dropout(0.5)(x, training=True)))


@pytest.mark.of_the_host
def test_what_was_given_for_tensors_is_listed_for_them(backend):
    x, layer = Input((3,)), Dense(2)
    for number, inputs in ((0, x), (1, None)):
        layer.add_update(number, inputs=inputs)
        layer.add_loss(number, inputs=inputs)
    assert layer.get_updates_for(x) == layer.get_losses_for(x) == [0]
    assert layer.get_updates_for(None) == layer.get_losses_for(None) == [1]


@pytest.mark.of_the_host
def test_errors_are_those_that_programs_catch(backend):
    layer, x = Dense(2, name="here"), Input((3,))
    y = layer(x)
    with pytest.raises(ValueError, match="node 2"):
        layer.get_input_at(2)
    with pytest.raises(TypeError, match="no layers"):
        Sequential().pop()
    with pytest.raises(ValueError, match="at most the 1 axes"):
        K.switch(K.ones((2, 2)), K.ones((2,)), K.zeros((2,)))
    with pytest.raises(ValueError, match="a target array of shape"):
        training_utils.check_loss_and_target_compatibility([np.zeros((2, 1))], [categorical_crossentropy], [(2, 1)])
    with pytest.raises(ValueError, match="there"):
        Model(x, y).compile("sgd", "mse", target_tensors={"there": K.ones((2, 2))})
    for dialect in ("keras1", "keras2.2", "keras2.3"):
        with config.dialect(dialect), pytest.raises(ValueError, match="no loss to optimize"):
            Model(x, y).compile("sgd")
    with config.dialect("keras2.2"), pytest.warns(UserWarning, match='Output "other" missing'):
        Model(x, [y, Dense(1, name="other")(x)]).compile("sgd", {"here": "mse"})
    Model(x, y).compile("sgd")  # today's models may have a step of their own


@pytest.mark.of_the_host
def test_small_values_that_programs_read(backend):
    assert StackedRNNCells([LSTMCell(2), LSTMCell(3)]).state_size == (2, 2, 3, 3)
    assert len(RNN([LSTMCell(2), LSTMCell(3)], return_state=True)(Input((4, 1)))) == 5
    for optimizer in ("SGD", "RMSprop", "Adagrad", "Nadam"):
        assert optimizers.get(optimizer).get_config()["lr"] > 0


@pytest.mark.of_the_host
def test_a_program_of_keras_2_loads_the_lambda_that_it_saved(backend, tmp_path):
    with config.dialect("keras2.2"):
        model = Sequential([Lambda(lambda x: x**2 + len(X), input_shape=(3,))])
        model.save(tmp_path / "own.h5")
        np.testing.assert_allclose(load_model(tmp_path / "own.h5").predict(X), X**2 + len(X))
        text = model.to_json()
        other = text.replace(json.dumps(__name__), json.dumps("keras_front"))  # it finds the names that it found before
        assert other != text
        np.testing.assert_allclose(model_from_json(other).predict(X), X**2 + len(X))
    bytecode._WRITTEN.clear()  # another process
    with config.dialect("keras2.2"), pytest.raises(ValueError, match="carries Python code"):
        model_from_json(text)


def test_a_process_that_answers_old_programs_loads_the_lambda_that_it_saved(tmp_path):
    saved, left = str(tmp_path / "own.h5"), str(tmp_path / "left.h5")
    Sequential([Lambda(lambda x: x + 1, input_shape=(3,))]).save(left)  # of another process
    program = (
        "import sys; from keras_front.legacy import modules; modules.install()\n"
        "from keras.layers import Lambda; from keras.models import Sequential, load_model, model_from_json\n"
        "model = Sequential([Lambda(lambda x: x * 2, input_shape=(3,))]); model.save(sys.argv[1])\n"
        "load_model(sys.argv[1]), model_from_json(model.to_json())\n"
        "try: load_model(sys.argv[2])\n"
        "except ValueError as error: print(error)"
    )
    assert "carries Python code" in in_new_process(program, saved, left)
