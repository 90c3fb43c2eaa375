"""Data for training: arrays and their layout, and everything else that batches come from."""
