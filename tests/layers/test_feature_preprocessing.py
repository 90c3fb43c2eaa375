"""What `adapt` learns, and what vocabularies do with words and integers."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.models import Sequential


def array(x):
    return K.to_numpy(x)


def test_normalization_learns_from_an_array_or_from_batches(backend):
    data = np.random.default_rng(0).normal(3, 2, (40, 5, 3)).astype("float32")
    whole, parts = L.Normalization(), L.Normalization()
    whole.adapt(data)
    parts.adapt(batch for batch in np.split(data, 4))
    got = array(whole(data))
    np.testing.assert_allclose(got.mean((0, 1)), np.zeros(3), atol=1e-4)
    np.testing.assert_allclose(got.std((0, 1)), np.ones(3), atol=1e-4)
    np.testing.assert_allclose(array(parts(data)), got, rtol=1e-4, atol=1e-5)
    given = L.Normalization(mean=data.mean((0, 1)), variance=data.var((0, 1)), invert=True)
    np.testing.assert_allclose(array(given(got)), data, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="both, or neither"):
        L.Normalization(mean=1.0)


FAR = np.random.default_rng(5).normal(1e9, 1, (3000, 4, 3))


@pytest.mark.parametrize("axis", [-1, (1, 2), (-1, 1), None])
def test_normalization_learns_from_data_far_from_zero(backend, axis):
    axes = () if axis is None else (axis,) if isinstance(axis, int) else axis
    rest = tuple(i for i in range(3) if i not in {a % 3 for a in axes})
    layer = L.Normalization(axis=axis, dtype="float64")
    layer.adapt(FAR)
    mean, variance, count = layer.get_weights()
    np.testing.assert_allclose(mean, FAR.mean(rest), rtol=1e-12)
    np.testing.assert_allclose(variance, (FAR - 1e9).var(rest), rtol=1e-6)
    assert count == FAR.size // mean.size
    wide = [n if i not in rest else 1 for i, n in enumerate(FAR.shape)]
    want = (FAR[:2] - mean.reshape(wide)) / np.sqrt(variance.reshape(wide))
    np.testing.assert_allclose(array(layer(FAR[:2])), want, atol=1e-5)


def test_normalization_joins_batches_of_any_size(backend):
    cuts = [0, 1, 1, 700, 2950]  # one row, none, many
    whole, parts, some = (L.Normalization(dtype="float64") for _ in range(3))
    whole.adapt(FAR)
    parts.adapt(iter(np.split(FAR, cuts)))
    np.testing.assert_allclose(parts.get_weights()[1], whole.get_weights()[1], rtol=1e-9)
    np.testing.assert_allclose(parts.get_weights()[0], whole.get_weights()[0], rtol=1e-14)

    def endless():
        while True:
            yield FAR[:10]

    some.adapt(endless(), steps=3)
    np.testing.assert_allclose(some.get_weights()[1], (FAR[:10] - 1e9).var((0, 1)), rtol=1e-6)
    assert some.get_weights()[2] == 120


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint8", "int64", "bool"])
def test_normalization_learns_from_every_type(backend, dtype):
    data = (np.random.default_rng(3).random((5000, 2)) * 100).astype(dtype)
    layer = L.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.get_weights()[0], data.astype("float64").mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[1], data.astype("float64").var(0), rtol=1e-5)


def test_adapt_forgets_what_it_saw_before(backend):
    layer = L.Normalization()
    layer.adapt(np.arange(8.0).reshape(4, 2))
    layer.adapt(np.ones((4, 2)))
    assert [w.tolist() for w in layer.get_weights()] == [[1, 1], [0, 0], 4]


def test_adapt_says_what_it_cannot_read():
    with pytest.raises(ValueError, match="received a masked array"):
        L.Normalization().adapt(np.ma.masked_array([[1.0]], [[True]]))
    with pytest.raises(ValueError, match="received int"):
        L.Normalization().adapt(3)
    with pytest.raises(RuntimeError, match="no data came"):
        L.Normalization().adapt(np.zeros((0, 2)))
    with pytest.raises(RuntimeError, match="received none"):
        L.Discretization(num_bins=2).adapt(iter(()))


def test_discretization_of_halves_is_not_rounded(backend):
    layer = L.Discretization(num_bins=2)
    layer.adapt(np.array([60000, 61000], "float16"))
    assert layer.bin_boundaries == [(float(np.float16(60000)) + float(np.float16(61000))) / 2]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_means_of_many_and_squares_of_large_numbers(backend, dtype):
    masked = L.GlobalAveragePooling1D(dtype=dtype)
    mean = masked.call(K.convert(np.full((1, 70000, 1), 2), dtype), mask=K.convert(np.arange(70000)[None] < 66000))
    np.testing.assert_allclose(array(mean), [[2.0]], rtol=1e-3)
    x = np.array([[1000.0, -3000.0, 2000.0]])
    got = array(L.RMSNormalization(dtype=dtype)(K.convert(x, dtype)))
    assert got.dtype == dtype
    np.testing.assert_allclose(got, x / np.sqrt(np.square(x).mean()), rtol=2e-3)


def test_discretization_makes_bins_of_equal_shares(backend):
    layer = L.Discretization(num_bins=4)
    data = np.arange(100, dtype="float32")
    layer.adapt(data)
    assert np.bincount(array(layer(data))).tolist() == [25] * 4
    assert array(L.Discretization([0.0, 1.0])(np.array([-1.0, 0.0, 0.5, 1.0]))).tolist() == [0, 1, 1, 2]
    assert L.Discretization.from_config(layer.get_config()).bin_boundaries == layer.bin_boundaries


def test_categories_in_every_mode(backend):
    codes = np.array([[1, 1], [2, 3]])
    assert array(L.CategoryEncoding(4)(codes)).tolist() == [[0, 1, 0, 0], [0, 0, 1, 1]]
    weighted = L.CategoryEncoding(4, "count")(codes, count_weights=np.array([[0.5, 2.0], [1.0, 1.0]]))
    assert array(weighted).tolist() == [[0, 2.5, 0, 0], [0, 0, 1, 1]]
    assert array(L.CategoryEncoding(3, "one_hot")(np.array([[1], [2]]))).tolist() == [[0, 1, 0], [0, 0, 1]]


def test_integers_there_and_back(backend):
    layer = L.IntegerLookup(vocabulary=[10, 20, 30])
    assert array(layer(np.array([10, 30, 5]))).tolist() == [1, 3, 0]
    assert layer.get_vocabulary() == [-1, 10, 20, 30]
    masked = L.IntegerLookup(vocabulary=[10, 20, 30], mask_token=0, num_oov_indices=2)
    assert array(masked(np.array([0, 10, 30, 5, 6]))).tolist() == [0, 3, 5, 2, 1]
    back = L.IntegerLookup(vocabulary=[10, 20, 30], invert=True)
    assert array(back(np.array([0, 1, 3, 9]))).tolist() == [-1, 10, 30, -1]
    learned = L.IntegerLookup(max_tokens=3)
    learned.adapt(np.array([[5, 5, 7], [7, 5, 9]]))
    assert learned.get_vocabulary() == [-1, 5, 7]


def test_strings_there_and_back(backend):
    layer = L.StringLookup()
    layer.adapt(["b", "a", "b", "c", "a", "b"])
    assert layer.get_vocabulary() == ["[UNK]", "b", "a", "c"]
    assert array(layer([["a", "x"], ["b", "c"]])).tolist() == [[2, 0], [1, 3]]
    again = L.StringLookup.from_config({**layer.get_config(), "invert": True})
    assert again([2, 0, 1]).tolist() == ["a", "[UNK]", "b"]
    masked = L.StringLookup(vocabulary=["a"], mask_token="")
    assert array(masked(["", "x", "a"])).tolist() == [0, 1, 2]
    counts = L.StringLookup(vocabulary=["a", "b"], output_mode="count")
    assert array(counts([["a", "a", "x"]])).tolist() == [[1, 2, 0]]


def test_texts_as_sequences_and_as_vectors(backend):
    texts = ["The cat, the dog!", "a dog"]
    layer = L.TextVectorization(output_sequence_length=5)
    layer.adapt(texts)
    assert layer.get_vocabulary()[:2] == ["", "[UNK]"]
    assert set(layer.get_vocabulary()[2:4]) == {"the", "dog"}
    codes = array(layer(["the bird", ""]))
    assert codes.shape == (2, 5)
    assert codes[0, 1] == 1
    assert codes[1].tolist() == [0] * 5
    pairs = L.TextVectorization(ngrams=2, vocabulary=["dog", "the dog"], output_mode="multi_hot")
    assert array(pairs([["the dog"], [""]])).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert L.TextVectorization.from_config(pairs.get_config()).get_config() == pairs.get_config()
    scores = L.TextVectorization(output_mode="tf_idf")
    scores.adapt(texts)
    dog = scores.get_vocabulary().index("dog")
    np.testing.assert_allclose(array(scores(["dog dog"]))[0, dog], 2 * np.log(1 + 2 / 3), rtol=1e-5)


@pytest.mark.backends("numpy")
def test_a_vocabulary_from_a_file_that_code_names(backend, tmp_path):
    (tmp_path / "words.txt").write_text("b\na b\n", encoding="utf-8")
    layer = L.StringLookup(vocabulary=str(tmp_path / "words.txt"))
    assert layer.get_vocabulary() == ["[UNK]", "b", "a b"]
    assert layer.get_config()["vocabulary"] == ["b", "a b"]
    (tmp_path / "numbers.txt").write_text("7\n3", encoding="utf-8")
    numbers = L.IntegerLookup()
    numbers.set_vocabulary(tmp_path / "numbers.txt")
    assert array(numbers(np.array([3, 7, 1]))).tolist() == [2, 1, 0]


@pytest.mark.backends("numpy")
def test_what_lookups_refuse(backend):
    with pytest.raises(ValueError, match="A file is not read"):
        L.StringLookup.from_config({"vocabulary": "words.txt"})
    with pytest.raises(ValueError, match="A file is not read"):
        L.IntegerLookup.from_config({"vocabulary": "https://example.com/words"})
    with pytest.raises(ValueError, match="unknown words"):
        L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"])
    with pytest.raises(TypeError, match="No backend has tensors of strings"):
        Sequential([L.Input((1,)), L.StringLookup(vocabulary=["a"])])
    with pytest.raises(RuntimeError, match="call adapt"):
        L.IntegerLookup()(np.array([1]))
