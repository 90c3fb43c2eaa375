"""The declarations of all ops, by theme. Importing this package declares them."""
