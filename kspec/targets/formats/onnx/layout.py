"""The names of an artifact's files."""

WEIGHTS = ".data"
"""The suffix, after the main file's name, of the file with weights past 2 GB."""
