"""The archive: what is read from it, and what its processes may cost."""
