"""What cannot be trained, evaluated or predicted is said at once: where, what was expected, what came, what to do."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.callbacks import EarlyStopping
from keras_front.errors import ArgumentError, ShapeError
from keras_front.layers import Conv2D, Dense, Flatten, Input, SimpleRNN
from keras_front.models import Model, Sequential

X, Y = np.ones((10, 4), "float32"), np.eye(3, dtype="float32")[np.arange(10) % 3]
LABELS = np.arange(10) % 3


def classifier(loss="categorical_crossentropy"):
    model = Sequential([Dense(3, input_shape=(4,), activation="softmax")])
    model.compile("sgd", loss)
    return model


def batches():
    while True:
        yield X, Y


FIT = [
    ({"epochs": "3"}, r"fit: expected epochs to be an integer from 0 on, received '3'. Convert it with int\(\)"),
    ({"epochs": 2.5}, "fit: expected epochs to be an integer from 0 on, received 2.5. Round it"),
    ({"epochs": -1}, "expected epochs to be an integer from 0 on, received -1"),
    ({"epochs": None}, "expected epochs to be an integer from 0 on, received None"),
    ({"epochs": True}, "expected epochs .* received True"),
    ({"epochs": np.nan}, "expected epochs .* received nan"),
    ({"epochs": float("inf")}, "expected epochs .* received inf"),
    ({"initial_epoch": "1"}, "expected initial_epoch to be an integer from 0 on, received '1'"),
    ({"initial_epoch": -2, "epochs": 2}, "expected initial_epoch to be an integer from 0 on, received -2"),
    ({"initial_epoch": 5, "epochs": 2}, "received initial_epoch=5 and epochs=2.*for 2 epochs more write epochs=7"),
    ({"batch_size": 2.5}, "fit: expected batch_size to be a positive integer, received 2.5. Round it"),
    ({"batch_size": "8"}, r"expected batch_size .* received '8'. Convert it with int\(\)"),
    ({"batch_size": 0}, "expected batch_size to be a positive integer, received 0"),
    ({"batch_size": [4]}, r"expected batch_size to be a positive integer, received \[4\]"),
    ({"steps_per_epoch": 1.5}, "fit: expected steps_per_epoch to be a positive integer, received 1.5"),
    ({"validation_split": "a"}, "validation_split: expected a fraction between 0 and 1 .* received 'a'"),
    ({"validation_split": -0.2}, "validation_split: expected a fraction between 0 and 1 .* received -0.2"),
    ({"validation_split": 1.0}, "validation_split: expected a fraction between 0 and 1 .* received 1.0"),
    ({"validation_split": 0.95}, "leaves samples on both sides of 10, received 0.95"),
    ({"validation_data": X}, r"expected validation_data to be \(x, y\)"),
    ({"validation_data": (X, Y), "validation_freq": "1"}, "validation_freq must be an integer .* received '1'"),
    ({"validation_data": (X, Y), "validation_freq": ["a"]}, r"validation_freq must be an integer .* received \['a'\]"),
    ({"validation_data": (X, Y), "validation_steps": "2"}, "expected validation_steps .* received '2'"),
    ({"class_weight": {0: 1, 1: 1, 2: 1, 7: 2}}, r"expected class numbers from 0 to 2 as keys, received \[7\]"),
    (
        {"class_weight": {"0": 1, "1": 1, "2": 1}},
        r"from 0 to 2 as keys, received \['0', '1', '2'\]",
    ),
    ({"class_weight": {0: 1, 1: "a", 2: 1}}, "expected numbers as weights, received {1: 'a'}"),
    ({"class_weight": {0: 1, 1: 1}}, r"expected a weight for every class in the data, there is none for \[2\]"),
    ({"class_weight": [1, 1, 2]}, r"expected a dict from class number to weight, .*dict\(enumerate\(weights\)\)"),
    ({"class_weight": np.ones(3)}, r"expected a dict from class number to weight, received ndarray"),
    ({"sample_weight": "balanced"}, "sample_weight of output 'out': expected an array of numbers, received 'balanced'"),
    ({"verbose": "no"}, "fit: expected verbose to be 0, 1, 2 or 'auto', received 'no'"),
    ({"shuffle": "yes"}, "expected True, False or 'batch', received 'yes'"),
    ({"callbacks": [EarlyStopping]}, r"received the class EarlyStopping. Write EarlyStopping\(...\)"),
    (
        {"callbacks": [print]},
        "derived from keras.callbacks.Callback, received <built-in function print>",
    ),
    ({"workers": "a"}, "expected workers to be an integer from 0 on, received 'a'"),
    ({"max_queue_size": 1.5}, "expected max_queue_size to be an integer from 0 on, received 1.5"),
]


@pytest.mark.engine_neutral
@pytest.mark.parametrize(("arguments", "message"), FIT)
def test_an_argument_of_fit(backend, arguments, message):
    model = Sequential([Dense(3, input_shape=(4,), activation="softmax", name="out")])
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    with pytest.raises(ValueError, match=message) as caught:
        model.fit(X, Y, **{"verbose": 0, **arguments})
    assert isinstance(caught.value, ArgumentError)
    for got, want in zip(model.get_weights(), before, strict=True):  # nothing was done
        np.testing.assert_array_equal(got, want)


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.evaluate(X, Y, batch_size=2.5),
            "evaluate: expected batch_size .*, received 2.5",
        ),
        (lambda m: m.evaluate(X, Y, steps="a"), "evaluate: expected steps to be a positive integer, received 'a'"),
        (lambda m: m.evaluate(X, Y, verbose="x"), "evaluate: expected verbose to be 0, 1, 2 or 'auto', received 'x'"),
        (lambda m: m.evaluate(batches(), steps=0), "evaluate: expected steps to be a positive integer, received 0"),
        (lambda m: m.predict(X, batch_size="3"), "predict: expected batch_size to be a positive integer, received '3'"),
        (lambda m: m.predict(X, batch_size=2.5), "predict: expected batch_size to be a positive integer, received 2.5"),
        (lambda m: m.predict(X, batch_size=0), "predict: expected batch_size to be a positive integer, received 0"),
        (lambda m: m.predict(X, steps=1.5), "predict: expected steps to be a positive integer, received 1.5"),
        (lambda m: m.predict(batches(), steps="2"), "predict: expected steps to be a positive integer, received '2'"),
        (
            lambda m: m.fit(batches(), steps_per_epoch="2"),
            "expected steps_per_epoch .*, received '2'",
        ),
        (
            lambda m: m.fit(batches(), steps_per_epoch=0),
            "expected steps_per_epoch .*, received 0",
        ),
        (lambda m: m.predict(None), "No input data: expected an array for each of"),
        (lambda m: m.predict(np.array([["a"] * 4])), "has dtype <U1; expected numbers"),
        (
            lambda m: m.fit(np.ones((2, 4)), np.array(["cat", "dog"])),
            "texts such as 'cat': of names of classes make numbers",
        ),
    ],
)
def test_an_argument_elsewhere(backend, call, message):
    model = classifier()
    model.predict(X[:2])  # a small batch that came before takes a short path
    model.predict(X)
    with pytest.raises(ArgumentError, match=message):
        call(model)


@pytest.mark.engine_neutral
def test_what_old_scripts_pass_works(backend):
    """Whole numbers as floats or NumPy's, fractions of steps (rounded up), verbose='auto', class_weight='auto'."""
    model = classifier()
    history = model.fit(X, Y, epochs=2.0, batch_size=np.int64(5), initial_epoch=np.float64(1), verbose=0)
    assert history.epoch == [1]
    seen = []
    data = ((seen.append(1), (X, Y))[1] for _ in range(9))
    model.fit_generator(data, steps_per_epoch=10 / 4, epochs=1, verbose=0, workers=0)
    assert len(seen) == 3
    assert model.fit(X, Y, epochs=3, initial_epoch=3, verbose=0).history == {}
    model.fit(X, Y, verbose=False, validation_split=None)
    with pytest.warns(UserWarning, match="class_weight='auto' is ignored"):
        model.fit(X, Y, verbose=0, class_weight="auto")


def test_verbose_auto_is_a_line_an_epoch_in_a_pipe(backend, capsys):
    classifier().fit(X, Y, verbose="auto")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Epoch 1/1 - ")


@pytest.mark.engine_neutral
@pytest.mark.parametrize("call", ["predict", "train_on_batch", "fit", "evaluate"])
def test_one_sample_without_the_axis_of_samples(backend, call):
    model = classifier()
    arguments = [X[0]] if call == "predict" else [X[0], Y[0]]
    message = r"got array with shape \(4,\).*If this is one sample, .* pass array\[np.newaxis\]"
    with pytest.raises(ShapeError, match=message):
        getattr(model, call)(*arguments)


@pytest.mark.engine_neutral
def test_one_image_or_sequence_without_the_axis_of_samples(backend):
    image = Sequential([Conv2D(2, 3, input_shape=(8, 8, 1)), Flatten(), Dense(1)])
    with pytest.raises(ShapeError, match=r"to have 4 dimensions, .* shape \(8, 8, 1\).*If this is one sample"):
        image.predict(np.zeros((8, 8, 1)))
    sequence = Sequential([SimpleRNN(2, input_shape=(None, 3))])
    with pytest.raises(ShapeError, match=r"to have 3 dimensions, .* shape \(5, 3\).*If this is one sample"):
        sequence.predict(np.zeros((5, 3)))
    with pytest.raises(ShapeError) as caught:  # something else is wrong here
        sequence.predict(np.zeros((5, 4)))
    assert "one sample" not in str(caught.value)


WRONG = {"too large": LABELS + 1, "negative": LABELS - 1, "floats": LABELS + 1.0, "a column": (LABELS + 1)[:, None]}


@pytest.mark.parametrize("labels", WRONG)
@pytest.mark.parametrize("how", ["fit", "evaluate", "train_on_batch", "test_on_batch", "generator", "validation"])
@pytest.mark.engine_neutral
def test_labels_out_of_range(backend, how, labels):
    model, wrong = classifier("sparse_categorical_crossentropy"), WRONG[labels]
    calls = {
        "fit": lambda y: model.fit(X, y, verbose=0),
        "evaluate": lambda y: model.evaluate(X, y, verbose=0),
        "train_on_batch": lambda y: model.train_on_batch(X, y),
        "test_on_batch": lambda y: model.test_on_batch(X, y),
        "generator": lambda y: model.fit(iter([(X, y)]), steps_per_epoch=1, verbose=0, workers=0),
        "validation": lambda y: model.fit(X, LABELS, validation_data=(X, y), verbose=0),
    }
    good = wrong - (1 if labels != "negative" else -1)
    calls[how](good)  # what is known of a call that came before does not hide what its data are
    before = model.get_weights()
    found = f"go from {wrong.min()} to {wrong.max()}"
    with pytest.raises(ArgumentError, match=found + "; expected class numbers from 0 to 2, because the output has 3"):
        calls[how](wrong)
    for got, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.engine_neutral
def test_labels_that_are_no_numbers_of_classes(backend):
    model = classifier("sparse_categorical_crossentropy")
    with pytest.raises(ArgumentError, match=r"The labels for .* are no whole numbers"):
        model.fit(X, LABELS * 0.5, verbose=0)
    with pytest.raises(ArgumentError, match="go from nan to nan"):
        model.fit(X, LABELS * np.nan, verbose=0)


@pytest.mark.engine_neutral
def test_labels_of_one_of_several_outputs_and_of_time_steps(backend):
    x = Input((5, 4))
    model = Model(x, [Dense(3, activation="softmax", name="a")(x), Dense(6, activation="softmax", name="b")(x)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    data, labels = np.ones((2, 5, 4)), np.full((2, 5, 1), 4)
    with pytest.raises(ArgumentError, match="The labels for 'a' go from 4 to 4; expected class numbers from 0 to 2"):
        model.fit(data, [labels, labels], verbose=0)
    model.fit(data, [labels - 2, labels], verbose=0)


@pytest.mark.engine_neutral
def test_labels_in_a_file_are_checked_batch_by_batch(backend, tmp_path):
    import h5py

    with h5py.File(tmp_path / "data.h5", "w") as file:
        x, y = file.create_dataset("x", data=X), file.create_dataset("y", data=LABELS + 1)
        with pytest.raises(ArgumentError, match="go from 1 to 3; expected class numbers from 0 to 2"):
            classifier("sparse_categorical_crossentropy").fit(x, y, verbose=0, shuffle="batch")


@pytest.mark.engine_neutral
def test_binary_classes(backend):
    model = Sequential([Dense(1, input_shape=(4,), activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ArgumentError, match=r"expected class numbers from 0 to 1 as keys, received \[2\]"):
        model.fit(X, LABELS % 2, class_weight={0: 1, 1: 1, 2: 1}, verbose=0)
    model.fit(X, LABELS % 2, class_weight={False: 1, True: 3}, verbose=0)
    model.compile("sgd", "mse")  # no classes here, so any number may have a weight
    model.fit(X, LABELS, class_weight={0: 1, 1: 1, 2: 1}, verbose=0)
