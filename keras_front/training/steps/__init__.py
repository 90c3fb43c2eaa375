"""What is done with one batch: the compiled steps, those that a model overrides, and how they are run on an engine."""
