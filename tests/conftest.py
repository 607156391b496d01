"""Fences around every test: offscreen, own folders, no leaks."""

from __future__ import annotations

import gc
import itertools
import json
import os
import threading
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from hypothesis import settings

from kernelviewer.watch import NEVER
from tests.networks import write_every_kind
from tests.shared import skip_without_shared

# The same cases in every run: a test that fails here fails everywhere.
settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.load_profile("fixed")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "agg")
# Workers, and programs that tests start, need not compile the package anew each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes side by side would wait for each other's threads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.watch import Watch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs files that are not there."""
    skip_without_shared(items)


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not in what was imported: a fifth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for each test to come, one after the other.

    Pytest looks through all folders there are before it makes another.
    """
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_folders(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and cache of a test never touch the user's."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("KERNELVIEWER_CONFIG", str(home / "config"))
    monkeypatch.setenv("KERNELVIEWER_CACHE", str(home / "cache"))
    return home


@pytest.fixture(scope="session")
def may_stay() -> set[object]:
    """Threads and windows that the tests of a module have in common."""
    return set()


@pytest.fixture(autouse=True)
def no_thread_left(may_stay: set[object]) -> Iterator[None]:
    """A test that leaves one of our threads running fails."""
    before = set(threading.enumerate())
    yield
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in before | may_stay
        and thread.name in ("files", "compute", "views", "keep")
    ]
    for thread in left:
        thread.join(2)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture(scope="module")
def module_patch(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[pytest.MonkeyPatch]:
    """Changes for all tests of a module, and folders for what they have in common."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("module")
        patch.setenv("KERNELVIEWER_CONFIG", str(home / "config"))
        patch.setenv("KERNELVIEWER_CACHE", str(home / "cache"))
        yield patch


_fits: dict[tuple[object, ...], FamilyFit] = {}


@pytest.fixture(scope="module")
def each_fit_once(module_patch: pytest.MonkeyPatch) -> None:
    """Windows and trainings of the same networks fit the same kernels to the family,
    most of their time: these give the same fit, so once is enough, for every test.
    """
    from kernelviewer.kernels import family

    fit = family.family_fit

    def remember(
        patterns: np.ndarray, *, watch: Watch = NEVER, **how: Any
    ) -> FamilyFit:
        how_well = family.fit.STEPS, *sorted(how.items(), key=str)
        key = patterns.shape, patterns.tobytes(), *how_well
        watch.check()
        if key not in _fits:
            _fits[key] = fit(patterns, watch=watch, **how)
        return deepcopy(_fits[key])

    for module in (family, family.fit):
        module_patch.setattr(module, "family_fit", remember)


class Printed(NamedTuple):
    """What a command wrote."""

    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, read."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


class Cli(Protocol):
    """Runs a command with these words; it has to end with the exit code."""

    def __call__(self, *words: object, code: int = 0) -> Printed: ...


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, in this process."""
    from kernelviewer.cli import main

    def run(*words: object, code: int = 0) -> Printed:
        capsys.readouterr()
        try:
            ended: object = main([str(word) for word in words])
        except SystemExit as ending:
            ended = ending.code
        printed = Printed(*capsys.readouterr())
        assert ended == code, printed.err
        return printed

    return run


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network with kernels of every kind."""
    return write_every_kind(tmp_path / "network.safetensors")
