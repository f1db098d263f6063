"""Conversion of a spec's network to a Keras model, and of Keras models to specs."""
