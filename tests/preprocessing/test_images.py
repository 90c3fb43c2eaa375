"""Images against what Keras-Preprocessing 1.1.2 answered, and what goes beyond it."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas
import pytest
import record_images as record

from keras_front import backend as K
from keras_front.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.preprocessing import image
from keras_front.utils import OrderedEnqueuer, image_utils, set_random_seed, to_categorical

RECORDED = np.load(record.FILE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("images")
        patch.chdir(path)
        record.make_folder()
    return path


@pytest.fixture
def names(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return record.names(image, record.make_table(pandas))


def test_every_answer_is_that_of_keras_preprocessing(names):
    assert record.LINES == RECORDED["lines"].tolist()
    parts = zip(record.LINES, RECORDED["texts"], np.split(RECORDED["numbers"], RECORDED["ends"][:-1]), strict=True)
    for line, text, numbers in parts:
        found_text, found = record.answer(line, names)
        assert found_text == text, line
        np.testing.assert_allclose(found, numbers, rtol=2e-5, atol=2e-4, err_msg=line)


@pytest.mark.parametrize("line", record.ERRORS)
def test_what_cannot_be_done_is_an_error(names, line):
    with pytest.raises((ValueError, TypeError, OSError, KeyError)):
        record.answer(line, names)


# Beyond Keras-Preprocessing ---------------------------------------------------------------------------


def test_a_missing_package_is_an_error_that_says_what_to_install(monkeypatch):
    image_utils.pillow.cache_clear()
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"Pillow.*keras-front\[image\]"):
        image.array_to_img(record.X[0])
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(ImportError, match=r"SciPy.*keras-front\[image\]"):
        image.apply_affine_transform(record.X[0], theta=1)


def test_neither_package_is_imported_before_it_is_needed():
    code = (
        "import sys\n"
        "from keras_front.preprocessing.image import ImageDataGenerator\n"
        "import numpy as np\n"
        "next(ImageDataGenerator(rescale=2.0, horizontal_flip=True).flow(np.ones((2, 3, 3, 1))))\n"
        "print([name for name in ('PIL', 'scipy', 'pandas', 'h5py') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_that_is_no_image_is_named(folder):
    with pytest.raises(OSError, match=r"text\.txt"):
        image.load_img(folder / "text.txt")
    with open(folder / "cats" / "0.png", "rb") as file:
        assert image.load_img(io.BytesIO(file.read())).size == (8, 9)
    with pytest.raises(ValueError, match="BytesIO"):
        image.load_img(3)


def test_an_iterator_over_nothing(tmp_path):
    assert next(image.Iterator(0, 32, False, 0).index_generator).size == 0
    flow = image.ImageDataGenerator().flow_from_directory(tmp_path, target_size=(4, 4), class_mode=None)
    assert (len(flow), flow.next().shape) == (0, (0, 4, 4, 3))


def test_names_of_keras_1():
    with pytest.warns(UserWarning, match="data_format"):
        generator = image.ImageDataGenerator(dim_ordering="th")
    assert (generator.data_format, generator.channel_axis) == ("channels_first", 1)
    with pytest.warns(UserWarning, match="x="):
        images = next(generator.flow(X=np.moveaxis(record.X, 3, 1), batch_size=2))
    assert images.shape == (2, 3, 9, 8)
    with pytest.warns(UserWarning, match="data_format"):
        assert image.img_to_array(record.X[0], dim_ordering="th").shape == (3, 9, 8)
    with pytest.warns(UserWarning, match="intensity_range"):
        assert image.random_channel_shift(record.X[0], intensity=3).shape == (9, 8, 3)
    with pytest.raises(TypeError, match="rotation_range"):
        image.ImageDataGenerator(rotation=3)
    turned = image.apply_transform(record.X[0], [[0, 1, 0], [1, 0, 0], [0, 0, 1]], channel_axis=2)
    np.testing.assert_array_equal(turned[:8], record.X[0].transpose(1, 0, 2)[:, :8])


def test_brightness_where_channels_are_first():
    settings = {"brightness_range": (0.5, 1.5), "rotation_range": 20, "horizontal_flip": True}
    last = image.ImageDataGenerator(**settings).random_transform(record.X[0], seed=1)
    first = image.ImageDataGenerator(**settings, data_format="channels_first")
    np.testing.assert_array_equal(first.random_transform(record.first(record.X[0]), seed=1), record.first(last))


def test_files_are_written_as_images_are_given(tmp_path):
    generator = image.ImageDataGenerator(horizontal_flip=True)
    batch = next(generator.flow(record.X, batch_size=3, save_to_dir=tmp_path, save_prefix="seen", seed=1))
    files = sorted(tmp_path.iterdir())
    assert [path.name.rpartition("_")[0] for path in files] == ["seen_1", "seen_2", "seen_6"]
    written = {int(path.name.split("_")[1]): image.img_to_array(image.load_img(path)) for path in files}
    shown = image.img_to_array(image.array_to_img(batch[0]))
    assert any(np.array_equal(shown, array) for array in written.values())


def test_whole_numbers_and_pickles():
    generator = image.ImageDataGenerator(rescale=0.5)
    assert generator.standardize(np.full((2, 2, 3), 8, "uint8")).max() == 4.0
    flow = generator.flow(record.X, record.Y, batch_size=3, shuffle=False)
    flow.next()
    again = pickle.loads(pickle.dumps(flow))
    np.testing.assert_array_equal(again[1][0], flow[1][0])
    np.testing.assert_array_equal(again[-1][1], record.Y[6:])


def test_several_threads_take_each_batch_once():
    flow = image.ImageDataGenerator().flow(np.arange(64.0).reshape(64, 1, 1, 1), batch_size=1, shuffle=False)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: int(flow.next()[0, 0, 0, 0]), range(128)))
    assert sorted(seen) == sorted([*range(64), *range(64)])


@pytest.mark.parametrize("processes", [False, True])
def test_workers_share_the_order_and_draw_anew_for_each_batch(processes):
    """Each image once a pass, and changed by chance, also where batches are made in processes."""
    images = np.zeros((12, 4, 4, 1)) + np.arange(12.0).reshape(12, 1, 1, 1)

    def passes():
        set_random_seed(5)
        flow = image.ImageDataGenerator(preprocessing_function=lambda x: x + np.random.rand() / 2).flow(images, None, 4)
        with OrderedEnqueuer(flow, use_multiprocessing=processes, epochs=2) as enqueuer:
            enqueuer.start(workers=2 if processes else 1)
            batches = [batch[:, 0, 0, 0] for batch in enqueuer.get()]
        return np.concatenate(batches).reshape(2, 12)

    found = passes()
    assert np.sort(np.floor(found)).tolist() == [list(range(12))] * 2
    drawn = np.sort(found) % 1
    assert len(np.unique(drawn)) == 24
    np.testing.assert_array_equal(found, passes())


def test_names_without_endings_and_proportions(folder, monkeypatch):
    monkeypatch.chdir(folder)
    table = pandas.DataFrame({"id": ["cats/0", "dogs/1"], "class": ["c", "d"]})
    settings = {"has_ext": False, "target_size": (4, 4), "keep_aspect_ratio": True, "shuffle": False}
    images, _ = image.ImageDataGenerator().flow_from_dataframe(table, ".", x_col="id", **settings).next()
    wanted = image.load_img("dogs/1.png").resize((4, 4), 0, box=(0, 0, 8, 8))
    np.testing.assert_array_equal(images[1], np.asarray(wanted))


def test_smart_resize_cuts_and_resizes(backend):
    wanted = K.to_numpy(K.resize(record.X[:, :, 1:7].astype("float32"), (3, 2), "bilinear", "channels_last"))
    np.testing.assert_allclose(image.smart_resize(record.X, (3, 2)), wanted, rtol=1e-5)
    first = image.smart_resize(np.moveaxis(record.X[0], 2, 0), (3, 2), data_format="channels_first")
    np.testing.assert_allclose(first, np.moveaxis(wanted[0], 2, 0), rtol=1e-5)
    assert image.smart_resize(record.X.astype("uint8"), (3, 2), "nearest").dtype == "uint8"


def test_dataframe_of_anything_with_columns(folder):
    table = {"filename": ["cats/0.png", "dogs/1.png"], "class": ["c", "d"]}
    flow = image.ImageDataGenerator().flow_from_dataframe(table, folder, target_size=(4, 4))
    assert flow.next()[1].shape == (2, 2)


# Programs of the time ---------------------------------------------------------------------------------


def small_net(classes):
    model = Sequential()
    model.add(Conv2D(4, (3, 3), activation="relu", input_shape=(9, 8, 3)))
    model.add(MaxPooling2D((2, 2)))
    model.add(Flatten())
    model.add(Dense(classes, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def test_training_with_augmentation(backend):
    y = to_categorical(record.Y, 3)
    generator = image.ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, rotation_range=20, horizontal_flip=True
    )
    generator.fit(record.X)
    model = small_net(3)
    flow = generator.flow(record.X, y, batch_size=4, seed=1)
    history = model.fit_generator(
        flow, steps_per_epoch=2, epochs=2, validation_data=flow, validation_steps=1, verbose=0
    )
    assert len(history.history["val_loss"]) == 2
    assert np.isfinite(model.fit(flow, epochs=1, verbose=0).history["loss"]).all()


def test_training_from_a_folder(backend, folder):
    generator = image.ImageDataGenerator(rescale=1.0 / 255, validation_split=0.4)
    settings = {"target_size": (9, 8), "batch_size": 2, "classes": ["cats", "dogs"]}
    train = generator.flow_from_directory(folder, subset="training", **settings)
    valid = generator.flow_from_directory(folder, subset="validation", **settings)
    model = small_net(2)
    model.fit_generator(train, steps_per_epoch=2, epochs=1, validation_data=valid, validation_steps=1, verbose=0)
    assert model.predict_generator(valid, steps=len(valid)).shape == (valid.samples, 2)
    assert len(model.evaluate_generator(valid, steps=len(valid))) == 2


def test_one_epoch_by_hand_as_old_scripts_write_it(backend):
    """`for batch in datagen.flow(...)` without end, left by `break`."""
    model, y = small_net(3), to_categorical(record.Y, 3)
    batches = 0
    for x_batch, y_batch in image.ImageDataGenerator(width_shift_range=0.1).flow(record.X, y, batch_size=4):
        model.train_on_batch(x_batch, y_batch)
        batches += 1
        if batches >= len(record.X) / 4 + 1:
            break
    assert batches == 3
