"""Which kernels a figure shows, from the view state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures import EXHIBITS, FigureError, FigureNaming
from kernelviewer.figures.scene import Coding
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.drawing import FigureRequest, Part
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_scope, describe_selection
from kernelviewer.state.own_names import tag_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures import FigureOptions
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.film import Track
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

NOISE = 0
"""In place of a network's id: white noise. Ids begin at 1."""
MODEL = "model:"


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be shown: its key, what people read, how many kernels it has."""

    key: str
    text: str
    count: int


class FigureRequests:
    """Turns the document's state into wishes for figures."""

    def __init__(self, window: WindowContext) -> None:
        self._window = window
        self._codings: tuple[PoolLabels, tuple[Coding, ...]] | None = None
        self._step_codings: tuple[Track, tuple[Coding, ...]] | None = None

    @property
    def state(self) -> ViewState:
        """What the views show."""
        return self._window.state

    def forget(self) -> None:
        """Keep nothing of networks that may be closed."""
        self._codings = self._step_codings = None

    def choices(self) -> tuple[Choice, ...]:
        """What can be shown now, with counts; what is empty is left out."""
        state, pool = self.state, self.state.pool
        if pool is None:
            return ()
        selected, shown = int(state.counted_selected.sum()), int(state.counted.sum())
        found = []
        if not state.shown.all() and shown:
            found.append(_choice("shown", f"in view: {describe_scope(state)}", shown))
        found.append(_choice("all", "all open", state.sizes[pool.size]))
        if selected:
            text = f"selected: {describe_selection(state)}"
            found.append(_choice("selected", text, selected))
        if state.focus is not None:
            found.append(_choice("focus", "the focused kernel", 1))
        if len(pool.models) > 1:
            found += [
                _choice(f"{MODEL}{model.id}", model.name, len(kernels))
                for model, kernels in zip(pool.models, pool.sets, strict=True)
            ]
        return tuple(found)

    def networks(self) -> tuple[tuple[int, str], ...]:
        """Id and name of each network that has kernels of the size."""
        pool = self.state.pool
        return tuple((m.id, m.name) for m in pool.models) if pool else ()

    def is_waiting(self) -> bool:
        """True if codes are not there yet."""
        return self.state.pool is not None and self.state.named is None

    def wish(
        self,
        kind: str,
        key: str,
        options: FigureOptions,
        *,
        rivals: tuple[int, int] | None = None,
        caption: str = "",
    ) -> FigureRequest:
        """What is to be drawn.

        Parameters
        ----------
        key
            Of one of `choices`; where that is not there any more, all is shown.
        rivals
            Ids of the two networks to compare; the second may be `NOISE`.

        Raises
        ------
        FigureError
            There are no kernels to show.
        """
        state, pool = self.state, self.state.pool
        if pool is None:
            raise FigureError("there are no kernels to show", "Open a network first.")
        mask, words = self._mask(key, pool)
        item = EXHIBITS[kind]
        rivals = (rivals or self.compared) if item.compares else None
        if item.pairs and rivals is not None:
            if rivals == self.compared:
                mask = self._with_partners(mask)
            else:  # layers were paired by hand in other networks
                options = options.with_values({"pairing": None})
        if item.is_run and state.run is not None:
            parts = self._steps(pool, mask, state.run)
        else:
            parts = self._parts(pool, mask, rivals)
        if not parts:
            raise FigureError(
                f"no {size_label(pool.size)} kernels are selected",
                "Select some, or choose what else to show.",
            )
        naming = FigureNaming(
            state.autoencoder,
            state.threshold,
            state.learned_stretches or (),
            state.naming,
            state.own_classes,
        )
        return FigureRequest(
            kind=kind,
            parts=parts,
            size=pool.size,
            selection=words,
            naming=naming,
            device=self._window.settings.device,
            options=options,
            caption=caption,
            count_equal=state.charts.equal == "all",
        )

    @property
    def compared(self) -> tuple[int, int] | None:
        """Ids of the two networks that are compared in the window."""
        how = self.state.comparing
        return None if how is None else (how.a, how.b)

    def _with_partners(
        self, mask: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_] | None:
        """What is shown, with the kernels that correspond to it."""
        pairs = self.state.pairs
        return mask if mask is None or pairs is None else pairs.spread(mask)

    def _mask(self, key: str, pool: KernelPool) -> tuple[NDArray[np.bool_] | None, str]:
        """Which kernels of the pool (None: all), and what they are in words."""
        state = self.state
        if key == "shown" and not state.shown.all():
            return state.shown, describe_scope(state)
        if key == "selected":
            words = describe_selection(state)
            if not state.shown.all():
                words = f"{words} in {describe_scope(state)}"
            return state.selected, words
        if key == "focus" and state.focus is not None:
            mask = np.zeros(len(pool), bool)
            mask[state.focus] = True
            return mask, ""
        if key.startswith(MODEL):
            mask = np.zeros(len(pool), bool)
            for model, start, end in _spans(pool):
                mask[start:end] = f"{MODEL}{model}" == key
            return (mask if mask.any() else None), ""
        return None, ""

    def _parts(
        self,
        pool: KernelPool,
        mask: NDArray[np.bool_] | None,
        rivals: tuple[int, int] | None,
    ) -> tuple[Part, ...]:
        """The networks of which something is shown; the rivals in their order."""
        codings = self._known_codings(pool)
        found: dict[int, Part] = {}
        for row, (model, start, end) in enumerate(_spans(pool)):
            shown = None if mask is None else mask[start:end]
            if shown is not None and not shown.any():
                continue
            if shown is not None and shown.all():
                shown = None
            coding = codings[row] if codings else None
            network = pool.models[row]
            called = "" if network.name == network.bank.name else network.name
            found[model] = Part(
                network.bank, shown, coding, called=called, tags=self._tags(start, end)
            )
        if rivals is None:
            return tuple(found.values())
        return tuple(found[model] for model in dict.fromkeys(rivals) if model in found)

    def _tags(self, start: int, end: int) -> NDArray[np.str_] | None:
        """Names of the tags of a network's kernels, by where they lie in the pool."""
        state = self.state
        if state.tag_bits is None:
            return None
        bits = state.tag_bits[start:end]
        return np.array(tag_texts(state.tags, bits, len(bits)), np.str_)

    def _steps(
        self, pool: KernelPool, mask: NDArray[np.bool_] | None, model: OpenModel
    ) -> tuple[Part, ...]:
        """The steps of a run, with the same kernels of each."""
        run = model.run
        span = next((s for s in _spans(pool) if s[0] == model.id), None)
        if run is None or span is None:
            return ()
        shown = None if mask is None else mask[span[1] : span[2]]
        if shown is not None and shown.all():
            shown = None
        if shown is not None and not shown.any():
            return ()
        codings = self._codings_of(model, pool.size) or [None] * len(run)
        return tuple(
            Part(model.bank, shown, coding, run, step)
            for step, coding in enumerate(codings)
        )

    def _codings_of(self, model: OpenModel, size: Size) -> tuple[Coding, ...]:
        """The same of each step of a run, as far as they are known."""
        track = self.state.track
        if track is None or not track.fits(model.bank, model.bank.sizes[size]):
            return ()
        if self._step_codings is None or self._step_codings[0] is not track:
            codings = (
                Coding(
                    track.codes(step).code,
                    track.codes(step).fit,
                    track.named[step].astype(np.int64),
                )
                for step in range(len(track.code))
            )
            self._step_codings = track, tuple(codings)
        return self._step_codings[1]

    def _known_codings(self, pool: KernelPool) -> tuple[Coding, ...]:
        """Codes and best classes of each network, the same objects while they last."""
        named = self.state.named
        if named is None:
            return ()
        if self._codings is None or self._codings[0] is not named:
            best = named.best.astype(np.int64)
            spans = [slice(start, end) for _, start, end in _spans(pool)]
            codings = (Coding(named.code[s], named.fit[s], best[s]) for s in spans)
            self._codings = named, tuple(codings)
        return self._codings[1]


def _spans(pool: KernelPool) -> list[tuple[int, int, int]]:
    """Id of each network, and where its kernels begin and end in the pool."""
    return [
        (model.id, int(start), int(end))
        for model, start, end in zip(
            pool.models, pool.starts[:-1], pool.starts[1:], strict=True
        )
    ]


def _choice(key: str, text: str, count: int) -> Choice:
    kernels = "kernel" if count == 1 else "kernels"
    return Choice(key, f"{text} ({spaced(count)} {kernels})", count)
