"""Kinds of tensors that `tf` has beside dense ones, and names of `tf.io` and `tf.strings` that stand in `tf` itself."""

from __future__ import annotations

from keras_front.utils.dataset_elements import TensorSpec

from .image_files import decode_base64, decode_csv, decode_raw, encode_base64, read_file, write_file
from .ragged import RaggedTensor
from .records import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    VarLenFeature,
    parse_example,
    parse_single_example,
    parse_tensor,
    serialize_tensor,
)
from .sparse import SparseTensor, SparseTensorValue, sparse_tensor_dense_matmul, sparse_tensor_to_dense
from .texts import as_string, regex_replace, string_split, substr, to_number

__all__ = [
    "FixedLenFeature", "FixedLenSequenceFeature", "RaggedTensor", "RaggedTensorSpec", "SparseTensor",
    "SparseTensorSpec", "SparseTensorValue", "VarLenFeature", "as_string", "decode_base64", "decode_csv", "decode_raw",
    "encode_base64", "parse_example", "parse_single_example", "parse_tensor", "read_file", "regex_replace",
    "serialize_tensor", "sparse_tensor_dense_matmul", "sparse_tensor_to_dense", "string_split", "string_to_number",
    "substr", "write_file",
]  # fmt: skip

string_to_number = to_number


class RaggedTensorSpec(TensorSpec):
    """Shape and dtype of a ragged tensor."""


class SparseTensorSpec(TensorSpec):
    """Shape and dtype of a sparse tensor."""
