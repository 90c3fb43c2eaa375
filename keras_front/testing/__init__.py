"""Published: the conformance suite, by which a backend proves that it keeps the contract of K."""
