"""Has kernels named by the family in the background, after all that is urgent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.requests import Requests
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.analysing import name_by_family
from kernelviewer.kernels.bank import size_label

if TYPE_CHECKING:
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import FamilyNames
    from kernelviewer.state.document import Document

    Key = tuple[int, Size]

Status = Literal["none", "ask", "running", "done"]
LIMIT = 200_000
"""With more kernels of one size, which their codes name, they are named by the family
as well only when asked for."""
SILENT = 20_000
"""A network with more of them has its naming listed among the jobs."""


class FamilyScheduler(QObject):
    """Asks for the family names of every network and size.

    Codes come first. Where the family names the kernels it is asked for all of them.

    Parameters
    ----------
    document
        Gets the results.
    jobs
        Runs the naming.
    """

    changed = Signal()
    """What is running or waits to be asked for has changed."""

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._device = ""
        self._asked: Requests[Key] = Requests(jobs)
        self._declined: set[Key] = set()
        self._wished: set[Size] = set()
        self._seen: object = None
        document.changed.connect(self.look)

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device, self._seen = device, None
        self._declined.clear()
        self.look()

    def request(self, size: Size) -> None:
        """Name the kernels of a size, however many there are."""
        self._wished.add(size)
        self._declined = {key for key in self._declined if key[1] != size}
        self._seen = None
        self.look()

    def status(self, size: Size | None) -> Status:
        """How far the naming of a size's kernels is."""
        keys = [] if size is None else self._keys(size)
        if not keys:
            return "none"
        if all(key in self._document.families for key in keys):
            return "done"
        if any(key in self._asked for key in keys):
            return "running"
        return "ask"

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        document = self._document
        computed = (document.analyses, document.families)
        seen = (document.models, *computed, document.size, document.naming)
        if seen == self._seen:
            return
        self._seen = seen
        before = self._asked.keys()
        sizes, now = document.sizes, document.size
        open_now = {(m.id, size): m for m in document.models for size in sizes}
        self._asked.keep(open_now)
        self._declined &= open_now.keys()
        if self._device:
            for size in sorted(sizes, key=lambda size: size != now):
                wished = size in self._wished or document.named_by(size) == "family"
                if sizes[size] <= LIMIT or wished:
                    for key in self._keys(size):
                        self._ask(key)
        if before != self._asked.keys():
            self.changed.emit()

    def _keys(self, size: Size) -> list[Key]:
        """Networks of a size that the family has members of, once encoded."""
        from kernelviewer.kernels.family import supported

        known = self._document.analyses
        keys = ((model.id, size) for model in self._document.models)
        found = [key for key in keys if key in known]
        return found if found and supported(size) else []

    def _ask(self, key: Key) -> None:
        if (
            key in self._document.families
            or key in self._asked
            or key in self._declined
        ):
            return
        model, size = self._document.model(key[0]), key[1]
        kernels = model.bank.sizes[size]

        def done(result: tuple[FamilyNames, str]) -> str:
            names, note = result
            self._document.set_family(model.bank, size, names)
            self.changed.emit()
            return note or f"{spaced(len(kernels))} kernels"

        def given_up() -> None:
            self._declined.add(key)
            self.changed.emit()

        title = f"Name {size_label(size)} of {model.bank.name} by the family"
        reaction = Reaction(
            done,
            failed=lambda message, hint: given_up(),
            stopped=given_up,
            quiet=len(kernels) <= SILENT,
            background=True,
        )
        name = f"family {key[0]} {size_label(size)}"
        task, device = name_by_family, self._device
        self._asked.submit(
            key, model, "compute", name, title, reaction, task, kernels, device
        )
