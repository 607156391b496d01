"""Reading ONNX."""
