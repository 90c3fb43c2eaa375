"""The adapter with which keras_front runs on JAX. Its class is in `backend.py`."""
