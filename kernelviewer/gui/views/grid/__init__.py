"""The kernel grid: every kernel in scope as a small picture.

`image.build_grid` (in a worker) → `GridImage` → `GridContent` → `KernelGrid`.
"""
