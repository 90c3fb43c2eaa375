"""Code generation: a schedule printed as one straight Python function. Nothing is decided here."""
