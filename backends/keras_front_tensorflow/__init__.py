"""The adapter that teaches keras_front to run on TensorFlow. Its class is in `backend.py`."""
