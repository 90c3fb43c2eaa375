"""A folder for `PYTHONPATH`: processes that Python starts with it have `keras` answered by keras_front."""
