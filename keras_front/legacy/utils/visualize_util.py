"""`keras.utils.visualize_util` of Keras 1, where `plot_model` was called `plot`.

Source: Keras 1.2.2, `keras/utils/visualize_util.py`.
"""

from keras_front.utils.vis_utils import model_to_dot, plot_model

__all__ = ["model_to_dot", "plot"]

plot = plot_model
