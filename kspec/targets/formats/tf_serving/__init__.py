"""TF-Serving SavedModels, written from the IR."""
