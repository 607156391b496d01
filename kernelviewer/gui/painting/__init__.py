"""What several views paint with: device pixels, kernels as images, class colours."""
