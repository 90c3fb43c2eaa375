"""Lengths of convolutions, kernels turned around; what layers compute is the independent truth."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.errors import ArgumentError
from keras_front.layers import Conv1D, Conv1DTranspose
from keras_front.utils import conv_utils as c


def test_normalize_tuple():
    assert c.normalize_tuple(5, 2, "kernel_size") == (5, 5)
    assert c.normalize_tuple(np.int64(5), 2, "kernel_size") == (5, 5)
    assert c.normalize_tuple([7, 8], 2, "strides") == (7, 8)
    for wrong in (None, (2, 3, 4), ["a", 1], [1.5, 2], "ab"):
        with pytest.raises(ValueError, match="The `strides` argument must be a tuple of 2 integers"):
            c.normalize_tuple(wrong, 2, "strides")


def test_normalize_padding_and_data_format():
    assert c.normalize_padding("SAME") == "same"
    assert c.normalize_data_format("th") == "channels_first"
    with pytest.raises(ValueError, match="must be one of"):
        c.normalize_padding("full")


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize(("size", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (4, 3, 1), (3, 1, 2)])
def test_lengths_are_those_of_the_layer(padding, size, stride, dilation):
    layer = Conv1D(1, size, strides=stride, padding=padding, dilation_rate=dilation)
    for length in (7, 8, 9):
        expected = layer.compute_output_shape((None, length, 1))[1]
        assert c.conv_output_length(length, size, padding, stride, dilation) == expected
    assert c.conv_output_length(None, size, padding, stride) is None


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "stride", "extra"), [(3, 1, None), (3, 2, None), (2, 3, None), (3, 2, 1), (4, 3, 0)])
def test_lengths_of_transposed_convolution(padding, size, stride, extra):
    layer = Conv1DTranspose(1, size, strides=stride, padding=padding, output_padding=extra)
    expected = layer.compute_output_shape((None, 6, 1))[1]
    assert c.deconv_length(6, stride, size, padding, extra) == expected
    assert c.deconv_output_length(6, size, padding, extra, stride) == expected
    assert c.deconv_length(None, stride, size, padding, extra) is None


def test_lengths_by_hand():
    # 2.3.1, tests/keras/utils/conv_utils_test.py
    assert c.conv_output_length(4, 2, "same", 1, 1) == 4
    assert c.conv_output_length(4, 2, "same", 2, 1) == 2
    assert c.conv_output_length(3, 2, "same", 2, 1) == 2
    assert c.conv_output_length(4, 2, "valid", 1, 1) == 3
    assert c.conv_output_length(5, 2, "valid", 1, 2) == 3
    assert c.conv_output_length(4, 2, "full", 1, 1) == 5
    assert c.conv_output_length(5, 2, "full", 2, 2) == 4
    assert c.conv_input_length(3, 2, "same", 1) == 2
    assert c.conv_input_length(2, 2, "same", 2) == 2
    assert c.conv_input_length(4, 3, "full", 2) == 5
    assert c.deconv_length(1, 1, 4, "same", None) == 1
    assert c.deconv_length(1, 3, 4, "valid", None) == 4
    assert c.deconv_length(3, 1, 4, "full", None) == 0
    assert c.deconv_length(1, 5, 7, "full", 1) == -4
    with pytest.raises(ArgumentError, match="expected padding"):
        c.conv_output_length(4, 2, "diagonal", 1)
    with pytest.raises(ArgumentError, match="expected padding"):
        c.conv_input_length(4, 2, "causal", 1)


@pytest.mark.filterwarnings("ignore:This call has names")
def test_lengths_with_the_names_of_keras1():
    assert c.conv_output_length(7, 3, border_mode="valid", stride=2) == 3
    assert c.conv_input_length(3, filter_size=3, border_mode="valid", stride=2) == 7
    with pytest.raises(TypeError, match="not understood"):
        c.conv_output_length(7, 3, "valid", 2, mode="x")


def test_convert_kernel():
    for shape in [(2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 6)]:
        kernel = np.arange(np.prod(shape)).reshape(shape)
        turned = c.convert_kernel(kernel)
        np.testing.assert_array_equal(turned, np.flip(kernel, tuple(range(len(shape) - 2))))
        np.testing.assert_array_equal(c.convert_kernel(turned), kernel)
        theano = c.convert_kernel(kernel, "th")
        np.testing.assert_array_equal(theano, np.flip(kernel, tuple(range(2, len(shape)))))
    with pytest.raises(ValueError, match="three to five axes"):
        c.convert_kernel(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="'tf' or 'th'"):
        c.convert_kernel(np.zeros((2, 3, 4)), "x")
