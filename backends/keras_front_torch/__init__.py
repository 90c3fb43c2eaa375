"""The adapter that teaches keras_front to run on PyTorch. Its class is in `backend.py`."""
