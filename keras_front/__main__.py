"""`python -m keras_front` is `keras-front`."""

import sys

from keras_front.cli import main

if __name__ == "__main__":
    sys.exit(main())
