"""Files, texts, rows of different lengths and sparse tensors of the stand-in for TensorFlow, which prepare data."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.backend import eager_tensors
from keras_front.errors import ArgumentError, DtypeError, SerializationError, ShapeError
from keras_front.layers import Dense, StringLookup, TextVectorization
from keras_front.legacy.stand_in import calls, data, dtypes, functions, image_files, ragged, records, sparse, texts
from keras_front.legacy.stand_in.modules import StandIn
from keras_front.models import Sequential
from keras_front.utils.dataset_elements import TensorSpec

tf = StandIn("tensorflow")
Dataset = data.Dataset


def host(x):
    value = x.numpy() if hasattr(x, "numpy") else x
    return value.tolist() if hasattr(value, "tolist") else value


def lists(dataset):
    return [host(element) for element in dataset]


# Datasets -----------------------------------------------------------------------------------------------------


def test_batches_of_different_sizes_are_padded():
    ds = Dataset.from_generator(lambda: (list(range(i)) for i in range(1, 5)), "int64")
    assert lists(ds.padded_batch(2)) == [[[0, 0], [0, 1]], [[0, 1, 2, 0], [0, 1, 2, 3]]]
    padded = ds.padded_batch(3, padded_shapes=[5], padding_values=functions.constant(-1), drop_remainder=True)
    assert lists(padded) == [[[0, -1, -1, -1, -1], [0, 1, -1, -1, -1], [0, 1, 2, -1, -1]]]
    with pytest.raises(ShapeError, match="no larger than"):
        lists(ds.padded_batch(4, padded_shapes=[2]))
    with pytest.raises(ShapeError, match="2 axes"):
        lists(ds.padded_batch(4, padded_shapes=[2, 2]))
    pairs = ds.map(lambda x: ({"ids": x, "text": np.array(["a"] * len(x))}, len(x)))
    shapes = ({"ids": [None], "text": [None]}, [])
    (first, number), *_ = pairs.padded_batch(2, padded_shapes=shapes)
    assert host(first["ids"]) == [[0, 0], [0, 1]]
    assert host(first["text"]) == [[b"a", b""], [b"a", b"a"]]
    assert host(number) == [1, 2]


def test_windows_are_datasets():
    whole = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4], [4]]
    assert lists(Dataset.range(5).window(3, shift=1).flat_map(lambda w: w.batch(3))) == whole
    windows = Dataset.range(5).window(3, 1, drop_remainder=True)
    assert lists(windows.flat_map(lambda w: w.batch(3))) == whole[:3]
    assert len(windows) == 3
    assert [lists(w) for w in Dataset.range(7).window(2, 3, 2)] == [[0, 2], [3, 5], [6]]
    assert len(Dataset.range(7).window(2, 3, 2)) == 3
    parts = Dataset.zip((Dataset.range(4), Dataset.range(4, 8))).window(2)
    assert [(lists(a), lists(b)) for a, b in parts] == [([0, 1], [4, 5]), ([2, 3], [6, 7])]
    assert lists(next(iter(Dataset.from_tensor_slices({"a": [1, 2]}).window(2)))["a"]) == [1, 2]
    with pytest.raises(ArgumentError, match="at least 1"):
        Dataset.range(5).window(0)


def test_elements_are_grouped_by_a_key():
    grouped = Dataset.range(7).group_by_window(lambda x: x % 2, lambda key, ds: ds.batch(10), window_size=2)
    assert lists(grouped) == [[0, 2], [1, 3], [4, 6], [5]]
    rows = Dataset.from_generator(lambda: [[0], [1, 2], [3, 4, 5], [6, 7], [8]], "int64")
    bucketed = rows.bucket_by_sequence_length(len, [2, 4], [2, 2, 2], pad_to_bucket_boundary=True)
    assert lists(bucketed) == [[[1, 2, 0], [3, 4, 5]], [[0], [8]], [[6, 7, 0]]]
    with pytest.raises(ArgumentError, match="3 sizes"):
        rows.bucket_by_sequence_length(len, [2, 4], [2])
    with pytest.raises(ArgumentError, match="either"):
        rows.group_by_window(len, lambda key, ds: ds)


def test_datasets_are_mixed():
    zeros, ones = (Dataset.from_tensors(i).repeat() for i in (0, 1))
    drawn = lists(Dataset.sample_from_datasets([zeros, ones], [0.25, 0.75], seed=1).take(400))
    assert 250 < sum(drawn) < 350
    ended = Dataset.sample_from_datasets([Dataset.range(2), Dataset.range(3)], seed=1)
    assert sorted(lists(ended)) == [0, 0, 1, 1, 2]
    assert lists(Dataset.choose_from_datasets([zeros, ones], Dataset.range(2).repeat(2))) == [0, 1, 0, 1]
    with pytest.raises(ArgumentError, match="weight for each"):
        Dataset.sample_from_datasets([zeros], [1, 2])
    numbers = lists(Dataset.random(seed=3).take(3))
    assert numbers == lists(Dataset.random(seed=3).take(3))
    assert len(set(numbers)) == 3


def test_a_length_is_known_from_the_parts():
    ds = Dataset.range(5)
    assert (ds.cardinality().numpy(), ds.repeat().cardinality(), ds.repeat().batch(2).cardinality()) == (5, -1, -1)
    assert len(ds.repeat().take(3)) == 3
    assert ds.filter(bool).cardinality() == -2
    assert ds.take(-1).cardinality() == 5
    assert len(Dataset.zip(ds, ds.repeat())) == 5
    with pytest.raises(TypeError, match="no end"):
        len(ds.repeat())
    assert lists(ds.take_while(lambda x: x < 2)) == [0, 1]
    assert lists(ds.scan(np.int64(0), lambda state, x: (state + x, state + x))) == [0, 1, 3, 6, 10]
    assert lists(Dataset.from_tensor_slices([1, 1, 2]).unique()) == [1, 2]
    assert ds.reduce(0, lambda state, x: state + 1).numpy() == 5
    assert Dataset.from_tensors(7).get_single_element() == 7
    with pytest.raises(ArgumentError, match="several"):
        ds.get_single_element()
    assert lists(ds.batch(2).rebatch(3)) == [[0, 1, 2], [3, 4]]
    passes = iter(ds)
    assert (passes.get_next(), next(passes)) == (0, 1)


def test_elements_tell_what_they_are():
    ds = Dataset.from_tensor_slices((np.ones((4, 3), "float32"), np.array(["a", "b", "c", "d"])))
    row, text = ds.element_spec
    assert row == TensorSpec((3,), "float32")
    assert text.dtype == dtypes.string
    assert text.shape.rank == 0
    assert ds.batch(2).element_spec[0].shape.as_list() == [None, 3]
    assert ds.batch(2, drop_remainder=True).map(lambda x, y: x).element_spec.shape.as_list() == [2, 3]
    first, text = next(iter(ds))
    assert text.dtype == dtypes.string
    assert text.numpy() == b"a"
    assert first.dtype != dtypes.string
    assert first[0].numpy() == 1.0
    assert first.get_shape().as_list() == [3]
    first.set_shape([None])
    with pytest.raises(ShapeError, match="set_shape"):
        first.set_shape([4])
    assert data.get_output_shapes(ds)[0].as_list() == [3]
    assert data.get_output_types(ds)[1] == "string"


# Files --------------------------------------------------------------------------------------------------------


def test_lines_and_columns_of_files(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('a,b,label\n1,2.5,x\n3,,y\r\n5,6.5,"z,z"\n')
    assert lists(data.TextLineDataset(str(file)).take(2)) == [b"a,b,label", b"1,2.5,x"]
    rows = list(data.CsvDataset([str(file)], [dtypes.int32, [0.5], dtypes.string], header=True))
    assert [[host(field) for field in row] for row in rows] == [[1, 2.5, b"x"], [3, 0.5, b"y"], [5, 6.5, b"z,z"]]
    (features, label), *rest = data.make_csv_dataset(str(file), 2, label_name="label", num_epochs=1, shuffle=False)
    assert host(features["a"]) == [1, 3]
    assert host(features["b"]) == [2.5, 0.0]
    assert host(label) == [b"x", b"y"]
    assert len(rest) == 1
    with pytest.raises(ArgumentError, match="3 columns"):
        image_files.decode_csv("1,2", [[0]] * 3)
    with pytest.raises(ArgumentError, match="without a default"):
        image_files.decode_csv(",2", [[], [0]])
    assert lists(Dataset.list_files(str(tmp_path / "*.csv"))) == [str(file).encode()]
    with pytest.raises(ArgumentError, match="found none"):
        Dataset.list_files(str(tmp_path / "*.txt"))


def test_bytes_of_files_are_kept(tmp_path):
    raw = bytes(range(256)) + b"\0"
    image_files.write_file(str(tmp_path / "new" / "a"), raw)
    assert image_files.read_file(tmp_path.joinpath("new", "a").as_posix()).numpy() == raw
    assert host(image_files.decode_raw(np.arange(3, dtype="int32").tobytes(), dtypes.int32)) == [0, 1, 2]
    assert image_files.decode_base64(image_files.encode_base64(raw)).numpy() == raw
    parts = data.FixedLengthRecordDataset(str(tmp_path / "new" / "a"), 100, header_bytes=1)
    assert lists(parts) == [raw[1:101], raw[101:201]]


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "gif"])
def test_images_are_decoded(kind, tmp_path):
    pixels = np.zeros((4, 6, 3), "uint8")
    pixels[:2] = 200
    file = tmp_path / f"a.{kind}"
    image_files.pillow().fromarray(pixels).save(file)
    content = image_files.read_file(str(file))
    decoded = image_files.decode_image(content, channels=3, expand_animations=False)
    assert decoded.shape == (4, 6, 3)
    assert np.abs(decoded.numpy().astype(int) - pixels).max() < 6
    assert image_files.decode_jpeg(content, channels=1).shape == (4, 6, 1)
    assert image_files.decode_image(content, dtype="float32").shape == ((1, 4, 6, 3) if kind == "gif" else (4, 6, 3))
    resize, converted = calls.of_tensorflow("image", "resize"), calls.of_tensorflow("image", "convert_image_dtype")
    resized = resize(converted(decoded, "float32"), [2, 3])
    assert resized.shape == (2, 3, 3)
    assert float(resized[0, 0, 0]) == pytest.approx(200 / 255, abs=0.02)
    with pytest.raises(ArgumentError, match="bytes of an image"):
        image_files.decode_png(b"no image")


def test_images_are_encoded():
    pixels = np.arange(48, dtype="uint8").reshape(4, 4, 3)
    assert (image_files.decode_png(image_files.encode_png(pixels)).numpy() == pixels).all()
    assert image_files.is_jpeg(image_files.encode_jpeg(pixels))
    assert not image_files.is_jpeg(b"no")
    assert image_files.decode_png(image_files.encode_png(pixels[:, :, :1])).shape == (4, 4, 1)


@pytest.mark.parametrize("packing", ["", "GZIP", "ZLIB"])
def test_records_are_read_as_they_were_written(packing, tmp_path):
    file = str(tmp_path / "a.tfrecord")
    with records.TFRecordWriter(file, packing) as writer:
        for i in range(3):
            feature = {
                "x": records.Feature(float_list=records.FloatList(value=[i, i + 0.5])),
                "y": records.Feature(int64_list=records.Int64List(value=[-i])),
                "s": records.Feature(bytes_list=records.BytesList(value=[b"\xff"] * i)),
            }
            writer.write(records.Example(features=records.Features(feature=feature)).SerializeToString())
    kinds = {
        "x": records.FixedLenFeature([2], dtypes.float32),
        "y": records.FixedLenFeature([], dtypes.int64),
        "s": records.VarLenFeature(dtypes.string),
        "z": records.FixedLenFeature([1], dtypes.int64, default_value=9),
    }
    read = data.TFRecordDataset(file, compression_type=packing)
    one = list(read.map(lambda record: records.parse_single_example(record, kinds)))[2]
    assert [host(one[name]) for name in "xyz"] == [[2.0, 2.5], -2, [9]]
    assert sparse.to_dense(one["s"]).numpy().tolist() == [b"\xff", b"\xff"]
    (batch,) = read.batch(3).map(lambda record: records.parse_example(record, kinds))
    assert host(batch["y"]) == [0, -1, -2]
    assert batch["s"].shape == (3, 2)
    with pytest.raises(ArgumentError, match="'w', which"):
        list(read.map(lambda record: records.parse_single_example(record, {"w": kinds["x"]})))
    with pytest.raises(ArgumentError, match="to be string"):
        list(read.map(lambda r: records.parse_single_example(r, {"x": records.FixedLenFeature([], "string")})))
    if not packing:
        changed = bytearray((tmp_path / "a.tfrecord").read_bytes())
        changed[20] ^= 1
        (tmp_path / "b").write_bytes(changed)
        with pytest.raises(SerializationError, match="was changed"):
            list(data.TFRecordDataset(str(tmp_path / "b")))


def test_bytes_are_those_that_tensorflow_writes(tmp_path):
    feature = {
        "b": records.Feature(int64_list=records.Int64List([1, 300])),
        "a": records.Feature(bytes_list=records.BytesList([b"x"])),
    }
    made = records.Example(records.Features(feature)).SerializeToString()
    assert made.hex() == "0a1a0a0a0a016112050a030a01780a0c0a016212071a050a0301ac02"
    with records.TFRecordWriter(tmp_path / "a") as writer:
        writer.write("abc")
    assert (tmp_path / "a").read_bytes().hex() == "0300000000000000b099490e6162636e57f121"
    assert records.Example.FromString(made).features.feature["b"].int64_list.value == [1, 300]
    tensor = functions.constant([[1.0, 2.0]])
    packed = records.serialize_tensor(tensor)
    assert packed.numpy().hex() == "0801120812020801120208022208" + np.array([1, 2], "<f4").tobytes().hex()
    assert records.parse_tensor(packed, dtypes.float32).numpy().tolist() == [[1.0, 2.0]]
    with pytest.raises(ArgumentError, match="of int32"):
        records.parse_tensor(packed, dtypes.int32)


# Texts --------------------------------------------------------------------------------------------------------


def test_texts_are_tensors_of_bytes():
    words = functions.constant(["Hello World", "foo"])
    assert words.dtype == dtypes.string
    assert words.shape == (2,)
    assert words[1].numpy() == b"foo"
    assert host(texts.lower(words)) == [b"hello world", b"foo"]
    assert host(texts.upper("aé")) == "Aé".encode()
    assert host(texts.length(words)) == [11, 3]
    assert host(texts.length("é")) == 2
    assert host(texts.length("é", unit="UTF8_CHAR")) == 1
    assert host(texts.regex_replace(words, "(o)", r"[\1\0]")) == [b"Hell[oo] W[oo]rld", b"f[oo][oo]"]
    assert host(texts.regex_full_match(["ab", "c"], "a.")) == [True, False]
    assert texts.split(words).to_list() == [[b"Hello", b"World"], [b"foo"]]
    assert host(texts.split("a,b", ",")[-1]) == b"b"
    assert host(texts.split("a b c", maxsplit=1)) == [b"a", b"b c"]
    assert host(texts.join([["a", "b"], "c"], "-")) == [b"a-c", b"b-c"]
    assert host(texts.reduce_join([["a", "b"], ["c", "d"]], axis=0)) == [b"ac", b"bd"]
    assert host(texts.reduce_join(["a", "b"], separator=" ")) == b"a b"
    assert host(texts.substr(["hello", "world"], [1, -2], 2)) == [b"el", b"ld"]
    with pytest.raises(ArgumentError, match="received 9"):
        texts.substr("hello", 9, 1)
    assert host(texts.strip(" a\n")) == b"a"
    assert host(texts.to_number(["1", "2"], dtypes.int32)) == [1, 2]
    assert host(texts.as_string(functions.constant([1.5, 2.0]))) == [b"1.500000", b"2.000000"]
    assert host(texts.unicode_decode("é", "UTF-8")) == [233]
    assert host(texts.unicode_encode([97, 98], "UTF-8")) == b"ab"
    assert host(texts.ngrams(["a", "b", "c"], 2)) == [b"a b", b"b c"]
    with pytest.raises(DtypeError, match="expected texts"):
        texts.lower([1.0])


def test_functions_of_tensors_arrange_texts():
    words = functions.constant(["a", "b"])
    assert host(tf.expand_dims(words, -1)) == [[b"a"], [b"b"]]
    assert host(tf.equal(words, "a")) == [True, False]
    assert host(tf.concat([words, ["c"]], 0)) == [b"a", b"b", b"c"]
    assert host(words + "x") == [b"ax", b"bx"]
    assert host(tf.reshape(words, [2, 1])) == [[b"a"], [b"b"]]
    assert host(tf.stack([words, words]))[1] == [b"a", b"b"]
    with pytest.raises(DtypeError):
        tf.exp(words)


def test_a_layer_of_texts_takes_functions_of_tensorflow():
    def clean(text):
        return texts.regex_replace(texts.lower(text), "<br />", " ")

    layer = TextVectorization(standardize=clean, split=lambda t: texts.split(t), output_sequence_length=3)
    layer.adapt(Dataset.from_tensor_slices(["A b<br />c", "B b"]).batch(2))
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    ds = Dataset.from_tensor_slices(["a b", "c"]).map(lambda text: layer(tf.expand_dims(text, -1)))
    assert lists(ds) == [[[4, 2, 0]], [[3, 0, 0]]]


def test_what_layers_make_of_texts_answers_numpy(backend, monkeypatch):
    monkeypatch.setattr(eager_tensors, "_answers", [eager_tensors.EagerTensor])
    found = StringLookup(vocabulary=["a"])(functions.constant(["a", "z"]))
    assert found.numpy().tolist() == [1, 0]


# Rows of different lengths, sparse tensors ---------------------------------------------------------------------


def test_rows_of_different_lengths():
    rows = ragged.constant([[1, 2], [], [3]])
    assert rows.to_list() == [[1, 2], [], [3]]
    assert rows.shape.as_list() == [3, None]
    assert len(rows) == 3
    assert host(rows.to_tensor()) == [[1, 2], [0, 0], [3, 0]]
    assert host(rows.to_tensor(-1, shape=[None, 1])) == [[1], [-1], [3]]
    assert host(rows.row_lengths()) == [2, 0, 1]
    assert host(rows.row_splits) == [0, 2, 2, 3]
    assert host(rows.value_rowids()) == [0, 0, 2]
    assert host(rows.bounding_shape()) == [3, 2]
    assert (rows * 2 + rows).to_list() == [[3, 6], [], [9]]
    assert (1 - rows).to_list() == [[0, -1], [], [-2]]
    assert host(tf.reduce_sum(rows, axis=1)) == [3, 0, 3]
    assert host(tf.reduce_max(rows)) == 3
    assert host(tf.reduce_sum(rows, axis=0)) == [4, 2]
    assert tf.concat([rows, rows], axis=1).to_list() == [[1, 2, 1, 2], [], [3, 3]]
    assert tf.gather(rows, [2, 0]).to_list() == [[3], [1, 2]]
    assert tf.square(rows).to_list() == [[1, 4], [], [9]]
    assert rows[0].numpy().tolist() == [1, 2]
    assert rows[1:].to_list() == [[], [3]]
    assert host(rows[0, 1]) == 2
    deep = ragged.constant([[[1], [2, 3]], []])
    assert deep.to_list() == [[[1], [2, 3]], []]
    assert deep.ragged_rank == 2
    assert host(deep.to_tensor()) == [[[1, 0], [2, 3]], [[0, 0], [0, 0]]]
    made = ragged.RaggedTensor.from_value_rowids([1, 2, 3], [0, 0, 2])
    assert made.to_list() == rows.to_list() == ragged.RaggedTensor.from_row_lengths([1, 2, 3], [2, 0, 1]).to_list()
    assert ragged.RaggedTensor.from_tensor([[1, 2], [3, 0]], padding=0).to_list() == [[1, 2], [3]]
    assert ragged.range([1, 2]).to_list() == [[0], [0, 1]]
    assert ragged.stack([functions.constant([1]), functions.constant([2, 3])]).to_list() == [[1], [2, 3]]
    assert lists(Dataset.from_tensor_slices(rows)) == [[1, 2], [], [3]]
    with pytest.raises(ArgumentError, match="row_splits"):
        ragged.RaggedTensor([1, 2], [0, 3])
    with pytest.raises(IndexError, match="row 3"):
        rows[3]


def test_sparse_tensors():
    tensor = sparse.SparseTensor([[1, 2], [0, 0]], [2.0, 1.0], [2, 3])
    dense = [[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]
    assert host(sparse.to_dense(tensor)) == dense
    assert tensor.shape == (2, 3)
    assert host(sparse.reorder(tensor).indices) == [[0, 0], [1, 2]]
    assert host(sparse.to_dense(sparse.transpose(tensor))) == np.transpose(dense).tolist()
    assert host(sparse.to_dense(sparse.concat(0, [tensor, tensor]))) == dense + dense
    assert host(sparse.to_dense(sparse.reshape(tensor, [3, -1]))) == np.reshape(dense, (3, 2)).tolist()
    assert host(sparse.to_dense(sparse.slice(tensor, [0, 1], [2, 5]))) == [row[1:] for row in dense]
    assert host(sparse.sparse_dense_matmul(tensor, np.ones((3, 1), "float32"))) == [[1.0], [2.0]]
    assert host(sparse.reduce_sum(tensor, axis=1)) == [1.0, 2.0]
    assert host(sparse.from_dense(dense).values) == [1.0, 2.0]
    assert host(sparse.to_dense(sparse.add(tensor, tensor))) == (2 * np.array(dense)).tolist()
    with pytest.raises(ArgumentError, match="expected places"):
        sparse.SparseTensor([[2, 0]], [1.0], [2, 3])


def test_a_model_takes_sparse_tensors(backend):
    pytest.importorskip("scipy")
    tensor = sparse.SparseTensor([[0, 0], [1, 2]], [1.0, 2.0], [2, 3])
    model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
    model.compile("sgd", "mse")
    assert model.predict(tensor, verbose=0).tolist() == [[1.0], [2.0]]
    assert model.fit(tensor, np.array([[1.0], [2.0]]), verbose=0).history["loss"] == [0.0]
