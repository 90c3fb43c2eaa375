"""The adapter with which keras_front runs on PyTorch. Its class is in `backend.py`."""
