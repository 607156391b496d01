"""The subcommands, one module each; none of them imports Qt.

A module has ``add_arguments(parser)`` and ``run(options) -> int``, the exit code, and
is imported when its command is called.
"""

from __future__ import annotations

COMMANDS = {
    "info": "list the depthwise layers of a checkpoint",
    "extract": "write the kernels of checkpoints to an .npz file",
    "figure": "draw a figure of checkpoints as SVG, PDF or PNG",
    "report": "write every figure of checkpoints and a page to look through",
    "sample": "open the bundled network, or write its kernels without a display",
}
"""Name of the command and of its module → what it does."""
