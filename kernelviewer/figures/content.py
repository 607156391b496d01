"""What every exhibit makes of a scene, or the error that says why it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from kernelviewer.formats.errors import HintedError
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions, Own
    from kernelviewer.figures.page import Page
    from kernelviewer.figures.scene import Scene
    from kernelviewer.watch import Watch


class FigureError(HintedError):
    """A figure that cannot be made, said for the person who asked for it."""


class OptionError(FigureError):
    """An option that no figure can have: a value out of range or an unknown name."""


def too_narrow(what: str) -> FigureError:
    """The error that says what does not fit into the width."""
    hint = "Make the figure wider, or its font smaller."
    return FigureError(f"{what} into this width", hint)


def too_low(what: str, options: FigureOptions) -> FigureError:
    """The error that says what does not fit into the height asked for."""
    height = options.height_mm
    room = "this height" if height is None else f"{height:g} mm"
    return FigureError(f"{what} into {room}", "Make the figure higher.")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, all of one length: what is drawn, as CSV has it."""

    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def of_rows(cls, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
        """Rows under the names of their columns."""
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        return cls(dict(zip(names, columns, strict=True)))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


class Content(Protocol):
    """The data of one exhibit: drawn again quickly when only the look changes."""

    def draw(self, options: FigureOptions, watch: Watch) -> Page:
        """Lay it out on a page, within `figure_style`."""

    def caption(self) -> str:
        """Sentences for below the figure."""

    def table(self) -> Table:
        """The drawn data, as rows."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The drawn data, as arrays."""


def always(_options: FigureOptions) -> bool:
    """Yes, whatever the options are."""
    return True


def _never(_options: FigureOptions) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A kind of figure."""

    kind: str
    """Its name on the command line."""
    title: str
    summary: str
    """What people read in menus, and one line more."""
    place: str
    """Module and function of `kernelviewer.figures.exhibits` that gather its data."""
    needs_file: bool = True
    """Whether there is nothing to draw without a network."""
    needs_classes: Callable[[FigureOptions], bool] = _never
    """Whether it cannot be drawn as the options say without classes."""
    shows_classes: bool = False
    """Whether classes are shown where there are any."""
    compares: bool = False
    """Whether two networks are chosen to stand beside each other."""
    pairs: bool = False
    """Whether it needs two networks: kernels of theirs that correspond are shown."""
    pools: bool = False
    """Whether networks are counted together in it: equal kernels count once."""
    of_counts: bool = False
    """Whether it needs no kernels, but counts of them by class, as a corpus has."""
    is_run: bool = False
    """Whether its networks are the steps of one training run."""
    with_classes: Callable[[FigureOptions], bool] = _never
    """Whether, as the options say, its kernels stand with their classes; matters where
    it ``uses`` the option ``mean``."""
    uses: tuple[str, ...] = ()
    """The options that matter to it beside the looks."""
    own: tuple[Own[Any], ...] = ()
    """Options that no other exhibit has."""

    def prepare(
        self, scene: Scene, options: FigureOptions, watch: Watch = NEVER
    ) -> Content:
        """The data; options that change what is shown (seed, samples) count."""
        module, _, name = self.place.partition(".")
        found = import_module(f"kernelviewer.figures.exhibits.{module}")
        content: Content = getattr(found, name)(scene, options, watch)
        return content

    def has(self, name: str) -> bool:
        """True if an option matters to it beside the looks."""
        return name in self.uses or any(name == item.name for item in self.own)
