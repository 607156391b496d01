"""The axis that all strips of the spectrum share. Needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 12
"""At both ends, logical pixels."""
_TICK_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """Codes 0 … 1 along device pixels.

    Attributes
    ----------
    left, length
        Where code 0 lies, and how much further code 1: device pixels.
    ratio
        Device pixels per logical pixel.
    """

    left: int
    length: int
    ratio: float

    @classmethod
    def across(cls, width: int, ratio: float) -> Axis:
        """The axis of a widget of this logical width."""
        left = round(MARGIN * ratio)
        return cls(left, max(1, int(width * ratio) - 2 * left - 1), ratio)

    def pixel(self, z: float) -> int:
        """Device pixel of a code."""
        return self.left + round(min(max(z, 0.0), 1.0) * self.length)

    def logical(self, z: float) -> float:
        """Logical x of a code."""
        return self.pixel(z) / self.ratio

    def code(self, x: float) -> float:
        """Code at a logical x, held within 0 … 1."""
        return min(max((x * self.ratio - self.left) / self.length, 0.0), 1.0)

    def span(self, width: float) -> float:
        """How much of the axis so many logical pixels are."""
        return width * self.ratio / self.length

    def ticks(self, widest: float) -> list[tuple[float, str]]:
        """Codes to mark, with their text, none wider than ``widest`` logical pixels."""
        room = self.length / self.ratio
        step = next((s for s in _TICK_STEPS if s * room >= widest), 1.0)
        decimals = 2 if step in (0.05, 0.25) else 1
        codes = [round(i * step, 2) for i in range(round(1 / step) + 1)]
        return [(z, f"{z:.0f}" if z in (0, 1) else f"{z:.{decimals}f}") for z in codes]
