"""What can be wrong with a package."""


class PackageError(ValueError):
    """A package is malformed, contradicts itself, or uses what the evaluator does not know."""
