"""How many kernels of each class: over all, and layer by layer."""
