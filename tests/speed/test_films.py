"""What a step of a film costs once the run has been looked through.

Prints ratios; gates on nothing. Run with ``pytest -s tests/speed/test_films.py``. The
floor of a step is a copy of what is kept of it and a count of its classes.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import kernelviewer as kv
from kernelviewer.device import CPU
from kernelviewer.jobs.runs import EncodedRun
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.series import Series, Step
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.film import Film, Track, film_of
from kernelviewer.latent.noise import Null
from kernelviewer.state.model import Run
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.kernels.classes import By

STEPS, KERNELS = 20, 27_000


def least(action: Callable[[], object], times: int = 20) -> float:
    """Least seconds of some runs."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        spent.append(time.perf_counter() - began)
    return min(spent)


def track() -> Track:
    rng = np.random.default_rng(0)
    shape = (STEPS, KERNELS)
    return Track(
        size=(7, 7),
        by="code",
        threshold=0.7,
        null=Null(np.ones(1000, np.int64)),
        layers=tuple(f"layer.{i}" for i in range(60)),
        layer=np.sort(rng.integers(0, 60, KERNELS)).astype(np.int32),
        channel=np.arange(KERNELS, dtype=np.int32),
        code=rng.integers(0, 65535, shape).astype(np.uint16),
        fit=rng.integers(0, 65535, shape).astype(np.uint16),
        best=rng.integers(0, 11, shape).astype(np.int8),
        paper=rng.integers(0, 11, shape).astype(np.int8),
        second=rng.integers(0, 11, shape).astype(np.int8),
        margin=rng.integers(0, 65535, shape).astype(np.uint16),
        near=rng.integers(0, 2048, shape).astype(np.uint32),
        cosine=rng.random(shape).astype(np.float16),
        scale=np.ones(STEPS, np.float32),
        numbers=tuple(range(STEPS)),
    )


def test_a_change_of_step() -> None:
    """Codes, classes and totals of the step that the views then show."""
    found = track()
    found.totals(0)

    def floor() -> None:
        kept = found.code[3].copy(), found.fit[3].copy(), found.best[3].copy()
        np.bincount(kept[2], minlength=len(CLASSES))

    def step() -> None:
        found.codes(3)
        found.labels(3)
        found.totals(3)

    bare, whole = least(floor), least(step)
    kept = found.code.nbytes + found.fit.nbytes
    print(
        f"\n{STEPS} steps × {KERNELS} kernels: a change of step {1e3 * whole:.2f} ms, "
        f"{whole / bare:.1f} × copy and count ({1e3 * bare:.3f} ms); when all formed "
        f"{1e3 * least(found.formation, 5):.1f} ms; codes and fits "
        f"{kept / STEPS / KERNELS:.0f} bytes a kernel and step"
    )


def _later(bank: KernelBank, step: int) -> KernelBank:
    """The same network with other kernels."""
    kernels, rng = bank.sizes[7, 7], np.random.default_rng(step)
    weights = kernels.weights + rng.normal(
        scale=0.02 * step, size=kernels.weights.shape
    ).astype(np.float32)
    weights[kernels.flat] = 0
    offset = weights.mean((1, 2))
    scale = np.sqrt(np.maximum((weights**2).sum((1, 2)) - 49 * offset**2, 0))
    other = replace(kernels, weights=weights, offset=offset, scale=scale)
    return replace(
        bank,
        path=bank.path.with_name(f"step {step}.safetensors"),
        name=f"step {step}",
        sizes={(7, 7): other},
    )


def test_playing_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps a second in the window once a run is encoded, all of it painted."""
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui import create_window
    from kernelviewer.gui.controllers import runs
    from kernelviewer.state.settings import Settings
    from tests.speed.linked_harness import SIZE, make_bank, naive, settle

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    window = create_window(settings=Settings(theme="light"))
    window.resize(1600, 1000)
    window.show()
    first = make_bank("step 0", KERNELS, 0)
    banks = [first, *(_later(first, step) for step in range(1, STEPS))]
    files = (Step(bank.path, bank.name, {}, (0, 0)) for bank in banks)
    run = Run("run", tuple(files), tuple(range(STEPS)), "step")
    kernels = banks[0].sizes[SIZE]
    used, layer = np.unique(kernels.layer, return_inverse=True)
    names = tuple(banks[0].layers[i].name for i in used)
    like = {"layers": names, "layer": layer, "channel": kernels.channel}
    codes = replace(track(), **like)
    family = replace(codes, by="family")

    def encoded(*given: object) -> EncodedRun:
        film = Film(run.steps, run.numbers, "names", (), {SIZE: codes})
        return EncodedRun(film, replace(film, tracks={SIZE: family}))

    monkeypatch.setattr(runs, "encode_run", encoded)
    for name in ("PLAYED_MS", "SHORTEST_MS"):
        monkeypatch.setattr(runs, name, 0)
    model = window.document.open(banks[-1], run=run, step=STEPS - 1).id
    for step, bank in enumerate(banks):
        window.runs._steps.put(run, step, bank)
    settle(app, window)
    spent = least_busy = least_all = float("inf")
    seen: list[str] = []
    submit = window.jobs.submit

    def listen(lane: Any, key: str, *given: Any, **more: Any) -> Any:
        seen.append(key)
        return submit(lane, key, *given, **more)

    window.jobs.submit = listen  # type: ignore[assignment]
    for _ in range(3):
        window.runs.go_to(model, 0)
        settle(app, window)
        began, busy = time.perf_counter(), time.thread_time()
        every = time.process_time()
        window.runs.toggle(model)
        while window.runs.is_playing(model):
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        settle(app, window)
        spent = min(spent, (time.perf_counter() - began) / (STEPS - 1))
        least_busy = min(least_busy, (time.thread_time() - busy) / (STEPS - 1))
        least_all = min(least_all, (time.process_time() - every) / (STEPS - 1))
        asked = [key for key in seen if key.startswith(("encode", "family"))]
        assert not asked, "a step was encoded anew"
    whole = naive(window) / 1e3
    print(
        f"\n{STEPS} steps × {KERNELS} kernels: {1 / spent:.0f} steps/s by the clock; a "
        f"step takes {1e3 * least_busy:.0f} ms of the window's thread (wished 50) and "
        f"{1e3 * least_all:.0f} of all, {least_busy / whole:.2f} × drawing the whole "
        f"window anew ({1e3 * whole:.0f} ms)"
    )
    window.close()


def test_looking_through_a_run(tmp_path: Path) -> None:
    """Reading and encoding, beside encoding alone; and how soon it ends."""
    rng = np.random.default_rng(0)
    for step in range(4):
        weights = rng.standard_normal((KERNELS, 1, 7, 7), np.float32)
        kv.snapshot({"a.dw": weights}, step, tmp_path)
    autoencoder = shipped((7, 7))
    assert autoencoder is not None
    kernels = weights[:, 0]
    bare = least(lambda: autoencoder.encode(kernels, device=CPU), 3)
    series = Series(list(tmp_path.iterdir()))

    def look(watch: Watch, by: By = "code") -> None:
        film_of(series, shipped, by=by, device=CPU, watch=watch)

    whole = least(lambda: look(Watch()), 2) / 4
    gaps: list[float] = []

    class Clock(Watch):
        last = time.perf_counter()

        def check(self) -> None:
            now = time.perf_counter()
            gaps.append(now - self.last)
            self.last = now

    look(Clock())
    coded = max(gaps[1:])
    gaps.clear()
    look(Clock(), "family")
    named = max(gaps[1:])
    print(
        f"\n{KERNELS} kernels of 7×7: {1e3 * whole:.0f} ms a step, {whole / bare:.2f} "
        f"× encoding ({1e3 * bare:.0f} ms); longest time between two checks "
        f"{1e3 * coded:.0f} ms by code, {1e3 * named:.0f} by family (wished 500)"
    )
