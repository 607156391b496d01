"""The commands of codes and labels, run and read, for tests."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from kernelviewer.cli import main

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    *("source", "layer", "channel", "size", "code", "fit", "class", "best_class"),
    *("scale", "offset", "family_class", "family_cosine"),
    *("discrete_model", "discrete_sigma_x", "discrete_sigma_y", "discrete_cosine"),
    *("moment_sigma_x", "moment_sigma_y", "by", "code_class", "margin"),
]


def run(*words: object) -> int:
    return main([*map(str, words), "--device", "cpu"])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def train(tmp_path: Path, *words: object) -> int:
    return run("train", *words, "-o", tmp_path / "new.safetensors", "--epochs", "3")
