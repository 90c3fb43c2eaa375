"""keras-retinanet: a detector that trains on anchors with focal loss, and the boxes that it finds."""

import keras
import numpy as np
from keras_retinanet import losses, models
from keras_retinanet.models.retinanet import retinanet_bbox
from keras_retinanet.utils.anchors import anchor_targets_bbox, anchors_for_shape

model = models.backbone("resnet50").retinanet(num_classes=3)
optimizer = keras.optimizers.Adam(lr=1e-5, clipnorm=0.001)
model.compile(loss={"regression": losses.smooth_l1(), "classification": losses.focal()}, optimizer=optimizer)
x = np.random.RandomState(0).rand(1, 64, 64, 3).astype("float32") * 255
found = [{"bboxes": np.array([[5, 5, 50, 50.0]]), "labels": np.array([1])}]
targets = anchor_targets_bbox(anchors_for_shape(x.shape[1:3]), [np.zeros((64, 64, 3))], found, 3)
assert np.isfinite(model.train_on_batch(x, list(targets))).all()
boxes, scores, labels = retinanet_bbox(model=model).predict(x)
assert (boxes.shape, scores.shape, labels.shape) == ((1, 300, 4), (1, 300), (1, 300))
assert ((labels >= -1) & (labels < 3)).all()
