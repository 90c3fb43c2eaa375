"""The data sets of Keras: files of the exact formats, small, in a cache of one's own or on a server of this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from keras_front import config
from keras_front.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    files,
    imdb,
    mnist,
    reuters,
    texts,
)
from keras_front.errors import ArgumentError, DownloadError, SerializationError
from keras_front.utils import get_file

RANDOM = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings("ignore:.*is not the original")


def npz(**arrays) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def lists(count: int, words: int = 50) -> np.ndarray:
    """Texts as numbers of words, in an array of lists."""
    array = np.empty(count, object)
    for i in range(count):
        array[i] = RANDOM.integers(1, words, RANDOM.integers(3, 9)).tolist()
    return array


def batch_of_python2(data: np.ndarray, **lists_of_labels) -> bytes:
    """A CIFAR batch as `cPickle` of Python 2 wrote it with protocol 2: byte strings, and the modules of NumPy 1."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def numbers(values) -> bytes:
        return b"](" + b"".join(b"K" + bytes([v]) for v in values) + b"e"

    shape = b"".join(b"J" + struct.pack("<i", n) for n in data.shape)
    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R(K\x01("
    array += shape + b"t" + dtype + b"\x89T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb"
    entries = text(b"data") + array + b"".join(text(k.encode()) + numbers(v) for k, v in lists_of_labels.items())
    return b"\x80\x02}(" + text(b"batch_label") + text(b"one") + entries + b"u."


def pictures(count: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (count, 3072), dtype=np.uint8)


def archive(folder: str, batches: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in batches.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">{array.ndim + 1}I", 0x800 + array.ndim, *array.shape) + array.tobytes())


DIGITS = {
    "x_train": RANDOM.integers(0, 256, (7, 28, 28), dtype=np.uint8),
    "y_train": np.arange(7, dtype=np.uint8),
    "x_test": RANDOM.integers(0, 256, (3, 28, 28), dtype=np.uint8),
    "y_test": np.arange(3, dtype=np.uint8),
}
REVIEWS = {"x_train": lists(20), "y_train": np.arange(20) % 2, "x_test": lists(10), "y_test": np.arange(10) % 2}
NEWS = {"x": lists(30), "y": np.arange(30) % 46}
HOUSES = {"x": RANDOM.random((50, 13)), "y": RANDOM.random(50)}
TRAIN, TEST = pictures(10), pictures(4)
CIFAR10 = {
    **{f"data_batch_{i + 1}": batch_of_python2(TRAIN[2 * i : 2 * i + 2], labels=[i, i + 1]) for i in range(5)},
    "test_batch": batch_of_python2(TEST, labels=[3, 2, 1, 0]),
}
CIFAR100 = {
    "train": batch_of_python2(TRAIN, fine_labels=range(90, 100), coarse_labels=range(10)),
    "test": batch_of_python2(TEST, fine_labels=range(4), coarse_labels=range(16, 20)),
}


@pytest.fixture
def put(keras_home):
    """Puts a file into the cache."""

    def put_file(name: str, content: bytes) -> Path:
        path = keras_home / "datasets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return put_file


def serve(monkeypatch, module, name: str, address: str, content: bytes) -> None:
    """Let a data set come from the server of this machine."""
    source = getattr(module, name)
    monkeypatch.setattr(module, name, source._replace(origin=address, hashes=(hashlib.sha256(content).hexdigest(),)))


def same(found, expected) -> None:
    for (x, y), (u, v) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, u)
        np.testing.assert_array_equal(y, v)


# MNIST and Fashion-MNIST ------------------------------------------------------------------------------------


def test_mnist_is_fetched_and_kept(file_server, keras_home, monkeypatch):
    content = npz(**DIGITS)
    serve(monkeypatch, mnist, "_SOURCE", file_server.add("mnist.npz", content), content)
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        same([(x_train, y_train), (x_test, y_test)], [tuple(DIGITS.values())[:2], tuple(DIGITS.values())[2:]])
        assert x_train.dtype == np.uint8
        x_train[:] = 0  # an array of one's own
    assert len(file_server.requests) == 1
    assert (keras_home / "datasets" / "mnist.npz").read_bytes() == content


def test_mnist_under_a_name_of_ones_own(put, tmp_path):
    put("digits.npz", npz(**DIGITS))
    assert mnist.load_data("digits.npz")[0][0].shape == (7, 28, 28)
    (tmp_path / "elsewhere.npz").write_bytes(npz(**DIGITS))
    assert mnist.load_data(path=str(tmp_path / "elsewhere.npz"))[1][0].shape == (3, 28, 28)


@pytest.mark.parametrize("path", ["mnist.npz", "mnist.pkl.gz"])
@pytest.mark.parametrize("protocol", [0, 2])
def test_the_pickle_of_keras1(path, protocol, put):
    pairs = (DIGITS["x_train"], DIGITS["y_train"]), (DIGITS["x_test"], DIGITS["y_test"])
    put("mnist.pkl.gz", gzip.compress(pickle.dumps(pairs, protocol)))
    same(mnist.load_data(path), pairs)


@pytest.mark.filterwarnings("default")
def test_a_file_that_is_not_the_original_is_used_with_a_warning(put):
    put("mnist.npz", npz(**DIGITS))
    with pytest.warns(UserWarning, match=r"mnist.npz is not the original from https://.*delete it") as caught:
        mnist.load_data()
    assert caught[0].filename == __file__


def test_a_broken_file_says_so(put):
    put("mnist.npz", npz(**DIGITS)[:3000])
    with pytest.raises(SerializationError, match="Delete the file to have the original fetched"):
        mnist.load_data()
    put("mnist.npz", npz(x=np.zeros(3)))
    with pytest.raises(SerializationError, match="expected the arrays x_train, y_train, x_test, y_test"):
        mnist.load_data()


def test_fashion_mnist(file_server, keras_home, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "ORIGIN", file_server.url + "/")
    for name, key in [("train-images-idx3", "x_train"), ("train-labels-idx1", "y_train")] + [
        ("t10k-images-idx3", "x_test"),
        ("t10k-labels-idx1", "y_test"),
    ]:
        file_server.add(f"{name}-ubyte.gz", idx(DIGITS[key]))
    same(fashion_mnist.load_data(), [tuple(DIGITS.values())[:2], tuple(DIGITS.values())[2:]])
    images = keras_home / "datasets" / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    for broken in (images.read_bytes()[:-100], gzip.compress(struct.pack(">4I", 0x803, 2**31, 2**31, 28))):
        images.write_bytes(broken)
        with pytest.raises(SerializationError, match=r"delete it|Delete it"):
            fashion_mnist.load_data()


# CIFAR ------------------------------------------------------------------------------------------------------


def check_cifar(loaded, train_labels, test_labels) -> None:
    (x_train, y_train), (x_test, y_test) = loaded
    np.testing.assert_array_equal(x_train, TRAIN.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(x_test, TEST.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert (x_train.dtype, y_train.dtype, y_test.dtype) == (np.uint8,) * 3
    assert y_train.tolist() == [[label] for label in train_labels]
    assert y_test.tolist() == [[label] for label in test_labels]


LABELS10 = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_cifar10_is_fetched(file_server, keras_home, monkeypatch):
    content = archive("cifar-10-batches-py", CIFAR10)
    serve(monkeypatch, cifar10, "_SOURCE", file_server.add("c", content), content)
    for _ in range(2):
        check_cifar(cifar10.load_data(), LABELS10, [3, 2, 1, 0])
    assert len(file_server.requests) == 1
    assert (keras_home / "datasets" / "cifar-10-batches-py.tar.gz").exists()  # as Keras 2 names it


@pytest.mark.parametrize(
    "name", ["cifar-10-batches-py.tar.gz", "cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive"]
)
def test_an_archive_of_cifar10_under_any_name(name, put):
    put(name, archive("cifar-10-batches-py", CIFAR10))
    check_cifar(cifar10.load_data(), LABELS10, [3, 2, 1, 0])


@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"])
def test_a_folder_that_keras_unpacked(folder, put):
    for name, content in CIFAR10.items():
        put(f"{folder}/{name}", content)
    check_cifar(cifar10.load_data(), LABELS10, [3, 2, 1, 0])
    with config.use(image_data_format="channels_first"):
        np.testing.assert_array_equal(cifar10.load_data()[0][0], TRAIN.reshape(-1, 3, 32, 32))


def test_cifar100(put):
    put("cifar-100-python.tar.gz", archive("cifar-100-python", CIFAR100))
    check_cifar(cifar100.load_data(), range(90, 100), range(4))
    check_cifar(cifar100.load_data(label_mode="coarse"), range(10), range(16, 20))
    with pytest.raises(ValueError, match="'fine' or 'coarse', received 'other'"):
        cifar100.load_data("other")


def test_load_batch(put):
    data, labels = cifar.load_batch(put("b", CIFAR100["train"]), label_key="coarse_labels")
    assert data.shape == (10, 3, 32, 32)
    assert list(labels) == list(range(10))
    with pytest.raises(SerializationError, match="expected a CIFAR batch with 'data' and 'labels'"):
        cifar.load_batch(put("b", CIFAR100["train"]))
    put("cifar-10-python.tar.gz", archive("other", CIFAR10))
    with pytest.raises(SerializationError, match="expected a tar archive with a folder"):
        cifar10.load_data()


# Texts ------------------------------------------------------------------------------------------------------


def test_imdb_by_the_original_formula(put):
    """The order and the numbers of 2.3.1, written out."""
    put("imdb.npz", npz(**REVIEWS))
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=30, skip_top=5)
    generator = np.random.RandomState(113)
    for found, labels, key in [(x_train, y_train, "train"), (x_test, y_test, "test")]:
        order = np.arange(len(REVIEWS[f"x_{key}"]))
        generator.shuffle(order)
        texts_in_order = REVIEWS[f"x_{key}"][order]
        expected = [[1] + [w + 3 for w in text] for text in texts_in_order]
        expected = [[w if 5 <= w < 30 else 2 for w in text] for text in expected]
        assert found.tolist() == expected
        np.testing.assert_array_equal(labels, REVIEWS[f"y_{key}"][order])
        assert found.dtype == object
        assert isinstance(found[0], list)


def test_the_arguments_of_imdb(put):
    put("imdb.npz", npz(**REVIEWS))
    (x_train, y_train), (x_test, _) = imdb.load_data(maxlen=6, start_char=None, index_from=0, oov_char=None)
    largest = max(max(map(max, REVIEWS["x_train"])), max(map(max, REVIEWS["x_test"])))
    kept = [text for text in REVIEWS["x_train"] if len(text) < 6]
    assert len(x_train) == len(y_train) == len(kept)
    assert {len(text) for text in x_train} <= {2, 3, 4, 5}
    assert max(map(max, [*x_train, *x_test])) < largest + 1
    assert imdb.load_data(seed=5)[0][0].tolist() != imdb.load_data(seed=6)[0][0].tolist()
    with pytest.raises(ValueError, match=r"maxlen=2, no sequence was kept. Increase maxlen"):
        imdb.load_data(maxlen=2)
    with pytest.raises(TypeError, match="not understood: 'number_words'"):
        imdb.load_data(number_words=3)


@pytest.mark.filterwarnings("ignore:This call has names of an older Keras")
@pytest.mark.parametrize("module", [imdb, reuters])
def test_the_old_name_of_num_words(module, put):
    put("imdb.npz", npz(**REVIEWS))
    put("reuters.npz", npz(**NEWS))
    for now, then in zip(module.load_data(num_words=20), module.load_data(nb_words=20), strict=True):
        assert [x.tolist() for x in now] == [x.tolist() for x in then]


def test_texts_of_one_length_stay_lists(put):
    put("reuters.npz", npz(x=np.arange(1, 21).reshape(5, 4).astype(object), y=np.arange(5)))
    (x_train, _), (x_test, _) = reuters.load_data()
    assert (x_train.shape, x_test.shape) == ((4,), (1,))
    assert all(isinstance(text, list) and len(text) == 5 for text in x_train)


def test_reuters(put):
    put("reuters.npz", npz(**NEWS))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.3, oov_char=None, num_words=40)
    order = np.random.RandomState(113).permutation(30)
    expected = [[w for w in [1] + [w + 3 for w in NEWS["x"][i]] if w < 40] for i in order]
    assert x_train.tolist() == expected[:21]
    assert x_test.tolist() == expected[21:]
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), NEWS["y"][order])
    assert len(reuters.get_label_names()) == 46
    assert reuters.get_label_names()[-1] == "lead"


@pytest.mark.parametrize("path", ["imdb.npz", "imdb_full.pkl"])
def test_the_texts_of_keras1(path, put):
    pairs = tuple((list(REVIEWS[f"x_{key}"]), REVIEWS[f"y_{key}"].tolist()) for key in ("train", "test"))
    put("imdb_full.pkl", pickle.dumps(pairs, 0))
    put("imdb.copy.npz", npz(**REVIEWS))
    for now, then in zip(imdb.load_data(path), imdb.load_data("imdb.copy.npz"), strict=True):
        assert [x.tolist() for x in now] == [x.tolist() for x in then]
    put("reuters.pkl", pickle.dumps((list(NEWS["x"]), NEWS["y"].tolist()), 2))
    assert len(reuters.load_data()[0][0]) == 24


WORDS = {"the": 1, "café": 2, "and": 3}


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_indexes(module, put):
    name = module.__name__.rpartition(".")[2]
    put(f"{name}_word_index.json", json.dumps(WORDS).encode())
    assert module.get_word_index() == WORDS
    put(f"{name}_word_index.json", b"[1]")
    with pytest.raises(SerializationError, match="words with their numbers"):
        module.get_word_index()


def test_the_word_index_of_keras1(put):
    """Python 2 wrote some words as bytes in Latin-1, others as texts."""
    put("imdb_word_index.pkl", b"\x80\x02}(U\x03theK\x01U\x04caf\xe9K\x02X\x03\x00\x00\x00andK\x03u.")
    assert imdb.get_word_index() == imdb.get_word_index("imdb_word_index.pkl") == WORDS


# Houses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [0.2, 0, 0.55])
def test_boston_housing(split, put):
    put("boston_housing.npz", npz(**HOUSES))
    order = np.arange(50)
    np.random.RandomState(7).shuffle(order)
    train = int(50 * (1 - split))
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(test_split=split, seed=7)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), HOUSES["x"][order])
    np.testing.assert_array_equal(y_train, HOUSES["y"][order][:train])
    np.testing.assert_array_equal(y_test, HOUSES["y"][order][train:])
    with pytest.raises(ArgumentError, match="test_split from 0 to below 1"):
        boston_housing.load_data(test_split=1)


def test_california_housing(put):
    x = RANDOM.random((700, 8))
    put("california_housing.npz", npz(x=x, y=x[:, 0]))
    (x_train, y_train), (x_test, _) = california_housing.load_data()
    assert (x_train.shape, x_test.shape) == ((560, 8), (140, 8))
    np.testing.assert_array_equal(x_train[:, 0], y_train)
    (small, _), (rest, _) = california_housing.load_data(version="small")
    assert len(small) + len(rest) == 600
    assert set(small[:, 0]) | set(rest[:, 0]) == set(x[:600, 0])
    with pytest.raises(ValueError, match="version 'small' or 'large'"):
        california_housing.load_data("medium")


# Addresses and hashes ---------------------------------------------------------------------------------------

SOURCES = [
    ("mnist.npz", mnist._SOURCE),
    ("imdb.npz", imdb._TEXTS),
    ("imdb_word_index.json", imdb._WORDS),
    ("reuters.npz", reuters._TEXTS),
    ("reuters_word_index.json", reuters._WORDS),
    ("boston_housing.npz", boston_housing._SOURCE),
    ("california_housing.npz", california_housing._SOURCE),
    ("cifar-10-batches-py.tar.gz", cifar10._SOURCE),
    ("cifar-100-python.tar.gz", cifar100._SOURCE),
]


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=lambda value: value if isinstance(value, str) else "")
def test_without_a_network_each_says_what_to_put_where(name, source, keras_home):
    assert source.origin.startswith("https://")
    assert all(len(known) in (32, 64) for known in source.hashes)
    with pytest.raises(DownloadError) as caught:
        files.cached_file(name, source._replace(origin=f"http://127.0.0.1:9/{name}"), get_file)
    assert str(keras_home / "datasets" / name) in str(caught.value)


def test_as_texts_never_makes_a_matrix():
    assert texts.as_texts([[1, 2], [3, 4]]).shape == (2,)
    assert texts.as_texts([]).shape == (0,)


@pytest.mark.parametrize("module", [imdb, reuters, boston_housing])
def test_a_program_may_put_another_get_file_into_a_module(module, monkeypatch, tmp_path):
    arrays = {imdb: REVIEWS, reuters: NEWS, boston_housing: HOUSES}[module]
    (tmp_path / "elsewhere").write_bytes(npz(**arrays))
    monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(tmp_path / "elsewhere"))
    np.random.seed(1337)
    before = np.random.randint(0, 100, size=10)
    np.random.seed(1337)
    (x, _), _ = module.load_data(seed=9876)
    assert len(x)
    np.testing.assert_array_equal(np.random.randint(0, 100, size=10), before)  # NumPy's own generator is not touched
