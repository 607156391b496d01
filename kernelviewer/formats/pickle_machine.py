"""An interpreter of pickles in which nothing happens.

It follows the opcodes of protocols 0 to 5 but never imports, calls or builds what they
name: known functions are described by `kernelviewer.formats.pickle_builders`, all else
becomes a `Stub`. Long strings stay in the file. Time and memory are bounded by the
pickle's own size: the memo is a dictionary, so that a huge index costs nothing, and no
opcode copies what an earlier one collected.
"""

from __future__ import annotations

import struct
from typing import Any

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.pickle_objects import HANDLERS
from kernelviewer.formats.pickle_opcodes import Stop
from kernelviewer.formats.pickle_state import PickleState

MAX_OPCODES = 3_000_000


class PickleMachine(PickleState):
    """Interprets one pickle, which `PickleState` describes."""

    def run(self) -> Any:
        """Interpret up to STOP; `place` is then behind it.

        Raises
        ------
        DamagedError
            It is no pickle, or a broken one.
        """
        handlers = HANDLERS
        left = MAX_OPCODES
        try:
            while left > 0:
                self.check()
                burst = self.ready()
                left -= burst
                for _ in range(burst):
                    opcode = self.data[self.position]
                    self.position += 1
                    handlers[opcode](self)
        except Stop:
            if self.position > self.end or not self.stack:
                raise DamagedError(_CUT_OFF) from None
            return self.stack.pop()
        except _NONSENSE:
            cut_off = self.position > self.end
            raise DamagedError(_CUT_OFF if cut_off else _DAMAGED) from None
        raise DamagedError(
            f"its list of contents (a pickle) has more than {MAX_OPCODES:,} entries",
            "Re-save the weights alone, best as safetensors.",
        )


_DAMAGED = "its list of contents (a pickle) is damaged"
_CUT_OFF = "its list of contents (a pickle) is cut off"
_NONSENSE = (
    *(IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError),
    struct.error,
)
