"""Runs a written package without Core ML: reads it back from disk and computes with NumPy.

It shares nothing with the writer, nor with the compiler's reference evaluator, and is made from
the documentation of MIL's operations and of the file formats. It knows exactly the operations that
the rules emit; any other is an error.
"""
