"""The adapter that teaches keras_front to run on NumPy. Its class is in `backend.py`."""
