"""The photographs that the sample network learns from, and crops of them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

FOLDERS = (Path("/usr/share/backgrounds"), Path("/usr/share/wallpapers"))
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
SHORT_SIDE = 512
LONG_SIDE = 910
LEAST_DETAIL = 2.0
TRAINED_PART = 0.8


def find(folders: tuple[Path, ...]) -> list[Path]:
    """One file per picture: the largest where a wallpaper comes in several sizes."""
    best: dict[tuple[Path, str], Path] = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        known_kind = path.suffix.lower() in SUFFIXES and path.stem != "screenshot"
        if not known_kind or path.is_symlink() or not path.is_file():
            continue
        # Plasma keeps the sizes of one picture in a folder, others name them.
        name = "" if "contents" in path.parts else re.sub(r"_\d+x\d+$", "", path.stem)
        known = best.get((path.parent, name))
        if known is None or path.stat().st_size > known.stat().st_size:
            best[path.parent, name] = path
    return sorted(best.values())


def decode(path: Path) -> Image.Image:
    """Small RGB version of a picture, the middle of it where it is long."""
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * LONG_SIDE, 2 * SHORT_SIDE))
        rgb = picture.convert("RGB")
    ratio = SHORT_SIDE / min(rgb.size)
    width, height = (round(side * ratio) for side in rgb.size)
    left, top = max(width - LONG_SIDE, 0) // 2, max(height - LONG_SIDE, 0) // 2
    small = rgb.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small.crop((left, top, width - left, height - top))


def detail(pixels: np.ndarray) -> float:
    """Mean step between neighbouring pixels, across plus down, in grey levels."""
    grey = pixels.mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey)).mean())


def load(folders: tuple[Path, ...], cache: Path) -> list[Tensor]:
    """Pictures as bytes [3, H, W], decoded once; plain graphics are left out."""
    cache.mkdir(parents=True, exist_ok=True)
    pictures = []
    for path in find(folders):
        name = hashlib.sha256(f"{path}{SHORT_SIDE}".encode()).hexdigest()[:16]
        stored = cache / f"{name}.npy"
        if not stored.exists():
            np.save(stored, np.asarray(decode(path)))
        pixels = np.load(stored)
        if detail(pixels) >= LEAST_DETAIL:
            pictures.append(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
    return pictures


class Crops:
    """Distorted square crops of the photographs, drawn at random.

    The right fifth of every photograph is kept for testing.
    """

    def __init__(self, pictures: list[Tensor], side: int, seed: int) -> None:
        self.pictures = pictures
        self.side = side
        self.random = np.random.default_rng(seed)

    def draw(self, count: int, *, unseen: bool = False) -> tuple[Tensor, Tensor]:
        """Pictures [count, 3, side, side] and the numbers of their photographs."""
        part = (TRAINED_PART, 1.0) if unseen else (0.0, TRAINED_PART)
        labels = self.random.integers(len(self.pictures), size=count)
        windows = [self._window(self.pictures[i], part) for i in labels]
        batch = self._recolour(torch.stack(windows))
        return batch.to(memory_format=torch.channels_last), torch.from_numpy(labels)

    def _window(self, picture: Tensor, part: tuple[float, float]) -> Tensor:
        """One window of random place, size and proportions, brought to one side."""
        high, wide = picture.shape[1:]
        start, end = round(part[0] * wide), round(part[1] * wide)
        largest = min(high, end - start, 3 * self.side)
        smallest = min(int(0.8 * self.side), largest)
        size = smallest * (largest / smallest) ** self.random.random(2)
        size[1] = size[0] * np.clip(size[1] / size[0], 0.8, 1.25)
        h, w = (int(min(round(s), largest)) for s in size)
        top = int(self.random.integers(high - h + 1))
        left = start + int(self.random.integers(end - start - w + 1))
        window = picture[:, top : top + h, left : left + w]
        if self.random.random() < 0.5:
            window = window.flip(2)
        # Without transposing, what is upright in photographs makes ∂y kernels only.
        if self.random.random() < 0.5:
            window = window.transpose(1, 2)
        return functional.interpolate(
            window[None].float() / 255,
            (self.side, self.side),
            mode="bilinear",
            antialias=True,
        )[0]

    def _uniform(
        self, low: float, high: float, count: int, channels: int = 1
    ) -> Tensor:
        """Random factors that broadcast over pictures."""
        drawn = self.random.uniform(low, high, (count, channels, 1, 1))
        return torch.from_numpy(drawn).float()

    def _normal(self, *shape: int) -> Tensor:
        """Random values of spread 1."""
        return torch.from_numpy(self.random.standard_normal(shape, dtype=np.float32))

    def _recolour(self, batch: Tensor) -> Tensor:
        """Desaturate, change contrast and tint, add a slow shade and fine noise."""
        n = len(batch)
        grey = batch.mean(1, keepdim=True)
        batch = grey + self._uniform(0.0, 1.0, n) * (batch - grey)
        mean = batch.mean((2, 3), keepdim=True)
        tint = self._uniform(0.8, 1.2, n, 3)
        batch = self._uniform(0.6, 1.4, n) * (batch - mean) + mean * tint
        shade = functional.interpolate(
            self._normal(n, 3, 2, 2), batch.shape[2:], mode="bilinear"
        )
        noise = self._uniform(0.0, 0.05, n) * self._normal(*batch.shape)
        return (batch + 0.1 * shade + noise - 0.45) / 0.25
