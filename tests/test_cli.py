"""The command line as a whole: usage, help, streams and interruptions."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from argparse import PARSER
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.cli import WINDOW, main, module_of, parser_of
from kernelviewer.commands import COMMANDS

if TYPE_CHECKING:
    from tests.conftest import Cli


@pytest.mark.parametrize(
    "words",
    [
        ["info"],
        ["extract", "a.pth"],
        ["extract", "-o", "out.npz"],
        ["--device", "abacus"],
        ["--size", "large"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_exits_with_two(words: list[str], cli: Cli) -> None:
    cli(*words, code=2)


def test_help_names_every_command(cli: Cli) -> None:
    out = cli("--help").out
    for name, summary in COMMANDS.items():
        assert f"  {name} " in out
        assert summary in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, cli: Cli) -> None:
    assert f"kernelviewer {name}" in cli(name, "--help").out


BETWEEN = {
    WINDOW: "A --device cpu B",
    "info": "A --json B",
    "extract": "A -o x.npz B",
    "label": "A --json B",
    "compare": "A -o x.csv B",
    "series": "A --json B",
    "keys": "A --json B",
    "train": "A -o x --size 7x7 B",
    "evaluate": "A --device cpu B",
    "null-test": "A --device cpu B",
    "figure": "A -o x B",
    "report": "A -o x B",
}
"""Commands that take several words → words with an option between them."""


@pytest.mark.parametrize("name", [WINDOW, *COMMANDS])
def test_files_may_follow_an_option_that_follows_files(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, parser = import_module(module_of(name)), parser_of(name)
    module.add_arguments(parser)
    words = [item for item in parser._actions if not item.option_strings]
    if words and words[0].nargs == PARSER:
        pytest.skip("its commands are tried below")
    several = len(words) > 1 or any(item.nargs in ("*", "+") for item in words)
    assert several == (name in BETWEEN)
    if several:
        given: list[Any] = []
        monkeypatch.setattr(module, "run", lambda options: given.append(options) or 0)
        command = [] if name == WINDOW else [name]
        assert main([*command, *BETWEEN[name].split()]) == 0
        found = [getattr(given[0], item.dest) for item in words]
        assert found in ([["A", "B"]], ["A", "B"])


def test_files_may_follow_an_option_within_a_command_of_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kernelviewer.commands import corpus

    given: list[Any] = []
    monkeypatch.setattr(corpus, "run", lambda options: given.append(options) or 0)
    assert main(["corpus", "build", "A", "-o", "C", "B"]) == 0
    assert (given[0].part, given[0].sources) == ("build", ["A", "B"])
    with pytest.raises(SystemExit):
        main(["corpus", "nonsense"])


def test_after_two_dashes_every_word_is_a_file(network: Path, cli: Cli) -> None:
    odd = network.with_name("--json")
    odd.write_bytes(network.read_bytes())
    with contextlib.chdir(network.parent):
        assert "--json" in cli("info", "--", "--json").out


def test_a_reader_that_stops_early_is_no_error(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {network} --json | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


def test_output_goes_through_a_terminal_that_knows_only_ascii(network: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kernelviewer", "info", network],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0
    assert "blocks.0.dwconv" in done.stdout


def test_interrupting_is_said_in_one_line(
    network: Path,
    monkeypatch: pytest.MonkeyPatch,
    cli: Cli,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kernelviewer.commands.reading.open_checkpoint", interrupt)
    assert cli("info", network, code=130).complaint == "kernelviewer: interrupted"
    monkeypatch.setattr("kernelviewer.cli.import_module", interrupt)  # still starting
    assert cli("info", network, code=130).complaint == "kernelviewer: interrupted"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_output_that_cannot_be_written_is_said_in_one_line(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {network} --json > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("kernelviewer: standard output cannot be written (")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_without_any_output_the_exit_code_still_tells(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {{}} >&- 2>&-"
    for file, code in ((network, 0), (network.with_name("none.pth"), 1)):
        assert subprocess.run(["sh", "-c", command.format(file)]).returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize("command", ["extract", "label", "figure sheet"])
def test_a_device_is_never_replaced_by_a_file(
    network: Path, tmp_path: Path, command: str, cli: Cli
) -> None:
    pipe = tmp_path / "pipe.svg"
    os.mkfifo(pipe)
    assert "pipe.svg" in cli(*command.split(), network, "-o", pipe, code=1).complaint
    assert pipe.is_fifo()


def test_names_from_a_file_cannot_steer_the_terminal(tmp_path: Path, cli: Cli) -> None:
    weights = np.ones((8, 1, 3, 3), np.float32) * np.arange(8)[:, None, None, None]
    name = "evil\x1b[31m\n\u202ename" + "x" * 5000 + ".dw.weight"
    path = tmp_path / "names.safetensors"
    save_file({name: weights, "dw2.weight": weights}, path)
    printed = cli("info", path).out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert max(map(len, printed.splitlines())) < 300


@pytest.mark.parametrize("seed", ["-1", "1.5", "4294967296", "one"])
@pytest.mark.parametrize("command", ["figure", "report", "train", "null-test"])
def test_a_seed_that_no_generator_takes_is_wrong_usage(
    network: Path,
    tmp_path: Path,
    command: str,
    seed: str,
    cli: Cli,
) -> None:
    words = (command, network, "-o", tmp_path / "out", "--seed", seed)
    assert "is no seed; give a whole number" in cli(*words, code=2).err
    assert not (tmp_path / "out").exists()
