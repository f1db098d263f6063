"""The commands: each parses, calls one function, prints, and ends with a code."""
