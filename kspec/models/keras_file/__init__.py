"""A reader of `.keras` files that does not run code from the file.

A file is a zip of a configuration in JSON and weights in HDF5. Both are read here, against closed
lists and bounds; Keras' own loader, which can import modules and revive functions, is not used.
"""
