"""Read every file of a folder within limits: ``python -m tests.files.read_corpus``.

Prints a JSON object: file → message (empty if it opened), and the memory that reading
them all took, in bytes. Run as a process of its own, so that limits hold and
whatever a file could do would show.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np

from kernelviewer.formats import CheckpointError, open_checkpoint

MOST_MEMORY = 500 * 1024**2
UNIT = 1 if sys.platform == "darwin" else 1024


def read(path: Path) -> str:
    """Message of a file, or an empty text once all its values were read."""
    try:
        checkpoint = open_checkpoint(path)
        for tensor in checkpoint.tensors:
            values = np.asarray(tensor.load())
            if values.shape != tensor.shape:
                return f"{tensor.name} has another shape than it announces"
    except CheckpointError as error:
        return str(error)
    return ""


def limit_memory() -> None:
    """Let the process grow by the allowance and no more, where the system can."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(
            x for x in status.read_text().splitlines() if x.startswith("VmSize")
        )
        now = int(line.split()[1]) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (now + MOST_MEMORY, -1))


def main() -> None:
    """Read them all."""
    limit_memory()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    messages = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        messages[path.name] = read(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT - before
    print(json.dumps({"messages": messages, "grown": grown}))


if __name__ == "__main__":
    main()
