"""Deliberate mistakes for scripts/mutants.py: the list of them, and how their places in the code are found."""
