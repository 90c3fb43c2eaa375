"""The door for old code: names and modules of Keras 1 and 2, as tables. Nothing else imports it."""
