"""The adapter with which keras_front runs on PyTensor, the heir of Theano."""
