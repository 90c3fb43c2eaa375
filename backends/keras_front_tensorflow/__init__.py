"""The adapter with which keras_front runs on TensorFlow. Its class is in `backend.py`."""
