"""What `keras.engine` had and other libraries imported, where there is no such function today."""
