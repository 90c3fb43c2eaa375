"""The adapter with which keras_front runs on NumPy. Its class is in `backend.py`."""
