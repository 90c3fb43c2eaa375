"""`tensorflow.python.layers.utils`: lengths that windows leave, as `keras.utils.conv_utils` computes them."""

from keras_front.utils.conv_utils import (  # noqa: F401 - names of the stand-in
    conv_input_length,
    conv_output_length,
    deconv_output_length,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
