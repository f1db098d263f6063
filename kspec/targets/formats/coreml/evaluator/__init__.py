"""A NumPy evaluator of written packages, for systems without Core ML.

It reads a package back from disk. It shares no code with the writer or with the compiler's
reference evaluator, and follows the documentation of MIL's operations and of the file formats. It
implements exactly the operations that the rules emit; any other operation is an error.
"""
