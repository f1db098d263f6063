"""Text → Document: the YAML reader, params, expressions, blocks, wiring and diagnostics."""
