"""Erases a person, shows what is stored about one, and proves it with certificates (R11)."""
