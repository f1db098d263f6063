"""The metadata keys of a written package, shared by the writer and the runner."""

SIGNATURE_KEY = "kspec.signature"
"""The key of a JSON text with the public name of each input and output, which need not be an
identifier, and the names of symbolic dimensions; Core ML has no field for them."""
LABELS_KEY = "kspec.labels"
"""The key of the labels of each output, by its public name."""
