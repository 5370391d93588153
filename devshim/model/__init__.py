"""The models: what a device author subclasses, and what the subclasses of all families share."""
