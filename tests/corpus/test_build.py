"""Building corpora: engines, harm, interruption, resuming."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import psutil
import pytest

from kernelviewer.corpus.build import (
    Engine,
    Tally,
    _cluster,
    build,
    expand,
    prepare,
)
from kernelviewer.corpus.child import Job, job_from, outcome_from, take_in, written
from kernelviewer.corpus.store import Corpus, CorpusError, Failure, Store
from kernelviewer.kernels.classes import Naming
from kernelviewer.text import shown
from kernelviewer.watch import Watch
from tests.corpus.made import (
    REPOSITORY,
    Here,
    harm,
    install_harm,
    make_corpus,
    plan,
    rows,
)
from tests.networks import write_every_kind, write_network
from tests.odd_files import write_odd_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = pytest.mark.usefixtures("each_fit_once")
needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="processes are not ended so there"
)


@pytest.fixture
def networks(tmp_path: Path) -> list[Path]:
    """Three networks."""
    folder = tmp_path / "networks"
    folder.mkdir()
    return [
        write_network(folder / "first.safetensors"),
        write_every_kind(folder / "second.safetensors"),
        write_network(folder / "third.safetensors", channels=8, seed=2),
    ]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds start none, which takes most of the time."""
    monkeypatch.setattr("kernelviewer.corpus.child.Child", Here)


def command(*words: object) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "kernelviewer", "corpus", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )


def wait_for(process: subprocess.Popen[str], path: Path) -> None:
    """Wait until a file is there."""
    while not path.exists():
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"it has ended: {process.communicate()}")


@needs_signals
def test_harmful_networks_cost_only_themselves(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    install_harm(tmp_path / "plugin", monkeypatch)
    folder = tmp_path / "corpus"
    bad = [harm(tmp_path / f"{w}.harm", w) for w in ("exit", "memory", "sleep")]
    before = {*psutil.Process().children(recursive=True)}
    kinds, said = {}, ""
    for sources, limits in (  # none that is well would be read in a second for certain
        ((networks[0], *bad[:2], *networks[1:]), ("--memory", 1, "--workers", 2)),
        (bad[2:], ("--timeout", 1, "--workers", 1)),
    ):
        words = ("corpus", "build", *sources, "-o", folder, *limits, "--json")
        printed = cli(*words, code=1)
        said += printed.err
        for item in printed.json["failures"]:
            kinds[item["source"].rpartition("/")[2]] = item
    assert {name: item["kind"] for name, item in kinds.items()} == {
        "exit.harm": "crash",
        "memory.harm": "memory",
        "sleep.harm": "timeout",
    }
    assert "exit code 7" in kinds["exit.harm"]["message"]
    for name, item in kinds.items():  # of thousands it has to be said which
        assert item["message"].startswith(name)
        assert item["message"] in said
    assert "words before the end" in kinds["exit.harm"]["hint"]
    corpus = Corpus.open(folder)
    assert {item.kind for item in corpus.failures()} == {"crash", "memory", "timeout"}
    make_corpus(tmp_path / "plain", networks)
    assert rows(folder) == rows(tmp_path / "plain")
    assert {*psutil.Process().children(recursive=True)} <= before


@needs_signals
def test_a_killed_build_goes_on_where_it_was_and_an_interrupt_ends_it_cleanly(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    install_harm(tmp_path / "plugin", monkeypatch)
    folder, hold = tmp_path / "corpus", harm(tmp_path / "hold.harm", "hold")
    store = Store(folder)

    def build_until(taken_in: int, *sources: Path, stop: signal.Signals) -> Any:
        process = command("build", *sources, "-o", folder, "--workers", 1)
        while len(list(store.records())) < taken_in:
            wait_for(process, folder / "records")
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(stop)
        ended = *process.communicate(), process.returncode
        _, alive = psutil.wait_procs(children, 20)
        assert not alive  # nobody is left who works for it
        assert len(list(store.records())) == taken_in
        return ended

    build_until(1, networks[0], hold, *networks[1:], stop=signal.SIGKILL)
    out, err, code = build_until(3, *networks, hold, stop=signal.SIGINT)
    assert code == 130, err
    assert "interrupted; the same command goes on where it was" in err
    assert "Traceback" not in err
    assert "2 networks taken in, 1 there" in out
    assert len(Corpus.open(folder).networks) == 3
    make_corpus(tmp_path / "plain", networks)
    assert rows(folder) == rows(tmp_path / "plain")
    assert not (folder / ".work").exists()


@needs_signals
def test_a_full_disk_ends_the_build_and_says_so(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    install_harm(tmp_path / "plugin", monkeypatch)
    folder = tmp_path / "corpus"
    how = plan()
    make_corpus(folder, networks[:1])
    full = harm(tmp_path / "full.harm", "disk")
    with pytest.raises(CorpusError, match="No space left") as raised:
        build([str(full), str(networks[1])], folder, how)
    assert "networks that are done are kept" in raised.value.hint
    assert [item.name for item in Corpus.open(folder).networks] == ["first"]
    assert not (folder / ".work").exists()
    assert build([str(networks[1])], folder, how).added == 1


def test_one_worker_and_two_make_the_same_rows(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "msgspec.py").write_text("raise SystemExit(3)")  # never to be imported
    monkeypatch.chdir(trap)
    sources = [*map(str, networks)]
    for workers in (1, 2):
        how = replace(plan(), engine=Engine(workers=workers))
        tally = build(sources, tmp_path / f"with-{workers}", how)
        assert (tally.added, tally.failures) == (3, [])
    assert rows(tmp_path / "with-1") == rows(tmp_path / "with-2")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Path]:
    """A scheduler and its worker in a process of their own; the scheduler's file."""
    file = tmp_path / "scheduler.json"
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path,
    ) as process:
        yield file
        process.kill()


CLUSTER = """
import asyncio, sys
from distributed import Scheduler, Worker

async def serve():
    where = dict(port=0, scheduler_file=sys.argv[1], dashboard=False)
    async with Scheduler(**where) as scheduler:
        async with Worker(scheduler.address, nthreads=1, dashboard=False) as worker:
            await worker.finished()

asyncio.run(serve())
"""


def test_a_cluster_that_is_there_is_used(
    tmp_path: Path, networks: list[Path], cluster: Path, cli: Cli
) -> None:
    folder = tmp_path / "corpus"
    words = ("corpus", "build", *networks, "-o", folder, "--scheduler-file", cluster)
    assert cli(*words, "--json").json["added"] == 3
    address = json.loads(cluster.read_text())["address"]
    again = ("corpus", "build", *networks, "-o", folder, "--scheduler", address)
    assert cli(*again, "--json").json["there"] == 3
    make_corpus(tmp_path / "plain", networks)
    assert rows(folder) == rows(tmp_path / "plain")


def test_a_cluster_that_is_not_there_is_told_of(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setattr("kernelviewer.corpus.build._WAIT_S", 0.5)
    words = ("corpus", "build", *networks, "-o", tmp_path / "corpus")
    told = cli(*words, "--scheduler", "tcp://127.0.0.1:9", code=1).complaint
    assert "there is no Dask cluster with workers at tcp://127.0.0.1:9" in told


def test_only_one_build_writes_at_a_time(tmp_path: Path, networks: list[Path]) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    lock = Store(folder).lock()
    with pytest.raises(CorpusError, match="another build writes into"):
        build([str(networks[0])], folder, plan())
    lock.release()
    assert build([], folder, plan()).total == 0


def test_a_folder_with_other_files_is_left_alone(
    tmp_path: Path, networks: list[Path]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("words")
    with pytest.raises(CorpusError, match="holds other files"):
        build([str(networks[0])], tmp_path / "mine", plan())
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_what_is_missing_is_made_again_and_what_is_there_is_not(
    tmp_path: Path, networks: list[Path]
) -> None:
    folder = tmp_path / "corpus"
    corpus = make_corpus(folder, networks)
    whole = rows(folder)
    first, second, _ = corpus.networks
    place = folder / "kernels" / "size=7x7" / f"network={first.id}" / "weights.parquet"
    place.write_bytes(place.read_bytes()[:-9])
    (
        folder / "kernels" / "size=3x3" / f"network={second.id}" / "index.parquet"
    ).unlink()
    key = corpus.recipe.key
    assert [Store(folder).has(n.id, key) for n in corpus.networks] == [
        False, False, True
    ]  # fmt: skip
    job = Job("", str(folder), corpus.recipe)
    import msgspec

    done = [take_in(msgspec.structs.replace(job, source=str(n))) for n in networks]
    assert [item.skipped for item in done] == [False, False, True]
    assert rows(folder) == whole


@pytest.mark.usefixtures("in_this_process")
def test_a_file_that_has_changed_takes_the_place_of_its_network(
    tmp_path: Path, networks: list[Path]
) -> None:
    folder, how = tmp_path / "corpus", plan()
    build([str(networks[0]), str(networks[2])], folder, how)
    before = {item.name: item.id for item in Corpus.open(folder).networks}
    write_network(networks[0], channels=5, seed=9)
    build([str(networks[0]), str(networks[2])], folder, how)
    after = {item.name: item for item in Corpus.open(folder).networks}
    assert after["third"].id == before["third"]
    assert after["first"].id != before["first"]
    assert after["first"].kernels == 15
    assert list(Corpus.open(folder).check()) == []


@pytest.mark.usefixtures("in_this_process")
def test_other_options_need_a_word(tmp_path: Path, networks: list[Path]) -> None:
    from dataclasses import replace

    folder = tmp_path / "corpus"
    make_corpus(folder, networks[:1])
    other = plan(naming=Naming("code"), weights="float32")
    with pytest.raises(CorpusError, match=r"in another way \(other weights and by\)"):
        build([str(networks[0])], folder, other)
    tally = build([str(networks[0])], folder, replace(other, rebuild=True))
    assert tally.added == 1
    assert Corpus.open(folder).networks[0].sizes[0].by == "code"
    assert list(Corpus.open(folder).check()) == []


def test_sources_are_files_folders_lists_and_names(
    tmp_path: Path, networks: list[Path]
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# mine\nnetworks/third.safetensors\n\nhf-hub:some/where\n")
    found = expand([str(listed), str(networks[0].parent), "convnext_atto.d2_in1k"])
    files = [str(path) for path in networks]
    assert found == [
        files[2], "hf-hub:some/where", files[0], files[1], "convnext_atto.d2_in1k"
    ]  # fmt: skip
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no checkpoint in this folder"):
        expand([str(tmp_path / "empty")])


@pytest.mark.usefixtures("in_this_process")
def test_what_is_missing_stands_in_the_ledger_until_it_is_there(
    tmp_path: Path, cli: Cli
) -> None:
    folder, file = tmp_path / "corpus", tmp_path / "later.safetensors"
    words = ("corpus", "build", file, "-o", folder, "--workers", 1)
    assert "there is no such file" in cli(*words, code=1).err
    (failure,) = Corpus.open(folder).failures()
    assert (failure.kind, failure.source) == ("refused", str(file))
    write_network(file)
    cli(*words)
    assert Corpus.open(folder).failures() == []


def test_without_the_extra_the_command_says_what_to_install(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = ("corpus", "build", networks[0], "-o", tmp_path / "corpus")
    told = cli(*words, code=1).complaint
    assert "pip install 'kernelviewer[corpus]'" in told


def test_a_network_of_the_hub_has_its_name(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(name: str) -> Path:
        asked.append(name)
        return networks[0]

    monkeypatch.setattr("kernelviewer.formats.hub.fetch", fetch)
    folder, how = tmp_path / "corpus", plan()
    folder.mkdir()
    prepare(Store(folder), how)
    for source in ("hf-hub:owner/net", "convnext_atto.d2_in1k"):
        outcome = take_in(Job(source, str(folder), how.recipe))
        assert outcome.failure is None
    Store(folder).finish()
    names = {item.name: item for item in Corpus.open(folder).networks}
    assert names.keys() == {"owner/net", "convnext_atto.d2_in1k"}
    assert names["owner/net"].id.startswith("owner-net-")
    assert asked == ["hf-hub:owner/net", "convnext_atto.d2_in1k"]


def test_a_name_that_is_no_utf_8_goes_between_processes(
    tmp_path: Path, cli: Cli
) -> None:
    odd = write_odd_network(tmp_path, os.fsdecode(b"=net-\xff.safetensors"))
    folder, how = tmp_path / "corpus", plan()
    folder.mkdir()
    prepare(Store(folder), how)
    outcome = take_in(job_from(written(Job(str(odd), str(folder), how.recipe))))
    assert outcome.failure is None
    assert outcome_from(written(outcome)) == outcome
    assert outcome.source == str(odd)
    (network,) = Store(folder).records()
    assert network.source == shown(odd)
    Store(folder).finish()
    cli("corpus", "query", folder, "-o", tmp_path / "rows.csv")
    rows = (tmp_path / "rows.csv").read_text()
    assert "'=1+1.dw," in rows, "no cell is a formula"


def test_a_fault_of_ours_keeps_its_details(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("kernelviewer.latent.labels.label_kernels", wrong)
    folder, how = tmp_path / "corpus", plan()
    folder.mkdir()
    prepare(Store(folder), how)
    outcome = take_in(Job(str(networks[0]), str(folder), how.recipe))
    assert outcome.failure is not None
    assert outcome.failure.kind == "fault"
    assert "in _keep" in outcome.failure.details
    assert list(Store(folder).records()) == []


def test_progress_tells_rate_and_time_left() -> None:
    tally = Tally(total=40, added=8, there=10, seconds=20.0)
    assert tally.line() == "18 of 40 networks · 0.4 a second · 55 s left"
    tally.failures.append(Failure("x", "refused", "no"))
    tally.seconds = 9000.0
    assert tally.line() == "19 of 40 networks · 0.001 a second · 5.8 h left · 1 failed"
    assert Tally(total=3).line() == "0 of 3 networks"
    # the last may be the largest: what has taken long takes longer still
    slow = Tally(total=40, added=39, seconds=78.0)
    assert slow.line() == "39 of 40 networks · 0.5 a second · 2 s left"
    slow.seconds, slow.waited = 117.0, 39.0
    assert slow.line() == "39 of 40 networks · 0.33 a second · at least 39 s left"


@pytest.mark.usefixtures("in_this_process")
def test_progress_is_told_where_there_is_no_terminal(
    tmp_path: Path, networks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Told(Watch):
        lines: ClassVar[list[str]] = []

        def progress(self, done: int, total: int, text: str = "") -> None:
            self.lines.append(text)

    tell, waited = Tally.line, []

    def line(tally: Tally) -> str:
        waited.append((tally.waited, tally.seconds))
        return tell(tally)

    monkeypatch.setattr(Tally, "line", line)
    monkeypatch.setattr("kernelviewer.corpus.build._POLL_S", 0.01)
    build([str(networks[2])], tmp_path / "corpus", plan(), Told())
    assert Told.lines[-1].startswith("1 of 1 networks")
    *before, last = waited
    assert all(0 < wait <= seconds for wait, seconds in before)
    assert before == sorted(before)
    assert last[0] == 0


def test_this_machine_alone_hears_of_a_build(tmp_path: Path) -> None:
    with _cluster(Engine(workers=1), tmp_path):
        open_ports = {
            place.laddr.ip
            for place in psutil.Process().net_connections()
            if place.status == psutil.CONN_LISTEN
        }
    assert open_ports <= {"127.0.0.1"}
