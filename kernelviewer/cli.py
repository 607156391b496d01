"""The command line: ``kernelviewer [FILE…]`` is the window, the rest are commands.

Exit codes: 0 done, 1 a file could not be used (one line on stderr, the other files are
still done), 2 wrong usage. The commands are the table in `kernelviewer.commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from kernelviewer.commands import COMMANDS
from kernelviewer.commands.output import OutputError, RefusedError, complain, flush
from kernelviewer.importing import there_to_stay

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = "window"
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command or open the window.

    Parameters
    ----------
    arguments
        In place of those of the process.

    Returns
    -------
    int
        Exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words.pop(0) if words and words[0] in COMMANDS else WINDOW
    try:
        with there_to_stay():
            module = import_module(module_of(name))
        parser = parser_of(name)
        module.add_arguments(parser)
        options = _parsed(parser, words)
        code: int = module.run(options)
        flush()
    except BrokenPipeError:  # the reader of our output has seen enough
        _discard_output()
        return 0
    except OutputError as error:
        _discard_output()
        complain(f"standard output cannot be written ({error})")
        return 1
    except RefusedError as error:
        complain(str(error))
        return error.code
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    return code


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The arguments; files may follow options that follow files.

    Argparse's own way is kept where ``--`` says what are files.
    """
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            if not words or words[0] not in action.choices:
                return parser.parse_args(words)
            options = _parsed(action.choices[words[0]], words[1:])
            setattr(options, action.dest, words[0])
            return options
    if "--" in words:
        return parser.parse_args(words)
    return parser.parse_intermixed_args(words)


def module_of(name: str) -> str:
    """Name of a command's module: that of ``null-test`` is ``null_test``."""
    return f"kernelviewer.commands.{name.replace('-', '_')}"


def _discard_output() -> None:
    """Let nothing that is still to be written fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser_of(name: str) -> argparse.ArgumentParser:
    """A command's parser, still without its arguments."""
    if name != WINDOW:
        summary = COMMANDS[name]
        return argparse.ArgumentParser(
            prog=f"kernelviewer {name}",
            description=f"{summary[0].upper()}{summary[1:]}.",
        )
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {key:{width}}  {value}" for key, value in COMMANDS.items())
    return argparse.ArgumentParser(
        prog="kernelviewer",
        usage="kernelviewer [OPTION…] [FILE…]\n       kernelviewer COMMAND …",
        description="See the patterns in trained depthwise convolution kernels.",
        epilog=f"commands (kernelviewer COMMAND --help tells more):\n{rows}\n\n"
        "A file that is named like a command opens as ./NAME.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
