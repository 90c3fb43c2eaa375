"""segmentation-models on efficientnet and image-classifiers: a U-Net and a classifier, trained for one step."""

import keras
import numpy as np
import segmentation_models as sm
from classification_models.keras import Classifiers

sm.set_framework("keras")
random = np.random.RandomState(0)
images, masks = random.rand(2, 32, 32, 3), (random.rand(2, 32, 32, 1) > 0.5).astype("float32")
model = sm.Unet("resnet18", encoder_weights=None, classes=1, activation="sigmoid", decoder_filters=(16, 8, 8, 4, 4))
model.compile("Adam", loss=sm.losses.bce_jaccard_loss, metrics=[sm.metrics.iou_score, sm.metrics.FScore(threshold=0.5)])
history = model.fit(sm.get_preprocessing("resnet18")(images), masks, batch_size=2, epochs=1, verbose=2).history
assert np.isfinite(history["loss"][0])
assert 0 <= history["iou_score"][0] <= 1
loss = sm.losses.DiceLoss(class_weights=np.array([1, 2, 0.5])) + 1 * sm.losses.CategoricalFocalLoss()
three = np.repeat(masks, 3, -1).astype("float32")
value = float(keras.backend.eval(loss(keras.backend.constant(three), keras.backend.constant(three * 0.9))))
assert np.isfinite(value)

maker, _ = Classifiers.get("seresnet18")
assert maker((32, 32, 3), weights=None, classes=4).predict(images).shape == (2, 4)
