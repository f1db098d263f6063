"""TFLite, written from the IR."""
