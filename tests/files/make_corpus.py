"""Bad files, each with the exact message that opening it must give.

``python -m tests.files.make_corpus FOLDER`` writes them all. They are the same every
time, need no library, and nothing in them is anyone's work. A case without a message
opens.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.files.containers import CONTAINERS
from tests.files.headers import HEADERS
from tests.files.others import OTHERS
from tests.files.pickles import PICKLES

if TYPE_CHECKING:
    from tests.files.writing import Case

CASES: list[Case] = [*OTHERS, *CONTAINERS, *HEADERS, *PICKLES]


def make_corpus(folder: Path) -> None:
    """Write all cases into a folder."""
    for item in CASES:
        (folder / item.name).write_bytes(item.build())


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    make_corpus(target)
    print(f"{len(CASES)} files in {target}")
