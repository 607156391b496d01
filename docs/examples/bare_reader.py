"""A reader of bare kernels: ``BAREKERN``, a line of JSON with shapes, then values."""

import json
from math import prod

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.assemble import Contents
from kernelviewer.formats.source import Reader
from kernelviewer.formats.stored import Contiguous, Leaf

MAGIC = b"BAREKERN"
MOST = 1 << 20  # bytes of the line


def match(source):
    """True for such a file; ``source.head`` is how it begins."""
    return source.head.startswith(MAGIC)


def read(source, options):
    """List the tensors; each reads its values when it is asked for them."""
    file = source.file()
    start = file.read(0, min(file.size, MOST)).tobytes()
    line, end, _ = start.removeprefix(MAGIC).partition(b"\n")
    place = len(MAGIC) + len(line) + len(end)
    leaves = []
    for name, shape in shapes(line).items():
        options.watch.check()
        length = 4 * prod(shape)  # bytes
        if place + length > file.size:
            raise DamagedError(f"it ends before the values of “{name[:80]}”")
        load = Contiguous(file, place, length, "float32", shape)
        leaves.append(Leaf((name,), name, shape, "float32", load))
        place += length
    return Contents("bare kernels", leaves)


def shapes(line):
    """Name → shape as the line tells them; a stranger's file may tell anything."""
    try:
        told = json.loads(line)
        found = {str(name): tuple(map(int, shape)) for name, shape in told.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError("its line of shapes cannot be read") from error
    if any(side < 0 for shape in found.values() for side in shape):
        raise DamagedError("it tells a shape that none can have")
    return found


READER = Reader("bare kernels", "a file of bare kernels", match, read)
