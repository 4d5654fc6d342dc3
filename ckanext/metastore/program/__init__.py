"""What the program ``metastore`` does, but for what is in ``command.py``."""
