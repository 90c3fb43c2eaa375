"""`tf.GradientTape` and `tf.data` of the stand-in: loops of a program's own, on values."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import losses, metrics, optimizers
from keras_front.backend.eager_tensors import EagerTensor
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, Lambda
from keras_front.legacy.stand_in import calls, checkpoints, checks, data, functions, random, summaries, variable_modules
from keras_front.legacy.stand_in.tape import GradientTape
from keras_front.models import Model, Sequential


def test_a_loop_of_a_programs_own_trains_as_the_formula_says(backend):
    x, y = np.float32([[1, 2], [3, 4]]), np.float32([[1], [2]])
    model = Sequential([Dense(1, use_bias=False, kernel_initializer="ones", kernel_regularizer="l2", input_dim=2)])
    optimizer, seen = optimizers.SGD(0.01), metrics.Mean()
    kernel, expected = np.ones((2, 1)), []
    for xs, ys in data.Dataset.from_tensor_slices((x, y)).batch(2).repeat(3):
        with GradientTape() as tape:
            predicted = model(xs, training=True)
            loss = losses.MeanSquaredError()(ys, predicted) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        seen.update_state(loss)
        error = x @ kernel - y
        expected.append(np.mean(error**2) + 0.01 * np.sum(kernel**2))
        kernel = kernel - 0.01 * (x.T @ error + 0.02 * kernel)  # what is assigned does not change what was computed
        assert loss.numpy() == pytest.approx(expected[-1], rel=1e-5)
        assert f"{loss:.3f}" == f"{expected[-1]:.3f}"
        assert np.allclose(predicted, error + y, atol=1e-5)
    assert np.allclose(model.get_weights()[0], kernel, atol=1e-5)
    assert float(seen.result()) == pytest.approx(np.mean(expected), rel=1e-5)


def test_gradients_of_gradients_and_of_each_element(backend):
    w, x = K.variable([1.0, 2.0]), functions.constant([3.0, 4.0])
    with GradientTape(persistent=True) as outer:
        outer.watch(x)
        with GradientTape() as inner:
            value = K.sum(w * w * w) * x[0]
        first = inner.gradient(value, w)
        products = x * x * w[0]
    assert first.numpy().tolist() == [9.0, 36.0]
    assert outer.gradient(first, w).numpy().tolist() == [18.0, 36.0]
    assert outer.gradient(value, {"x": x, "w": [w]})["x"].numpy().tolist() == [9.0, 0.0]
    assert outer.jacobian(products, x).numpy().tolist() == [[6.0, 0.0], [0.0, 8.0]]
    assert outer.gradient(products, x, output_gradients=functions.constant([1.0, 0.5])).numpy().tolist() == [6.0, 4.0]


@pytest.mark.engine_neutral
def test_what_is_not_watched_has_no_gradient(backend):
    kept, w, x = K.variable([1.0]), K.variable([2.0]), functions.constant([3.0])
    kept.trainable = False
    with GradientTape() as tape:
        y = kept * w * x
    assert [g is None for g in tape.gradient(y, [kept, w, x])] == [True, False, True]
    with pytest.raises(StateError, match="persistent=True"):
        tape.gradient(y, w)
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(kept)
        y = kept * w
    assert tape.gradient(y, [kept, w], unconnected_gradients="zero")[1].numpy().tolist() == [0.0]
    with GradientTape() as tape:
        y = w * w
    assert tape.watched_variables() == (w,)
    assert tape.gradient(y * 2.0, w) is None  # computed outside


def test_layers_with_noise_and_state_on_a_tape(backend):
    """The mask of the gradient is that of the value; moments are assigned once."""
    drop, norm = Dropout(0.5), BatchNormalization(momentum=0.5)
    x = functions.constant(np.float32([[1, 2, 3, 4], [3, 2, 1, 0]]))
    norm.build((None, 4))
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        dropped = drop(x, training=True)
        norm(x, training=True)
    assert np.array_equal(tape.gradient(dropped, x).numpy() * x.numpy(), dropped.numpy())
    assert norm.get_weights()[2].tolist() == [1.0, 1.0, 1.0, 1.0]


@pytest.mark.engine_neutral
def test_the_gradients_of_grad_cam(backend):
    images = Input((4, 4, 1))
    maps = Conv2D(2, 3, name="maps")(images)
    model = Model(images, [maps, Dense(3)(Flatten()(Lambda(lambda t: calls.of_tensorflow("", "square")(t))(maps)))])
    image = np.random.default_rng(0).normal(size=(1, 4, 4, 1)).astype("float32")
    with GradientTape() as tape:
        seen, scores = model(image)
        score = scores[:, int(np.argmax(scores[0]))]
    kernel = model.get_weights()[2]
    expected = 2 * model.predict(image, verbose=0)[0] * kernel[:, np.argmax(scores)].reshape(1, 2, 2, 2)
    assert np.allclose(tape.gradient(score, seen), expected, atol=1e-5)
    with GradientTape() as tape:
        tape.watch(image)  # an array
        loss = K.sum(model(image)[1])
    assert tape.gradient(loss, image).shape == (1, 4, 4, 1)


@pytest.mark.engine_neutral
def test_tensors_with_values_are_values_everywhere(backend):
    t = functions.constant([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(t, EagerTensor)
    assert isinstance(t, functions.Tensor)
    assert not K.is_symbolic(t)
    model = Sequential([Dense(2, kernel_initializer="identity", input_dim=2)])
    model.compile("sgd", "mse")
    assert model.predict(t, verbose=0).tolist() == t.numpy().tolist() == np.asarray(model(t)).tolist()
    assert model.fit(t, t, verbose=0).history["loss"] == [0.0]
    assert [float(v) for v in t[0]] == [1.0, 2.0]
    assert len(t) == 2
    assert (t[0] == t[1]).numpy().tolist() == [False, False]
    assert np.max(t) == 4.0
    assert tuple(random.normal((calls.of_tensorflow("", "shape")(t)[0], 3)).shape) == (2, 3)
    x = Input((2,))
    assert Model(x, x + t[0]).predict(t, verbose=0).tolist() == [[2.0, 4.0], [4.0, 6.0]]
    held = K.variable([0.0, 0.0])
    held.assign(t[1])
    assert held.numpy().tolist() == [3.0, 4.0]
    if functions.constant(3) > 2:
        assert "numpy=" in repr(t)


def test_modules_know_their_variables():
    class Linear(variable_modules.Module):
        def __init__(self):
            super().__init__()
            self.w, self.parts = functions.Variable(1.0), [Dense(2), functions.Variable(2, trainable=False)]

    module = Linear()
    module.parts[0].build((None, 3))
    assert len(module.variables) == 4
    assert len(module.trainable_variables) == 3
    assert module.name == "linear"


def test_datasets_have_what_loops_use():
    numbers = data.Dataset.range(5)
    assert [int(i) for i in numbers.flat_map(lambda i: data.Dataset.from_tensors(i).repeat(int(i)))][:3] == [1, 2, 2]
    assert [(int(a), int(b)) for a, b in data.Dataset.zip((numbers, numbers.skip(1)))][-1] == (3, 4)
    assert numbers.reduce(0, lambda a, b: a + b) == 10
    made = data.Dataset.from_generator(lambda: iter([(1, [2.0])]), output_types=("int32", "float32"))
    (first, second) = next(iter(made.prefetch(data.AUTOTUNE)))
    assert (first.dtype, second.numpy().tolist()) == ("int32", [2.0])
    turns = numbers.take(2).interleave(lambda i: data.Dataset.from_tensor_slices([int(i)] * 2), cycle_length=2)
    assert [int(i) for i in turns] == [0, 1, 0, 1]
    data.Options().experimental_distribute.auto_shard_policy = 1


def test_checkpoints_keep_what_a_loop_trains(tmp_path):
    def parts():
        model, steps = Sequential([Dense(1, input_dim=2)]), functions.Variable(0)
        optimizer = optimizers.Adam(0.1)
        return model, optimizer, steps, checkpoints.Checkpoint(net=model, optimizer=optimizer, steps=steps)

    model, optimizer, steps, checkpoint = parts()
    manager = checkpoints.CheckpointManager(checkpoint, tmp_path / "ckpts", max_to_keep=1)
    assert manager.restore_or_initialize() is None
    for _ in range(2):
        with GradientTape() as tape:
            loss = K.sum(model(np.float32([[1, 2]])))
        optimizer.apply_gradients(
            [(g, w) for g, w in zip(tape.gradient(loss, model.weights), model.weights, strict=True)]
        )
        steps.assign_add(1)
        saved = manager.save()
    assert manager.checkpoints == [saved] == [str(tmp_path / "ckpts" / "ckpt-2")]
    other, another, count, second = parts()
    second.restore(checkpoints.latest_checkpoint(tmp_path / "ckpts")).expect_partial()
    assert int(count) == 2
    for mine, its in ((model.weights, other.weights), (optimizer.variables(), another.variables())):
        assert [v.numpy().tolist() for v in mine] == [v.numpy().tolist() for v in its]
    with pytest.raises(ArgumentError, match="there is none"):
        second.restore(str(tmp_path / "nothing"))


def test_summaries_of_a_loop_are_read_by_tensorboard(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    writer = summaries.create_file_writer(tmp_path)
    with writer.as_default(step=7):
        assert summaries.scalar("loss", functions.constant(0.5))
        assert summaries.image("drawn", np.zeros((1, 2, 2, 1)), step=8)
    assert not summaries.scalar("loss", 1.0)  # no writer
    found = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, list(event.tensor_proto.float_val) or event.tensor_proto.tensor_content)
            for event in found.Tensors("loss")] == [(7, [0.5])]  # fmt: skip


def test_checks_and_draws():
    assert random.categorical(functions.constant([[0.0, 50.0], [50.0, 0.0]]), 3).numpy().tolist() == [[1] * 3, [0] * 3]
    assert sorted(random.shuffle(functions.range(4)).numpy()) == [0, 1, 2, 3]
    checks.assert_less(functions.constant(1.0), 2.0)
    with pytest.raises(ArgumentError, match=r"too large: expected x <= y"):
        checks.assert_less_equal(functions.constant([1.0, 3.0]), 2.0, "too large")
    with pytest.raises(ArgumentError, match="NaN"):
        checks.check_numerics(functions.constant(float("nan")), "loss")


def test_constants_that_are_made_while_a_tape_records_have_values(backend):
    x = functions.constant([[1.0, 2.0, 3.0]])
    with GradientTape() as tape:
        tape.watch(x)
        y = x * functions.constant(2.0)
        place = functions.constant(1, dtype="int32")
        chosen = y[:, place]
    assert int(place.numpy()) == 1
    assert functions.convert_to_tensor(3).numpy() == 3
    assert tape.gradient(chosen, x).numpy().tolist() == [[0.0, 2.0, 0.0]]
