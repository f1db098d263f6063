"""The inputs and outputs of a model: kinds, steps, decisions, the signature, and the description
of a bundle. Other packages ask this package instead of examining a kind themselves."""
