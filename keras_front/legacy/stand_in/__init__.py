"""`import tensorflow` in programs for Keras: the real one with our Keras in it, or a small stand-in where it is absent.

What the stand-in has is what such programs touch beside `keras`: the version, seeds, logging, devices, sessions that
only configure memory, files, flags, and tensor functions that are one call of K. Anything else is an error that says
so, see `modules.py`. Nothing here imports the real TensorFlow by itself.
"""
