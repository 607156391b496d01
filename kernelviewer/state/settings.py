"""Settings that outlive the program: a small JSON file, never fatal."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.files import config_dir, write_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from kernelviewer.text import AnyPath


RECENT = 12
CHOICES: dict[str, tuple[str, ...]] = {
    "theme": ("system", "light", "dark"),
    "device": ("auto", "cuda", "mps", "cpu"),
    "group_by": ("layer", "model", "class", "code", "fit", "none"),
    "sort_by": ("channel", "scale", "flat", "class", "code", "fit"),
    "scale_mode": ("kernel", "layer", "global"),
    "preset": ("explore", "compare", "label"),
    "colour_by": ("class", "layer", "model", "fit"),
    "thumbnails": ("on", "off"),
    "count_of": ("shown", "selected", "models"),
    "pale": ("on", "off"),
    "reuse": ("on", "off"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The program's memory. Geometry and layout are base64 of Qt's own bytes.

    ``reuse``: whether later starts of the program hand their files to the open window.
    ``preset`` is the arrangement of panels that was asked for last.
    ``figure_look`` and ``figure_presets`` are what
    `kernelviewer.gui.dialogs.figure.looks` writes.
    """

    theme: str = "system"
    device: str = "auto"
    colormap: str = "signed"
    group_by: str = "layer"
    sort_by: str = "channel"
    scale_mode: str = "kernel"
    colour_by: str = "class"
    thumbnails: str = "on"
    count_of: str = "shown"
    pale: str = "off"
    reuse: str = "off"
    recent: tuple[str, ...] = ()
    last_folder: str = ""
    geometry: str = ""
    layout: str = ""
    preset: str = "explore"
    figure_look: str = ""
    figure_presets: tuple[str, ...] = ()

    def opened(self, path: AnyPath) -> Settings:
        """Settings after a file was opened: it leads the recent files."""
        path = Path(path)
        name = str(path)
        recent = (name, *(other for other in self.recent if other != name))
        return replace(self, recent=recent[:RECENT], last_folder=str(path.parent))


def settings_path() -> Path:
    """Where the settings are kept."""
    return config_dir() / "settings.json"


def load_settings() -> tuple[Settings, str]:
    """Read the settings.

    Returns
    -------
    settings, problem
        Defaults and a sentence for the user if the file could not be read; the
        unreadable file is kept as ``settings.broken.json``.
    """
    try:
        path = settings_path()
    except OSError as error:
        return Settings(), f"Settings and unsaved work cannot be kept: {error}."
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError, RecursionError) as error:
        aside = path.with_name("settings.broken.json")
        try:
            path.replace(aside)
        except OSError:
            return Settings(), f"The settings could not be read ({error}); using none."
        return Settings(), (
            f"The settings could not be read ({error}). They were set aside as "
            f"{aside.name}, and the program starts with fresh ones."
        )


def save_settings(settings: Settings) -> None:
    """Write the settings.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    write_text(settings_path(), json.dumps(asdict(settings), indent=1) + "\n")


def merged(own: Settings, before: Settings, foreign: Collection[str]) -> Settings:
    """What a window is to write: what it changed, and what others wrote meanwhile.

    Parameters
    ----------
    own, before
        The window's settings now, and when they were last read or written by it.
    foreign
        Names of settings that are not its own to change.
    """
    kept, problem = load_settings()
    if problem:
        return own
    values = {
        item.name: getattr(own, item.name)
        for item in fields(Settings)
        if item.name not in foreign
        and getattr(own, item.name) != getattr(before, item.name)
    }
    if "recent" in values:
        others = (name for name in kept.recent if name not in own.recent)
        values["recent"] = (*own.recent, *others)[:RECENT]
    return replace(kept, **values)


def reset_settings() -> None:
    """Forget everything remembered."""
    with suppress(OSError):  # where there is no folder nothing is remembered
        settings_path().unlink(missing_ok=True)


def _parse(data: Any) -> Settings:
    """Settings from JSON; unknown keys are ignored, wrong types raise ValueError."""
    if not isinstance(data, dict):
        raise ValueError("the file holds no settings")
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if item.name not in data:
            continue
        value, default = data[item.name], item.default
        if isinstance(default, tuple):
            good = isinstance(value, list) and all(isinstance(x, str) for x in value)
            value = tuple(value) if good else value
        else:
            good = isinstance(value, str) and value in CHOICES.get(item.name, (value,))
        if not good:
            raise ValueError(f"{item.name} is {value!r}")
        values[item.name] = value
    return Settings(**values)
