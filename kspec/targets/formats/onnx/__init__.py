"""ONNX, written from the IR."""
