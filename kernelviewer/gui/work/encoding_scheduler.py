"""Has whatever is open encoded in the background, the shown size first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.requests import Requests
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.analysing import analyse
from kernelviewer.kernels.bank import size_label

if TYPE_CHECKING:
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.jobs.analysing import Analysed
    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import Stage
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel

    Key = tuple[int, Size]


class EncodingScheduler(QObject):
    """Asks for the codes of every open network and size that has none yet.

    Parameters
    ----------
    document
        Gets the results.
    jobs
        Runs the encoding.

    Attributes
    ----------
    stage
        Why kernels of the shown size that have no codes have none.
    """

    stage_changed = Signal(str)

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._device = ""
        self._starting = False
        self._asked: Requests[Key] = Requests(jobs)
        self._given_up: set[Key] = set()
        self.stage: Stage = "encoding"
        document.changed.connect(self.look)

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device, self._starting = device, False
        self.encode_again()

    def set_starting(self) -> None:
        """Torch is being imported for the device."""
        self._starting = not self._device
        self._tell()

    def encode_again(self) -> None:
        """Ask also for what was cancelled or has failed."""
        self._given_up.clear()
        self.look()

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        if self._device:
            self._ask_for_missing()
        self._tell()

    def _tell(self) -> None:
        """Say how far the shown size is, if that is news."""
        size = self._document.size
        given_up = any(key[1] == size for key in self._given_up)
        stage: Stage = "stopped" if given_up else "encoding"
        if self._starting:
            stage = "starting"
        if stage != self.stage:
            self.stage = stage
            self.stage_changed.emit(stage)

    def _ask_for_missing(self) -> None:
        document = self._document
        wanted = {
            (model.id, size): model
            for model in document.models
            for size in model.bank.sizes
        }
        self._asked.keep(wanted)
        self._given_up &= wanted.keys() - document.analyses.keys()
        now = document.size
        for key in sorted(wanted, key=lambda key: key[1] != now):
            known = (document.analyses, self._asked, self._given_up)
            if not any(key in kept for kept in known):
                self._ask(wanted[key], key[1])

    def _ask(self, model: OpenModel, size: Size) -> None:
        key = (model.id, size)
        kernels = model.bank.sizes[size]

        def done(result: Analysed) -> str:
            now = self._document.autoencoders.get(size)
            if now is not None and now is not result.autoencoder:
                self._asked.forget(key)
                self.look()
                return "encoded anew with another autoencoder"
            by = result.autoencoder
            with self._document.batch():
                if by is not None:
                    self._document.set_autoencoder(by)
                self._document.set_analysis(model.bank, size, result.analysis, by)
            if by is None:
                return "there is no autoencoder for this size"
            return result.note or f"{spaced(len(kernels))} kernels"

        def given_up() -> None:
            self._given_up.add(key)
            self._tell()

        title = f"Encode {size_label(size)} of {model.bank.name}"
        known = self._document.autoencoders.get(size)
        self._asked.submit(
            key,
            model,
            "compute",
            f"encode {model.id} {size_label(size)}",
            title,
            Reaction(done, failed=lambda message, hint: given_up(), stopped=given_up),
            analyse,
            kernels,
            known,
            self._device,
        )
