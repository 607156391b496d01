"""Reading TFLite."""
