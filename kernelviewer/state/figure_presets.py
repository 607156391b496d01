"""Looks of figures that the user saved, as texts for the settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.figures import PRESETS, FigureError, FigureOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST = 40


@dataclass(frozen=True, slots=True)
class Preset:
    """A look with a name."""

    name: str
    options: FigureOptions


def to_text(options: FigureOptions, name: str = "") -> str:
    """A look, and its name if it has one, as a line of JSON."""
    facts = options.look().to_json()
    return json.dumps({"name": name, "options": facts} if name else facts)


def read_look(text: str) -> FigureOptions:
    """The look that `to_text` wrote; the usual one if the text is damaged or empty."""
    try:
        return FigureOptions.from_json(json.loads(text or "{}")).look()
    except (ValueError, TypeError, AttributeError, FigureError):
        return FigureOptions()


def read_presets(texts: Iterable[str]) -> tuple[Preset, ...]:
    """The presets that can be read; damaged ones and doubles are left out."""
    found: dict[str, Preset] = {}
    for text in texts:
        try:
            facts = json.loads(text)
            name, options = facts["name"], FigureOptions.from_json(facts["options"])
        except (ValueError, TypeError, KeyError, AttributeError, FigureError):
            continue
        if isinstance(name, str) and not problem_of(name, [*found]):
            found[name] = Preset(name, options.look())
    return tuple(found.values())


def write_presets(presets: Iterable[Preset]) -> tuple[str, ...]:
    """The presets as texts for the settings."""
    return tuple(to_text(item.options, item.name) for item in presets)


def problem_of(name: str, taken: Sequence[str]) -> str:
    """Why a preset cannot have this name; empty if it can."""
    if not name.strip():
        return "A preset needs a name."
    if name != name.strip() or not name.isprintable():
        return "A name begins and ends with a sign that can be seen."
    if len(name) > LONGEST:
        return f"The name is longer than {LONGEST} signs."
    if name.lower() in (other.lower() for other in PRESETS):
        return f"{name} comes with the program; choose another name."
    if name.lower() in (other.lower() for other in taken):
        return f"There is a preset {name} already."
    return ""
