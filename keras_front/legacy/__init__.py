"""Names, signatures, defaults and modules of Keras 1 and 2, as tables. Nothing else imports it."""
