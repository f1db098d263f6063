"""Core ML: an ML Program in an `.mlpackage`."""

from kspec.targets.formats.coreml.format import CoreML

__all__ = ["CoreML"]
