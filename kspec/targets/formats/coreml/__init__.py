"""Core ML: an ML Program in an `.mlpackage`."""
