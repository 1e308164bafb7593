"""The page at `/` and its assets."""
