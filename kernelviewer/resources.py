"""Files that ship with the program, in an installed wheel or an editable checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    *parts
        Path below ``resources``, such as ``("sample", "sample.safetensors")``.

    Raises
    ------
    FileNotFoundError
        The installation lacks it.
    """
    for root in (_PACKAGE / "data", _PACKAGE.parent / "resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    msg = f"kernelviewer is installed without its file {'/'.join(parts)}; reinstall it"
    raise FileNotFoundError(msg)
