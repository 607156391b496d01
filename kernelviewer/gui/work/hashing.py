"""Hashes of open networks' files, each computed once while it is what was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.requests import Requests
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.model import OpenModel


class FileHashes(QObject):
    """Asks for the hash of whatever is opened, and stops where it is closed.

    A large file takes a core for seconds: first come the labels, and other files.

    Parameters
    ----------
    jobs
        Reads the files.
    """

    found = Signal()
    """One more hash is known."""

    def __init__(self, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: Requests[int] = Requests(jobs)
        self._models: tuple[OpenModel, ...] = ()
        self._hashes: WeakKeyDictionary[KernelBank, str] = WeakKeyDictionary()

    @property
    def known(self) -> dict[KernelBank, str]:
        """What is known now; empty texts where it is not."""
        return dict(self._hashes)

    def learn(self, hashes: Mapping[KernelBank, str]) -> None:
        """Take over hashes that were computed elsewhere."""
        self._hashes.update(hashes)

    def look(self, models: tuple[OpenModel, ...]) -> None:
        """Ask for what is missing of the open networks."""
        if models is self._models:
            return
        self._models = models
        self._asked.keep({model.id: model.bank for model in models})
        for model in models:
            if model.bank not in self._hashes and model.id not in self._asked:
                self._ask(model)

    def _ask(self, model: OpenModel) -> None:
        from kernelviewer.jobs.sessions import hash_network

        def done(sha256: str) -> None:
            self._hashes[model.bank] = sha256
            self.found.emit()

        def failed(message: str, hint: str) -> None:
            self._hashes[model.bank] = ""

        name, title = f"hash {model.id}", f"Hash {shown(model.bank.path.name)}"
        reaction = Reaction(done=done, failed=failed, quiet=True, background=True)
        self._asked.submit(
            model.id,
            model.bank,
            "compute",
            name,
            title,
            reaction,
            hash_network,
            model.bank,
        )
