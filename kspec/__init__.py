"""kspec: one YAML to proven ONNX, Core ML, TF-Serving and TFLite artifacts."""

__version__ = "0.1.0"
