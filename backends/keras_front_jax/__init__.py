"""The adapter that teaches keras_front to run on JAX. Its class is in `backend.py`."""
