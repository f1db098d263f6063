"""The schema models of the spec language."""

from kspec.schemas.spec import Spec

__all__ = ["Spec"]
