"""Packages that import their public names when they are used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = ("", ".formats", ".kernels", ".latent")


@pytest.mark.parametrize("below", PACKAGES)
def test_every_public_name_is_there(below: str) -> None:
    package = import_module(f"kernelviewer{below}")
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is vars(package)[name]


@pytest.mark.parametrize("below", PACKAGES)
def test_a_name_that_is_not_there_is_missed_as_in_any_module(below: str) -> None:
    package = import_module(f"kernelviewer{below}")
    message = f"module 'kernelviewer{below}' has no attribute 'open_chekpoint'"
    with pytest.raises(AttributeError, match=message):
        _ = package.open_chekpoint
    with pytest.raises(ImportError, match="cannot import name 'open_chekpoint'"):
        exec(f"from kernelviewer{below} import open_chekpoint")


def test_the_package_imports_little_before_a_name_is_used() -> None:
    code = (
        "import sys, kernelviewer as kv\n"
        "assert 'numpy' not in sys.modules\n"
        "assert 'open_checkpoint' in dir(kv)\n"
        "assert 'numpy' not in sys.modules\n"
        "kv.open_checkpoint, kv.KernelBank\n"
        "from kernelviewer import extract_kernels, CheckpointError\n"
        "print(kv.open_checkpoint.__module__, extract_kernels.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "kernelviewer.formats.registry",
        "kernelviewer.kernels.extract",
    ]
