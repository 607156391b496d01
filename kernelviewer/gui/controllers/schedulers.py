"""What runs by itself as the open work changes: codes, names, hashes, memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Concatenate, Generic, Literal, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QTimer, Signal

from kernelviewer.gui.jobs import Reaction, Requests
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.analysing import analyse, name_by_family
from kernelviewer.jobs.tasks import tidy
from kernelviewer.kernels.bank import size_label
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.jobs.analysing import Analysed
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.state.analysis import FamilyNames, Stage, Status
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.document import Document
    from kernelviewer.state.keys import KeyChoice, Keyed
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.presenter import Presenter

    Key = tuple[int, Size]

K = TypeVar("K")
P = ParamSpec("P")

LIMIT = 200_000
"""With more kernels of one size, which their codes name, they are named by the family
as well only when asked for."""
SILENT = 20_000
"""A network with more of them has its naming listed among the jobs."""
REST_MS = 500
MANY = 100_000
"""With fewer kernels there is nothing worth giving back."""


class Scheduler(QObject, Generic[K]):
    """Asks for what the open work lacks; what was stopped or failed is not asked again.

    Parameters
    ----------
    document
        Gets the results; `look` is called whenever it changes.
    """

    changed = Signal()
    """What is running, or was given up, has changed."""

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._asked: Requests[K] = Requests(jobs)
        self._given_up: set[K] = set()
        document.changed.connect(self.look)

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        raise NotImplementedError

    def _submit(
        self,
        key: K,
        subject: object,
        name: str,
        title: str,
        reaction: Reaction,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Run a task as `Requests.submit`, and remember if it is given up."""

        def given_up(*told: str) -> None:
            self._given_up.add(key)
            self.changed.emit()

        answer = replace(reaction, failed=given_up, stopped=given_up)
        self._asked.submit(
            key, subject, "compute", name, title, answer, task, *args, **kwargs
        )


class EncodingScheduler(Scheduler["Key"]):
    """Asks for the codes of every open network and size that has none yet.

    Attributes
    ----------
    stage
        Why kernels of the shown size that have no codes have none.
    """

    stage_changed = Signal(str)

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(document, jobs, parent)
        self._device = ""
        self._starting = False
        self.stage: Stage = "encoding"
        self.changed.connect(self._tell)

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
        self._asked.keep({key: model.bank for key, model in wanted.items()})
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

        label = size_label(size)
        name = f"encode {model.id} {label}"
        title = f"Encode {label} of {model.name}"
        known, device = self._document.autoencoders.get(size), self._device
        reaction, bank = Reaction(done, kind="Encode kernels"), model.bank
        self._submit(key, bank, name, title, reaction, analyse, kernels, known, device)


class FamilyScheduler(Scheduler["Key"]):
    """Asks for the family names of every network and size.

    Codes come first. Where the family names the kernels it is asked for all of them.
    """

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(document, jobs, parent)
        self._device = ""
        self._wished: set[Key] = set()
        self._seen: object = None

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device, self._seen = device, None
        self._given_up.clear()
        self.look()

    def request(self, size: Size) -> None:
        """Name the kernels of a size, however many, while what is open now is."""
        self._wished |= {(model.id, size) for model in self._document.models}
        self._given_up = {key for key in self._given_up if key[1] != size}
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
        open_now = {(m.id, size): m.bank for m in document.models for size in sizes}
        self._wished &= open_now.keys()
        self._asked.keep(open_now)
        self._given_up &= open_now.keys()
        if self._device:
            for size in sorted(sizes, key=lambda size: size != now):
                wished = any(key[1] == size for key in self._wished)
                wished |= document.named_by(size) == "family"
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
            or key in self._given_up
        ):
            return
        model, size = self._document.model(key[0]), key[1]
        kernels = model.bank.sizes[size]

        def done(result: tuple[FamilyNames, str]) -> str:
            names, note = result
            self._document.set_family(model.bank, size, names)
            self.changed.emit()
            return note or f"{spaced(len(kernels))} kernels"

        label = size_label(size)
        name, title = f"family {key[0]} {label}", f"Name {label} of {model.name}"
        reaction = Reaction(
            done,
            quiet=len(kernels) <= SILENT,
            background=True,
            kind="Name kernels by the family",
        )
        task, device = name_by_family, self._device
        self._submit(
            key,
            model.bank,
            name,
            f"{title} by the family",
            reaction,
            task,
            kernels,
            device,
        )


class ComparisonScheduler(Scheduler["tuple[Comparing, KernelBank, KernelBank]"]):
    """Compares the two networks that the document names, at the steps they stand on."""

    @property
    def stage(self) -> Literal["none", "running", "stopped", "done"]:
        """How far the comparison is."""
        how = self._document.comparing
        if how is None:
            return "none"
        if self._document.comparison is not None:
            return "done"
        return "stopped" if self._key in self._given_up else "running"

    @property
    def _key(self) -> tuple[Comparing, KernelBank, KernelBank] | None:
        how, model = self._document.comparing, self._document.model
        return None if how is None else (how, model(how.a).bank, model(how.b).bank)

    def compare_again(self) -> None:
        """Ask also for what was cancelled or has failed."""
        self._given_up.clear()
        self.look()
        self.changed.emit()

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        key, known = self._key, self._document.comparison is not None
        self._given_up &= {key}
        self._asked.keep({} if key is None or known else {key: key[1]})
        asked = key in self._asked or key in self._given_up
        if key is not None and not known and not asked:
            self._ask(*key)

    def _ask(self, how: Comparing, first: KernelBank, second: KernelBank) -> None:
        from kernelviewer.jobs.analysing import compare_networks

        before, after = map(self._document.model, (how.a, how.b))

        def done(found: Comparison) -> str:
            self._document.set_comparison(how, found)
            return f"{spaced(len(found))} pairs"

        title = f"Compare {before.name} with {after.name}"
        quiet = how.match != "best" and len(first) <= SILENT
        reaction, task = Reaction(done, quiet=quiet), compare_networks
        key = how, first, second
        self._submit(key, first, "compare", title, reaction, task, first, second, how)


class KeysScheduler(Scheduler["tuple[KeyChoice, Size]"]):
    """Has the open kernels approximated by keys, when a view asks for it.

    Searching keys takes seconds, and nobody may want to see them.
    """

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(document, jobs, parent)
        self._problems: dict[tuple[KeyChoice, Size], str] = {}
        self._models: tuple[OpenModel, ...] = ()
        self._told: tuple[KeyChoice, Size] | None = None

    @property
    def problem(self) -> str:
        """Why there are no keys of the shown size; empty if nothing is wrong."""
        if (key := self._key) is None:
            return ""
        stopped = "The search was stopped." if key in self._given_up else ""
        return self._problems.get(key, stopped)

    @property
    def _key(self) -> tuple[KeyChoice, Size] | None:
        size = self._document.size
        return None if size is None else (self._document.keys, size)

    def look(self) -> None:
        """Stop what nobody needs any more, and tell of another choice or networks."""
        document, key = self._document, self._key
        opened = document.models is not self._models
        if opened:
            self._models = document.models
            self._asked.keep({})
            self._given_up.clear()
            self._problems.clear()
        self._asked.keep({} if key is None else {key: document.models})
        if opened or key != self._told:
            self._told = key
            self.changed.emit()

    def request(self) -> None:
        """Approximate the kernels of the shown size, unless that failed before."""
        document, key = self._document, self._key
        if key is None or document.keyed_of(key[1]) is not None:
            return
        known = (self._asked, self._given_up, self._problems)
        if not any(key in kept for kept in known):
            self._ask(*key)

    def again(self) -> None:
        """Ask also for what was stopped, or has failed."""
        self._given_up.clear()
        self._problems.clear()
        self.request()
        self.changed.emit()

    def _ask(self, choice: KeyChoice, size: Size) -> None:
        from kernelviewer.jobs.analysing import key_networks

        def done(found: Keyed | str) -> str:
            if isinstance(found, str):
                self._problems[choice, size] = found
                self.changed.emit()
                return found
            self._document.set_keyed(choice, size, found)
            return f"{len(found.keys)} keys"

        document, label = self._document, size_label(size)
        sought = choice.by in ("found", "centroids")
        title = f"Seek {choice.count} keys for" if sought else "Keys of"
        key, models, known = (
            (choice, size),
            document.models,
            document.nearly_keyed(size),
        )
        title = f"{title} {label} kernels"
        reaction, task = Reaction(done, quiet=not sought), key_networks
        banks = document.banks
        self._submit(
            key, models, "keys", title, reaction, task, banks, size, choice, known
        )


class FileHashes(QObject):
    """Asks for the hash of whatever is opened, and stops where it is closed.

    A large file takes a core for seconds: first come the labels, and other files. Those
    of a run are hashed when it is saved.
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
            known = model.bank in self._hashes or model.run is not None
            if not known and model.id not in self._asked:
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
        bank, task = model.bank, hash_network
        self._asked.submit(model.id, bank, "compute", name, title, reaction, task, bank)


class MemoryReleaser(QObject):
    """Once the document has rested, hidden views let go of a run's other steps.

    Where there are many kernels a quiet task gives memory back.
    """

    def __init__(
        self, document: Document, jobs: Jobs, presenter: Presenter, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._presenter = document, jobs, presenter
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)
        document.changed.connect(self._on_changed)

    @property
    def _has_many(self) -> bool:
        return sum(map(len, self._document.banks)) >= MANY

    def _on_changed(self) -> None:
        if self._has_many or self._presenter.holds_steps:
            self._rest.start()

    def _on_rest(self) -> None:
        if self._presenter.holds_steps:
            self._presenter.show_hidden()
        if self._has_many:
            self._jobs.submit("compute", "tidy", "Tidy", Reaction(quiet=True), tidy)
