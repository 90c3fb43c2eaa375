"""`import keras` as keras_front, in one line: `import keras_front.as_keras`. With choices: `install_as_keras(...)`.

The first line of a notebook or a script, `import keras_front.as_keras` in an interactive session,
`pytest -p keras_front.as_keras` for tests, or `keras-front run script.py`, which does the same for a whole program.
"""

from keras_front.doors import install_as_keras

__all__ = ["install_as_keras"]

install_as_keras()
