"""Files that are cut off or written again while they are opened, in every format.

In a process of its own: where a file is mapped, the system would end it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.formats.every_format import FORMATS

ROOT = Path(__file__).parents[2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_changes_while_it_is_opened(name: str, tmp_path: Path) -> None:
    folders = tmp_path / "first", tmp_path / "second"
    for seed, folder in enumerate(folders):
        folder.mkdir()
        path = FORMATS[name](folder, seed)
    done = subprocess.run(
        [sys.executable, "-m", "tests.formats.changing", *folders, path.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == []
