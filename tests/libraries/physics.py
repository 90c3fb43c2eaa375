"""SciANN: a net that solves Laplace's equation, by the second derivatives of its output for its inputs."""

import numpy as np
import sciann as sn
from sciann.utils.math import diff

x, y = sn.Variable("x"), sn.Variable("y")
f = sn.Functional("f", [x, y], 2 * [8], activation="tanh")
equation = diff(f, x, order=2) + diff(f, y, order=2)
edge = (1 - sn.sign(x - 0.001)) * f
model = sn.SciModel([x, y], [equation, edge])
xs, ys = np.meshgrid(np.linspace(0, 1, 10), np.linspace(0, 1, 10))
losses = model.train([xs, ys], 2 * ["zero"], learning_rate=0.01, epochs=4, batch_size=32, verbose=0).history["loss"]
assert losses[-1] < losses[0]
assert f.eval(model, [xs, ys]).shape == (10, 10)
