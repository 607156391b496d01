"""Has whatever is open encoded in the background, the shown size first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.analysing import analyse
from kernelviewer.kernels.bank import size_label

if TYPE_CHECKING:
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.jobs.analysing import Analysed
    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel

    Key = tuple[int, Size]


class Analyst(QObject):
    """Asks for the codes of every open network and size that has none yet.

    Parameters
    ----------
    document
        Gets the results.
    jobs
        Runs the encoding.
    """

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._device = ""
        self._asked: dict[Key, tuple[str, OpenModel]] = {}
        document.changed.connect(self.look)

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device = device
        self.look()

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        if not self._device:
            return
        document = self._document
        wanted = {
            (model.id, size): model
            for model in document.models
            for size in model.bank.sizes
        }
        for key, (name, model) in list(self._asked.items()):
            if wanted.get(key) is not model:
                del self._asked[key]
                self._jobs.cancel(name)
        now = document.size
        for key in sorted(wanted, key=lambda key: key[1] != now):
            if key not in document.analyses and key not in self._asked:
                self._ask(wanted[key], key[1])

    def _ask(self, model: OpenModel, size: Size) -> None:
        key = (model.id, size)
        name = f"encode {model.id} {size_label(size)}"
        self._asked[key] = name, model
        kernels = model.bank.sizes[size]

        def done(result: Analysed) -> str:
            now = self._document.autoencoders.get(size)
            if now is not None and now is not result.autoencoder:
                self._asked.pop(key, None)
                self.look()
                return "encoded anew with another autoencoder"
            if result.autoencoder is not None:
                self._document.set_autoencoder(result.autoencoder)
            self._document.set_analysis(model.id, size, result.analysis)
            self._asked.pop(key, None)
            if result.analysis.code is None and result.analysis.family is None:
                return "no autoencoder for this size, and the family has no members"
            return result.note or f"{spaced(len(kernels))} kernels"

        title = f"Encode {size_label(size)} of {model.bank.name}"
        known = self._document.autoencoders.get(size)
        self._jobs.submit(
            "compute",
            name,
            title,
            Reaction(done=done),
            analyse,
            kernels,
            known,
            self._device,
        )
