"""What a user may write."""

from kspec.schemas.spec import Spec

__all__ = ["Spec"]
