"""The subcommands, one module each; none of them imports Qt.

A module has ``add_arguments(parser)`` and ``run(options) -> int``, the exit code, and
is imported when its command is called.
"""

from __future__ import annotations

COMMANDS = {
    "info": "list the depthwise layers of a checkpoint",
    "extract": "write the kernels of checkpoints to an .npz file",
    "label": "write code, fit and class of every kernel to a .csv file",
    "compare": "tell what changed between two networks, kernel by kernel",
    "series": "follow kernels along a training run: classes, fits, when they formed",
    "watch": "open the checkpoints of a running training as they are written",
    "keys": "tell how much of the kernels a few patterns, the keys, keep",
    "rewrite": "write a checkpoint again with other depthwise kernels, nothing else",
    "init": "write depthwise kernels to start the training of a network from",
    "train": "train an autoencoder on the kernels of networks",
    "evaluate": "judge autoencoders on networks beside K-means",
    "null-test": "compare kernels with noise, shuffled taps and untrained networks",
    "corpus": "take thousands of networks into one folder of tables, and ask it",
    "figure": "draw a figure of checkpoints as SVG, PDF or PNG",
    "report": "write every figure of checkpoints and a page to look through",
    "desktop": "put the program into the desktop's menus and file types (Linux)",
    "sample": "open the bundled network, or write its kernels without a display",
}
"""Name of the command and, with ``_`` for ``-``, of its module → what it does."""
