"""Modules of `keras.utils` that only programs of the time import: the names that are nowhere else today."""
