"""The network of a spec as a Keras model, and Keras models as specs."""
