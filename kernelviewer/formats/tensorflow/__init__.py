"""Reading TensorFlow, and TensorFlow.js."""
