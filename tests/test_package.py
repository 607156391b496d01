"""The public API as its docstring shows it."""

from __future__ import annotations

import doctest

import pytest

import kernelviewer
from kernelviewer.files import resource


def test_every_public_name_is_there() -> None:
    for name in kernelviewer.__all__:
        assert getattr(kernelviewer, name) is not None


def test_the_example_of_the_docstring_runs() -> None:
    try:
        resource("sample", "sample.safetensors")
    except FileNotFoundError:
        pytest.skip("this checkout has no sample")
    results = doctest.testmod(kernelviewer)
    assert results.attempted > 5
    assert results.failed == 0
