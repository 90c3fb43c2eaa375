"""fer: its net of facial expressions, on pictures without a face finder's help."""

import numpy as np
from fer import FER

detector = FER()
random = np.random.RandomState(0)
picture = random.randint(0, 255, (120, 160, 3)).astype("uint8")
found = detector.detect_emotions(picture, face_rectangles=[(20, 20, 60, 60), (70, 30, 64, 64)])
assert len(found) == 2
assert set(found[0]["emotions"]) == {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}
assert abs(sum(found[0]["emotions"].values()) - 1) < 0.05
assert detector.detect_emotions(np.zeros((80, 80, 3), "uint8")) == []
