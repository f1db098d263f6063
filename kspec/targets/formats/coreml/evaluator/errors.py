"""The error of a malformed package."""


class PackageError(ValueError):
    """A package is malformed, is inconsistent, or uses an operation that the evaluator lacks."""
