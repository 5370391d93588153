"""The host: brings each call to its model and the answer back."""
