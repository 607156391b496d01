"""Hashes of open networks' files, each computed once while it is what was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.jobs.sessions import hash_network
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.model import OpenModel


class FileHashes(QObject):
    """Asks for the hash of whatever is opened, and stops where it is closed.

    Parameters
    ----------
    jobs
        Reads the files.
    """

    found = Signal()
    """One more hash is known."""

    def __init__(self, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
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
        kept = {model.id for model in models}
        for model in self._models:
            if model.id not in kept:
                self._jobs.cancel(_key(model))
        self._models = models
        for model in models:
            if model.bank not in self._hashes:
                self._ask(model)

    def _ask(self, model: OpenModel) -> None:
        self._hashes[model.bank] = ""
        self._jobs.submit(
            "files",
            _key(model),
            f"Hash {shown(model.bank.path.name)}",
            Reaction(done=self._done(model.bank), quiet=True),
            hash_network,
            model.bank,
        )

    def _done(self, bank: KernelBank) -> Callable[[str], None]:
        def done(sha256: str) -> None:
            self._hashes[bank] = sha256
            self.found.emit()

        return done


def _key(model: OpenModel) -> str:
    return f"hash {model.id}"
