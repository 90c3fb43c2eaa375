"""The adapter with which keras_front runs on ONNX Runtime. Its class is in `backend.py`."""
