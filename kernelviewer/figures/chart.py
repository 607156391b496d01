"""Axes and bars on a page, drawn in its own millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernelviewer.figures.page import Page

_TICK = 0.3


@dataclass(frozen=True)
class Chart:
    """A rectangle of the page with data coordinates.

    Attributes
    ----------
    x, y, width, height
        The rectangle, mm.
    xs, ys
        Data coordinates of its left and right, bottom and top.
    """

    page: Page
    x: float
    y: float
    width: float
    height: float
    xs: tuple[float, float]
    ys: tuple[float, float]

    def right(self, value: float) -> float:
        """Place of a value along x, mm."""
        low, high = self.xs
        return self.x + (value - low) / ((high - low) or 1.0) * self.width

    def up(self, value: float) -> float:
        """Place of a value along y, mm."""
        low, high = self.ys
        return self.y + self.height * (1 - (value - low) / ((high - low) or 1.0))

    def bar(
        self, left: float, right: float, low: float, high: float, colour: str
    ) -> None:
        """Fill a rectangle given in data coordinates."""
        if high > low:
            x, y = self.right(left), self.up(high)
            self.page.rectangle(x, y, self.right(right) - x, self.up(low) - y, colour)

    def steps(
        self, edges: Sequence[float], values: Sequence[float], colour: str
    ) -> None:
        """Draw the outline of a histogram."""
        xs = [self.right(edge) for edge in edges for _ in range(2)]
        heights = [self.up(value) for value in values for _ in range(2)]
        base = self.up(self.ys[0])
        width = 1.6 * self.page.face.hairline
        self.page.line(xs, [base, *heights, base], colour=colour, width=width)

    def x_axis(
        self,
        ticks: Sequence[float],
        label: str,
        name: Callable[[float], str] = "{:g}".format,
    ) -> None:
        """Draw the axis below, its ticks and its label.

        Of ticks whose names would touch, the earlier in the list stays.
        """
        page, em = self.page, self.page.face.em
        base = self.y + self.height
        page.line([self.x, self.x + self.width], [base, base])
        taken: list[tuple[float, float]] = []
        for tick in ticks:
            at, half = self.right(tick), page.face.width(name(tick)) / 2 + 0.2 * em
            if any(at - half < right and at + half > left for left, right in taken):
                continue
            taken.append((at - half, at + half))
            page.line([at, at], [base, base + _TICK * em])
            page.text(at, base + 1.45 * em, name(tick), align="center", gid="tick")
        if page.options.labels:
            middle = self.x + self.width / 2
            texts = (label, label.partition(" ")[0])
            text = page.face.first_fitting(texts, self.width + em)
            page.text(middle, base + 2.75 * em, text, align="center", gid="axis")

    def y_axis(self, ticks: Sequence[float], name: Callable[[float], str]) -> None:
        """Draw the axis on the left and its ticks."""
        page, em = self.page, self.page.face.em
        page.line([self.x, self.x], [self.y, self.y + self.height])
        for tick in ticks:
            at = self.up(tick)
            page.line([self.x - _TICK * em, self.x], [at, at])
            left = self.x - 0.5 * em
            page.text(left, at + 0.36 * em, name(tick), align="right", gid="tick")


def axis_height(em: float, labels: bool) -> float:
    """Room in mm below a chart for ticks and label."""
    return (3.1 if labels else 1.8) * em


def nice_ticks(top: float, most: int = 4) -> list[float]:
    """Round numbers from 0 to at most ``top``."""
    if not 0 < top < math.inf:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top / most))
    step = next(k * power for k in (1, 2, 5, 10) if k * power * most >= top)
    return [step * i for i in range(int(top / step + 1e-9) + 1)]


def fit_name(value: float) -> str:
    """A fit as a tick says it: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
