"""Datasets from folders and series against what tf_keras made of them, their methods, and training on them."""

from __future__ import annotations

import wave

import numpy as np
import pytest
import record_datasets as record

from keras_front import preprocessing, utils
from keras_front.errors import ArgumentError
from keras_front.layers import Dense, Embedding, Flatten, GlobalAveragePooling1D, Rescaling, TextVectorization
from keras_front.models import Sequential
from keras_front.utils.dataset import Dataset
from keras_front.utils.dataset_elements import TensorSpec

RECORDED = np.load(record.FILE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("datasets")
        patch.chdir(path)
        record.make_folder()
    return path


@pytest.fixture
def names(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return record.names(utils)


def test_every_dataset_is_that_of_tf_keras(names):
    assert record.LINES == RECORDED["lines"].tolist()
    parts = zip(record.LINES, RECORDED["texts"], np.split(RECORDED["numbers"], RECORDED["ends"][:-1]), strict=True)
    for line, text, numbers in parts:
        found_text, found = record.answer(line, names)
        assert found_text == text, line
        atol = 0.1 if "bicubic" in line else 2e-4  # TensorFlow looks the weights of 'bicubic' up in a table
        np.testing.assert_allclose(found, numbers, rtol=2e-5, atol=atol, err_msg=line)


@pytest.mark.parametrize("line", record.ERRORS)
def test_what_cannot_be_done_is_an_error(names, line):
    with pytest.raises((ValueError, OSError)):
        list(eval(line, names))


# Methods ----------------------------------------------------------------------------------------------


def numbers(dataset):
    return [np.asarray(element).tolist() for element in dataset]


def test_methods_change_the_elements():
    ds = Dataset.from_tensor_slices(np.arange(7))
    assert numbers(ds.batch(3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert numbers(ds.batch(3, drop_remainder=True)) == [[0, 1, 2], [3, 4, 5]]
    assert numbers(ds.batch(2).unbatch()) == numbers(ds) == list(range(7))
    assert numbers(ds.map(lambda x: x * 2).filter(lambda x: x > 5)) == [6, 8, 10, 12]
    assert numbers(ds.skip(2).take(3)) == [2, 3, 4]
    assert numbers(ds.take(2).repeat(2).concatenate(ds.take(1))) == [0, 1, 0, 1, 0]
    assert numbers(ds.shard(3, 1)) == [1, 4]
    assert [i for i, _ in ds.skip(5).enumerate()] == [0, 1]
    chained = [ds.batch(3), ds.take(9), ds.skip(9), ds.take(3).repeat(2), ds.shard(3, 1), ds.prefetch(1), ds.take(-1)]
    assert [len(d) for d in chained] == [3, 7, 0, 6, 2, 7, 7]
    assert ds.filter(bool).cardinality() == -2
    with pytest.raises(TypeError, match="not known"):
        len(ds.unbatch())
    with pytest.raises(ArgumentError, match="batch"):
        ds.batch(0)


def test_elements_are_nested_and_answer_numpy():
    ds = Dataset.from_tensor_slices(({"a": np.ones((4, 2)), "b": np.arange(4)}, np.arange(4.0))).batch(2)
    first, target = next(iter(ds.map(lambda x, y: (x, y + 1))))
    assert (first["a"].shape, first["b"].numpy().tolist(), target.tolist()) == ((2, 2), [0, 1], [1.0, 2.0])
    assert type(first["b"].numpy()) is np.ndarray
    a, b, targets = TensorSpec((None, 2), "float64"), TensorSpec((None,), "int64"), TensorSpec((None,), "float64")
    assert ds.element_spec == ({"a": a, "b": b}, targets)
    assert ds.unbatch().element_spec[0]["a"] == TensorSpec((2,), "float64")


def test_shuffling_follows_from_the_seed_and_changes_from_pass_to_pass():
    def make(**arguments):
        return Dataset.from_tensor_slices(np.arange(50)).shuffle(10, **arguments)

    ds, same = make(seed=1), make(seed=1)
    passes = [numbers(ds), numbers(ds)]
    assert passes == [numbers(same), numbers(same)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == list(range(50))
    assert max(abs(place - number) for place, number in enumerate(passes[0][:30])) < 50
    assert all(number < place + 10 for place, number in enumerate(passes[0]))  # none comes before it is in the buffer
    fixed = make(seed=1, reshuffle_each_iteration=False)
    assert numbers(fixed) == numbers(fixed)


def test_a_cache_makes_its_elements_once():
    made = []
    ds = Dataset.from_tensor_slices(np.arange(3)).map(lambda x: made.append(1) or x).cache()
    next(iter(ds))  # no whole pass
    made.clear()
    assert numbers(ds) == numbers(ds) == [0, 1, 2]
    assert len(made) == 3


def test_both_subsets_and_single_files(names, folder):
    train, valid = utils.image_dataset_from_directory(
        "images",
        image_size=(4, 4),
        subset="both",
        validation_split=0.3,
        seed=2,
        batch_size=None,
        label_mode="categorical",
    )
    assert (len(train), len(valid)) == (7, 2)
    assert set(train.file_paths).isdisjoint(valid.file_paths)
    picture, label = next(iter(train))
    assert (picture.shape, label.shape) == ((4, 4, 3), (4,))
    padded = utils.image_dataset_from_directory(
        "images",
        labels=None,
        shuffle=False,
        image_size=(12, 12),
        pad_to_aspect_ratio=True,
        data_format="channels_first",
    )
    batch = next(iter(padded))
    assert batch.shape == (9, 3, 12, 12)
    assert (batch[0, :, 0] == 0).all()  # 9 x 12 pixels: black above
    assert (batch[0, :, 4] > 0).any()


def test_sounds_of_other_widths_rates_and_files_that_are_none(tmp_path):
    (tmp_path / "a").mkdir()
    for width, name in ((1, "one"), (3, "three"), (4, "four")):
        with wave.open(str(tmp_path / "a" / f"{name}.wav"), "wb") as file:
            file.setparams((1, width, 8000, 0, "NONE", ""))
            file.writeframes(bytes([0] * (width - 1) + [64 if width > 1 else 192]) * 8)
    batch, _ = next(iter(utils.audio_dataset_from_directory(tmp_path, shuffle=False)))
    np.testing.assert_allclose(batch, np.full((3, 8, 1), 0.5), rtol=1e-6)
    faster, _ = next(iter(utils.audio_dataset_from_directory(tmp_path, shuffle=False, sampling_rate=16000)))
    assert faster.shape == (3, 16, 1)
    (tmp_path / "a" / "none.wav").write_text("no sound")
    with pytest.raises(ArgumentError, match=r"none\.wav"):
        list(utils.audio_dataset_from_directory(tmp_path))


def test_a_dataset_in_two_parts():
    x, y = np.arange(10), np.arange(10) * 2
    left, right = utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=1)
    assert (len(left), len(right)) == (7, 3)
    pairs = sorted((int(a), int(b)) for a, b in [*left, *right])
    assert pairs == list(zip(x.tolist(), y.tolist()))
    left, right = utils.split_dataset(Dataset.from_tensor_slices(x), right_size=2)
    assert numbers(right) == [8, 9]
    for sizes in ({}, {"left_size": 10}, {"left_size": 8, "right_size": 3}):
        with pytest.raises(ArgumentError, match="split_dataset"):
            utils.split_dataset(x, **sizes)


def test_places_where_programs_look_for_them():
    for name in ("image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array"):
        assert getattr(preprocessing, name) is getattr(utils, name)


# Training ---------------------------------------------------------------------------------------------


def net(shape, classes=1, activation=None):
    model = Sequential([Flatten(input_shape=shape), Dense(classes, activation=activation)])
    model.compile("sgd", "mse" if activation is None else "sparse_categorical_crossentropy")
    return model


def test_training_on_images_from_a_folder(backend, folder):
    settings = {"image_size": (6, 7), "batch_size": 4, "validation_split": 0.4, "seed": 1}
    train = utils.image_dataset_from_directory(folder / "images", subset="training", **settings)
    valid = utils.image_dataset_from_directory(folder / "images", subset="validation", **settings)
    train = train.map(lambda x, y: (x / 255, y)).cache().shuffle(100).prefetch(buffer_size=-1)
    model = net((6, 7, 3), 4, "softmax")
    history = model.fit(train, validation_data=valid.map(lambda x, y: (x / 255, y)), epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert model.predict(valid).shape == (3, 4)
    assert np.isfinite(model.evaluate(valid, verbose=0))


def test_an_epoch_is_a_pass_whether_its_length_is_known_or_not(backend):
    x, y = np.arange(12.0).reshape(12, 1) / 12, np.arange(12.0)
    arrays = net((1,))
    start = arrays.get_weights()
    arrays.fit(x, y, batch_size=5, epochs=3, shuffle=False, verbose=0)
    known = Dataset.from_tensor_slices((x, y)).batch(5)
    for ds in (known, known.unbatch().batch(5), known.map(lambda *batch: batch).filter(lambda x, y: True)):
        model = net((1,))
        model.set_weights(start)
        history = model.fit(ds, epochs=3, verbose=0)
        assert len(history.history["loss"]) == 3
        np.testing.assert_allclose(model.get_weights()[0], arrays.get_weights()[0], rtol=1e-5)
        assert model.predict(ds).shape == (12, 1)
        np.testing.assert_allclose(model.evaluate(ds, verbose=0), arrays.evaluate(x, y, verbose=0), rtol=1e-5)
    assert len(model.fit(known.repeat(), steps_per_epoch=2, epochs=2, verbose=0).history["loss"]) == 2
    assert len(model.fit(known, steps_per_epoch=2, epochs=4, verbose=0).history["loss"]) == 4  # begins anew


def test_anything_that_iterates_again_is_a_dataset(backend):
    class Batches:
        def __iter__(self):
            return iter([(np.ones((2, 3)), np.ones(2)), (np.ones((1, 3)), np.ones(1))])

    model = net((3,))
    assert len(model.fit(Batches(), epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(Batches()).shape == (3, 1)


@pytest.mark.backends("torch", "numpy")
def test_a_loader_of_torch_is_a_dataset(backend):
    data = pytest.importorskip("torch.utils.data")
    x = np.arange(30.0, dtype="float32").reshape(10, 3) / 30
    loader = data.DataLoader([(row, row.sum()) for row in x], batch_size=4)
    model, same = net((3,)), net((3,))
    same.set_weights(model.get_weights())
    model.fit(loader, epochs=2, verbose=0)
    same.fit(x, x.sum(1), batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], same.get_weights()[0], rtol=1e-4)
    np.testing.assert_allclose(model.predict(loader), same.predict(x), rtol=1e-4)


def test_a_dataset_without_batches_is_an_error(backend):
    model = net((3,))
    for empty in (Dataset(lambda: iter([]), 0), Dataset(lambda: iter([]))):
        with pytest.raises(ArgumentError, match="no data"):
            model.fit(empty, verbose=0)


def test_a_series_in_random_order(backend):
    windows = utils.timeseries_dataset_from_array(
        np.arange(30.0)[:, None], np.arange(30.0), 5, batch_size=8, shuffle=True
    )
    model = net((5, 1))
    model.optimizer.learning_rate = 1e-6
    assert np.isfinite(model.fit(windows, epochs=1, verbose=0).history["loss"]).all()


def test_the_bar_counts_batches_whose_number_nobody_knew(capsys):
    ds = Dataset.from_tensor_slices((np.ones((12, 3)), np.ones(12))).batch(5).filter(lambda x, y: True)
    model = net((3,))
    model.fit(ds, epochs=2, verbose=1)
    assert capsys.readouterr().out.count("3/3 [====") == 2


def test_layers_in_map_and_texts_as_in_tutorials(backend, folder):
    images = utils.image_dataset_from_directory(folder / "images", image_size=(6, 7), seed=1, batch_size=4)
    scale = Rescaling(1.0 / 255)
    batch, labels = next(iter(images.map(lambda x, y: (scale(x), y)).take(1)))
    assert batch[0].numpy().max() <= 1
    assert images.class_names[labels[0]] in ("ants", "cats", "dogs")
    texts = utils.text_dataset_from_directory(folder / "texts", batch_size=2, seed=3)
    numbers = TextVectorization(max_tokens=20, output_sequence_length=4)
    numbers.adapt(texts.map(lambda text, label: text))
    model = Sequential([Embedding(20, 4, input_length=4), GlobalAveragePooling1D(), Dense(1)])
    model.compile("adam", "mse")
    history = model.fit(texts.map(lambda text, label: (numbers(text), label)).cache(), epochs=2, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
