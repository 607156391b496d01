"""Names of networks, layers and kernels in a session, and what they mean now."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kernelviewer.kernels.bank import size_key
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.session import runs
from kernelviewer.state.session.checks import (
    fail,
    kernel_size,
    listing,
    table,
    text,
    whole,
)
from kernelviewer.state.session.model import SessionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.session.model import Plain


_DEEPEST = 20


class Places:
    """The networks of a session by their number from 0 on.

    Parameters
    ----------
    models
        In the session's order; None where one is not there. Without any of them,
        reading merely checks the types.

    Attributes
    ----------
    missing
        What reading found no place for: (network number, what) → how many.
    """

    def __init__(self, models: Sequence[OpenModel | None]) -> None:
        self._models = tuple(models)
        self._numbers = {
            model.id: number for number, model in enumerate(models) if model is not None
        }
        self.missing: Counter[tuple[int, str]] = Counter()
        self._depth = 0

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Around what may hold more of its kind."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SessionError("the session is damaged: it is nested too deep")
        try:
            yield
        finally:
            self._depth -= 1

    # --- writing ---

    def layer_names(self, layers: Iterable[LayerRef]) -> Plain:
        """Layers of open networks as network number → names in network order."""
        found: dict[int, list[str]] = {}
        for ref in sorted(layers):
            number = self._numbers.get(ref.model)
            model = None if number is None else self._models[number]
            if number is not None and model is not None:
                names = found.setdefault(number, [])
                names.append(model.bank.layers[ref.layer].name)
        return {str(number): found[number] for number in sorted(found)}

    def kernel_runs(self, indices: Mapping[int, NDArray[np.int64]]) -> Plain:
        """Kernels of open networks as network number → runs; none are left out."""
        return {
            str(self._numbers[identity]): runs.to_text(chosen)
            for identity, chosen in indices.items()
            if identity in self._numbers and len(chosen)
        }

    def kernel(self, ref: KernelRef) -> Plain | None:
        """One kernel; None if its network is closed."""
        if ref.model not in self._numbers:
            return None
        return {
            "network": self._numbers[ref.model],
            "size": size_key(ref.size),
            "index": int(ref.index),
        }

    # --- reading ---

    def layers(self, value: Any, where: str) -> frozenset[LayerRef]:
        """What `layer_names` wrote, as far as it is there."""
        found = set()
        for key, names in table(value, where).items():
            number, model = self._model(key, where)
            known: dict[str, int] = {}
            if model is not None:
                for index, layer in enumerate(model.bank.layers):
                    known.setdefault(layer.name, index)
            for name in listing(names, where):
                if text(name, where) in known and model is not None:
                    found.add(LayerRef(model.id, known[name]))
                else:
                    self.missing[number, "layer"] += 1
        return frozenset(found)

    def kernels(
        self, value: Any, size: Size, where: str
    ) -> dict[int, NDArray[np.int64]]:
        """What `kernel_runs` wrote, as far as it is there: model id → indices."""
        found = {}
        for key, written in table(value, where).items():
            firsts, lasts = runs.from_text(text(written, where), where)
            number, model = self._model(key, where)
            count = _count(model, size)
            indices, beyond = runs.within(firsts, lasts, count)
            if beyond:
                self.missing[number, "kernel"] += beyond
            if model is not None:
                found[model.id] = indices
        return found

    def kernel_at(self, value: Any, where: str) -> KernelRef | None:
        """What `kernel` wrote; None where it is not there."""
        given = table(value, where)
        size = kernel_size(given.get("size"), f"{where}.size")
        index = whole(given.get("index"), f"{where}.index")
        key = str(whole(given.get("network"), f"{where}.network"))
        number, model = self._model(key, where)
        if model is None or index >= _count(model, size):
            self.missing[number, "kernel"] += 1
            return None
        return KernelRef(model.id, size, index)

    def _model(self, key: str, where: str) -> tuple[int, OpenModel | None]:
        if not (key.isascii() and key.isdigit() and len(key) < 7):
            raise fail(where, "a table by number of network")
        number = int(key)
        if number >= len(self._models) or str(number) != key:
            raise fail(where, f"about the {len(self._models)} networks it names")
        return number, self._models[number]


def _count(model: OpenModel | None, size: Size) -> int:
    """How many kernels of a size a network has."""
    kernels = model.bank.sizes.get(size) if model is not None else None
    return 0 if kernels is None else len(kernels)
