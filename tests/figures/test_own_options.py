"""Options that one exhibit declares for itself."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kernelviewer.commands.looks import add_looks, looks
from kernelviewer.figures import EXHIBITS, FigureError, FigureOptions, make_figure
from kernelviewer.figures import options as options_module
from kernelviewer.figures.options import OPTIONS, Choice, Own, declare_own
from tests.figures.scenes import make_bank, named

if TYPE_CHECKING:
    from collections.abc import Iterator

BASIS = Own(
    "basis", "mean", Choice(label="Basis", choices={"mean": "mean", "sum": "sum"})
)
SUM = {"basis": "sum"}


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sheet has an option more."""
    with monkeypatch.context() as patch:
        for name in ("_OWN", "_OPTIONS"):
            kept = getattr(options_module, name)
            patch.setitem(kept, "basis", None)  # taken out again afterwards
            kept.pop("basis")
        patch.setitem(EXHIBITS, "sheet", replace(EXHIBITS["sheet"], own=(BASIS,)))
        declare_own(BASIS)
        yield


def test_its_value_is_usual_until_it_is_set() -> None:
    usual = FigureOptions()
    assert BASIS.of(usual) == "mean"
    other = usual.with_values({**SUM, "seed": 3})
    assert (BASIS.of(other), other.seed) == ("sum", 3)
    assert other.with_values({"basis": "mean", "seed": 0}) == usual


def test_it_is_checked_as_the_others_are() -> None:
    with pytest.raises(FigureError, match="is mean or sum, not 'median'"):
        FigureOptions().with_values({"basis": "median"})


def test_records_have_it_and_give_it_back() -> None:
    options = FigureOptions(seed=3).with_values(SUM)
    assert options.to_json() == {"seed": 3, **SUM}
    assert FigureOptions.from_json(options.to_json()) == options
    with pytest.raises(FigureError, match="wrong type"):
        FigureOptions.from_json({"basis": 3})
    drawn = make_figure("sheet", named(make_bank()), options)
    assert drawn.record.options == options.to_json()


def test_it_belongs_to_what_is_shown_and_not_to_the_looks() -> None:
    options = FigureOptions(dpi=100).with_values(SUM)
    assert options.look() == FigureOptions(dpi=100)
    assert options.with_look(FigureOptions(dpi=200)).to_json() == {"dpi": 200, **SUM}
    assert not OPTIONS["basis"].is_look


def test_data_are_gathered_anew_for_another_value_of_what_decides_them() -> None:
    usual = FigureOptions()
    assert usual.with_values(SUM).content_key != usual.content_key
    assert replace(usual, sort="fit").content_key != usual.content_key
    drawn_again = replace(usual, samples=3, title="a", colour="fit", dpi=100)
    assert drawn_again.content_key == usual.content_key


def test_the_command_line_has_a_flag_for_it() -> None:
    parser = ArgumentParser()
    add_looks(parser)
    assert BASIS.of(looks(parser.parse_args(["--basis", "sum"]))) == "sum"
    assert BASIS.of(looks(parser.parse_args([]))) == "mean"


def test_no_two_options_have_one_name() -> None:
    with pytest.raises(ValueError, match="'basis'"):
        declare_own(BASIS)
    with pytest.raises(ValueError, match="'seed'"):
        declare_own(replace(BASIS, name="seed"))


def test_who_has_the_options_has_those_of_the_exhibits() -> None:
    """Else a flag or a record's value would be there or not, by what was imported."""
    code = "import sys, kernelviewer.figures.options; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "kernelviewer.figures.exhibits" in done.stdout.split()
