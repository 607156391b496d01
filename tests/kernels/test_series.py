from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from kernelviewer.formats import CheckpointError
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.runs import look_for_run
from kernelviewer.kernels.comparison import compare_size
from kernelviewer.kernels.pairing import pair
from kernelviewer.kernels.series import Series
from tests.recorder import EndedError, Recorder
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path


def weights(kernels: int = 8, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "stem.weight": rng.normal(size=(8, 3, 3, 3)).astype(np.float32),
        "a.dwconv.weight": rng.normal(size=(kernels, 1, 3, 3)).astype(np.float32),
        "a.pw.weight": rng.normal(size=(8, kernels, 1, 1)).astype(np.float32),
    }


def write(path: Path, **facts: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: torch.from_numpy(value) for name, value in weights().items()}
    torch.save({**facts, "state_dict": state}, path)
    return path


def names(series: Series) -> list[str]:
    return [step.name for step in series.steps]


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write(tmp_path / f"net_{number}.pth")
    series = Series([*tmp_path.iterdir()])
    assert series.ordered_by == "names"
    assert names(series) == ["net_1.pth", "net_2.pth", "net_10.pth"]


def test_folders_tell_steps_apart_too(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"checkpoint-{n}" / "model.pth") for n in (1000, 200)]
    assert names(Series(paths)) == [
        "checkpoint-200/model.pth",
        "checkpoint-1000/model.pth",
    ]


def test_the_number_after_epoch_comes_before_a_loss(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name) for name in ("loss0.27-epoch10.pt", "loss0.31-epoch2.pt")
    ]
    assert names(Series(paths)) == ["loss0.31-epoch2.pt", "loss0.27-epoch10.pt"]


@pytest.mark.parametrize("counter", ["step", "global_step", "epoch"])
def test_what_files_store_comes_before_their_names(
    tmp_path: Path, counter: str
) -> None:
    paths = [
        write(tmp_path / f"{name}.ckpt", **{counter: value})
        for name, value in (("best", 30), ("a", 200), ("last", 1000))
    ]
    series = Series(paths[::-1])
    assert series.ordered_by == counter
    assert names(series) == ["best.ckpt", "a.ckpt", "last.ckpt"]
    assert series.steps[1].stored == {counter: 200}


def test_a_counter_that_says_nothing_is_left_aside(tmp_path: Path) -> None:
    """Lightning's step tells epochs apart; an equal epoch does not order anything."""
    write(tmp_path / "b.ckpt", epoch=3, global_step=10)
    write(tmp_path / "a.ckpt", epoch=3, global_step=20)
    assert names(Series([*tmp_path.iterdir()])) == ["b.ckpt", "a.ckpt"]
    write(tmp_path / "c.ckpt", epoch=3)
    assert Series([*tmp_path.iterdir()]).ordered_by == "names"


def test_safetensors_hold_their_step_as_text(tmp_path: Path) -> None:
    for name, step in (("late", "12"), ("soon", "3")):
        save_file(weights(), tmp_path / f"{name}.safetensors", {"step": step})
    series = Series([*tmp_path.iterdir()])
    assert names(series) == ["soon.safetensors", "late.safetensors"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, True, "one", None])
def test_what_is_no_count_orders_nothing(tmp_path: Path, value: object) -> None:
    write(tmp_path / "a.pth", epoch=value)
    write(tmp_path / "b.pth", epoch=value)
    assert Series([*tmp_path.iterdir()]).ordered_by == "names"


def test_banks_are_read_when_asked_for_and_let_go(tmp_path: Path) -> None:
    series = Series([write(tmp_path / "a.pth"), write(tmp_path / "b.pth")])
    bank = series.bank(0)
    assert series.bank(0) is bank
    assert len(bank) == 8
    held = weakref.ref(bank)
    del bank
    gc.collect()
    assert held() is None
    (tmp_path / "b.pth").unlink()
    with pytest.raises(CheckpointError):
        series.bank(1)


def test_numbers_are_what_names_count_by(tmp_path: Path) -> None:
    for number in (110, 3, 29):
        write(tmp_path / f"fer2013-epoch{number:03d}-of-2.pth")
    series = Series([*tmp_path.iterdir()])
    assert series.numbers == (3, 29, 110)
    only = Series([write(tmp_path / "a" / name) for name in ("v2-10.pth", "v2-9.pth")])
    assert only.numbers == (9, 10)
    plain = Series([write(tmp_path / "b" / name) for name in ("best.pth", "last.pth")])
    assert plain.numbers == (1, 2)


def test_what_is_no_checkpoint_is_named_and_left_out(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write(tmp_path / f"net_{number}.pth")
    broken = tmp_path / "net_2.pth"
    broken.write_bytes(broken.read_bytes()[:-200])
    series = Series([*tmp_path.iterdir(), tmp_path / "net_5.pth"])
    assert names(series) == ["net_1.pth", "net_10.pth"]
    assert sorted(item.name for item in series.left_out) == ["net_2.pth", "net_5.pth"]
    assert all(item.problem for item in series.left_out)


def test_a_step_with_other_layers_is_told_of_and_left_out(tmp_path: Path) -> None:
    """Also if it is the first: most of the steps decide, not one of them."""
    other = weights(12)
    other["b.dwconv.weight"] = np.random.default_rng(2).normal(size=(8, 1, 5, 5))
    save_file(other, tmp_path / "net_1.safetensors")
    for number in (2, 3, 10):
        save_file(weights(seed=number), tmp_path / f"net_{number}.safetensors")
    series = Series([*tmp_path.iterdir()])
    series.keep_alike()
    assert series.numbers == (2, 3, 10)
    (left,) = series.left_out
    assert left.name == "net_1.safetensors"
    assert left.problem == (
        "other layers: it has besides b.dwconv; a.dwconv has 12 kernels of 3×3, where "
        "other steps have 8 kernels of 3×3"
    )


def test_other_names_for_the_same_layers_are_no_difference(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "net_1.safetensors")
    save_file(weights(), tmp_path / "net_2.safetensors")
    renamed = {name.replace("a.", "old."): w for name, w in weights().items()}
    save_file(renamed, tmp_path / "net_0.safetensors")
    series = Series([*tmp_path.iterdir()])
    series.keep_alike()
    assert series.numbers == (0, 1, 2)
    assert series.left_out == ()


def test_a_step_that_breaks_off_among_its_kernels_is_left_out(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / f"net_{number}.pth")
    series = Series([*tmp_path.iterdir()])
    (tmp_path / "net_1.pth").write_bytes(b"nothing")
    series.keep_alike()
    assert names(series) == ["net_2.pth"]
    assert [item.name for item in series.left_out] == ["net_1.pth"]


def test_opening_a_series_can_be_ended(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"net_{number}.pth") for number in range(3)]
    with pytest.raises(EndedError):
        Series(paths, watch=Recorder(end=2))


@needs_checkpoints
def test_the_epochs_of_a_run_drift_from_its_first() -> None:
    series = Series(sorted(CHECKPOINTS.glob("minixception-fer2013-epoch*"))[::-1])
    assert [step.name[26:29] for step in series.steps] == [
        *("000", "003", "010", "029", "110")
    ]
    series.keep_alike()
    assert series.numbers == (0, 3, 10, 29, 110)
    assert series.left_out == ()
    first = series.bank(0)
    whole, cosine = [], []
    for number in range(len(series)):
        bank = series.bank(number)
        found = pair(first, bank)
        pairs = found.sizes[3, 3]
        assert len(pairs) == len(first)
        one = first.sizes[3, 3].weights[pairs.index_a].reshape(-1, 9)
        two = bank.sizes[3, 3].weights[pairs.index_b].reshape(-1, 9)
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
        whole.append(float(((one * two).sum(1) / lengths).mean()))
        cosine.append(float(np.nanmean(compare_size(found, (3, 3)).cosine)))
    assert whole == pytest.approx([1, 0.97, 0.91, 0.85, 0.79], abs=6e-3)
    assert cosine == pytest.approx([1, 0.959, 0.886, 0.802, 0.723], abs=1e-3)


@pytest.mark.parametrize(
    ("files", "facts", "expected"),
    [
        (["net0.pth", "net1.pth", "net2.pth"], {}, False),
        (["a-7x7.pth", "a-9x9.pth"], {}, False),
        ([f"net{n}.pth" for n in range(6)], {}, True),
        (["net_ckpt1.pth", "net_ckpt2.pth"], {}, True),
        (["net-epoch=3.pth", "net-epoch=10.pth"], {}, True),
        (["checkpoint-500/model.pth", "checkpoint-1000/model.pth"], {}, True),
        (["net_e1.pth", "net_e2.pth"], {}, True),
        (["first.pth", "last.pth"], {"epoch": int}, True),
    ],
)
def test_a_run_is_seen_where_files_speak_of_steps(
    files: list[str], facts: dict[str, type], expected: bool, tmp_path: Path
) -> None:
    paths = [
        write(tmp_path / file, **dict.fromkeys(facts, number))
        for number, file in enumerate(files)
    ]
    found = run_now(look_for_run, paths)
    assert (found is not None) == expected
    if found is not None:
        assert found.steps == len(files)
