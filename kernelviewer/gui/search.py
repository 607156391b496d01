"""What the search line finds: commands, panels, sizes, classes, networks, layers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from kernelviewer.gui.commands import COMMANDS, plain
from kernelviewer.gui.palette import Entry
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.colours import COLORMAPS
from kernelviewer.gui.views.grid.controls import GROUPS, MEANS, SCALES, SORTS
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.own_names import TAGS, tag_name
from kernelviewer.state.selection import Classes
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QAction

    from kernelviewer.gui.controls import ChoiceButton
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.state.model import OpenModel

NOT_LISTED = ("palette", "panels", "recent", "rename_class", "rename_tag", "tagged")
"""Commands that are here, or whose choices are found by other entries."""
CHARTS = {
    "count_of": "Class histogram",
    "pale": "Layer composition",
    "colour_by": "Colour points",
    "thumbnails": "PCA",
}
NATIVE = QKeySequence.SequenceFormat.NativeText


def collect(window: WindowContext) -> list[Entry]:
    """Everything that can be found in the window as it is now."""
    return [
        *_commands(window),
        *_recent(window),
        *_panels(window),
        *_display(window),
        *_sizes(window),
        *_classes(window),
        *_networks(window),
        *_tags(window),
        *_names(window),
    ]


def _commands(window: WindowContext) -> Iterator[Entry]:
    for command in COMMANDS:
        action = window.commands[command.id]
        also = " ".join((command.id, command.tip, command.also))
        if command.id in NOT_LISTED:
            continue
        menu = action.menu()
        if not isinstance(menu, QMenu):
            yield _of_action(action, command.title, command.menu, also)
            continue
        for choice in menu.actions():
            title = f"{command.title}: {plain(choice.text())}"
            yield _of_action(choice, title, "", also)


def _of_action(action: QAction, title: str, place: str, also: str) -> Entry:
    state = ("on" if action.isChecked() else "off") if action.isCheckable() else ""
    note = " · ".join(filter(None, [place.replace("/", " → "), state]))
    keys = ", ".join(keys.toString(NATIVE) for keys in action.shortcuts()[:1])
    return Entry(
        "Command",
        title,
        action.trigger,
        note=note,
        keys=keys,
        enabled=action.isEnabled(),
        also=also,
    )


def _recent(window: WindowContext) -> Iterator[Entry]:
    for text in window.settings.recent:
        path = Path(text)
        yield Entry(
            "Recent",
            shown(path.name),
            partial(window.opener.open, [Path(text)]),
            "open",
            note=shown(path.parent),
            also="open recent file",
        )


def _panels(window: WindowContext) -> Iterator[Entry]:
    for name, dock in window.docks.items():
        shown = dock.toggleViewAction().isChecked()
        yield Entry(
            "Panel",
            dock.windowTitle(),
            partial(window.layouts.show_panel, name),
            "show",
            note="" if shown else "closed",
            also="panel show go",
            other=dock.close if shown else None,
            other_verb="close",
        )


def _display(window: WindowContext) -> Iterator[Entry]:
    controls = window.parts.controls
    for button, choices, what in (
        (controls.group_by, GROUPS, "Group kernels"),
        (controls.sort_by, SORTS, "Sort kernels"),
        (controls.scale_mode, SCALES, "Scale of the colours"),
        (controls.mean, MEANS, "Draw kernels"),
    ):
        for key, text in choices.items():
            yield Entry("Kernels", f"{what}: {text}", partial(button.chosen.emit, key))
    if controls.picture.isEnabled():
        for key, text in controls.picture.choices.items():
            show = partial(controls.picture.chosen.emit, key)
            yield Entry("Kernels", f"Show: {text}", show, "show", also="decoded grid")
    for name, what in CHARTS.items():
        chart: ChoiceButton = getattr(window.parts, name)
        for key, text in chart.choices.items():
            title, show = f"{what}: {text}", partial(chart.chosen.emit, key)
            yield Entry("Charts", title, show, "show", also="chart scatter classes")
    for key, text in COLORMAPS.items():
        yield Entry(
            "Colours",
            f"Colour map: {text}",
            partial(window.set_colormap, key),
            "use",
            also=key,
        )


def _sizes(window: WindowContext) -> Iterator[Entry]:
    document = window.document
    for size, count in window.state.sizes.items():
        yield Entry(
            "Size",
            size_label(size),
            partial(document.show_size, size),
            "show",
            note=f"{spaced(count)} kernels",
            also="kernel size",
        )


def _classes(window: WindowContext) -> Iterator[Entry]:
    state = window.state
    labels, counts = state.labels, None
    if labels is not None:
        counted = state.counting(np.ones(len(labels.label), bool))
        counts = np.bincount(labels.label[counted], minlength=len(CLASSES))
    there = [] if counts is None else np.flatnonzero(counts).tolist()
    for index in sorted({*state.scheme.rows, *there}):
        item = class_shown(index)
        query = Classes(frozenset({item.id}))
        yield Entry(
            "Class",
            item.name,
            partial(window.document.select, "replace", query),
            "select",
            note="" if counts is None else f"{spaced(int(counts[index]))} kernels",
            enabled=counts is not None and bool(counts[index]),
            also=f"{item.id} {item.short} class",
            other=partial(window.document.select, "add", query),
            other_verb="add to the selection",
        )


def _networks(window: WindowContext) -> Iterator[Entry]:
    for model in window.document.models:
        bank = model.bank
        refs = frozenset(_layers(model))
        first = min(refs, default=None)
        yield Entry(
            "Network",
            model.name,
            partial(_go_to, window, first),
            "go to",
            note=f"{spaced(len(bank))} kernels",
            enabled=first is not None,
            also=f"network model file {bank.name}",
            other=partial(window.document.show_layers, refs),
            other_verb="show only this network",
        )
        beside = f" · {model.name}" if len(window.document.models) > 1 else ""
        for ref in sorted(refs):
            layer = bank.layers[ref.layer]
            size = size_label(layer.size)
            yield Entry(
                "Layer",
                layer.name,
                partial(_go_to, window, ref),
                "go to",
                note=f"{size} · {spaced(layer.kernels)} kernels{beside}",
                other=partial(window.document.show_layers, frozenset({ref})),
                other_verb="show only this layer",
            )


def _tags(window: WindowContext) -> Iterator[Entry]:
    tags = window.state.tags
    for number, tag in tags.items():
        yield Entry(
            "Tag",
            f"Select tagged “{tag_name(tags, number)}”",
            partial(window.acts.select_tagged, number),
            "select",
            note=f"{spaced(len(tag))} kernels",
            enabled=bool(len(tag)),
            also=f"tag {number} tagged mark",
            other=partial(window.acts.select_tagged, number, "add"),
            other_verb="add to the selection",
        )


def _names(window: WindowContext) -> Iterator[Entry]:
    """What can be called otherwise."""
    state = window.state
    renames = [
        *(
            ("network", m.name, partial(window.rename_network, m.id))
            for m in state.models
        ),
        *(
            ("class", class_shown(index).name, partial(window.rename_class, kind))
            for index in (state.scheme.rows[:-2] if state.models else ())
            for kind in [CLASSES[index].id]
        ),
        *(
            ("tag", tag_name(state.tags, n), partial(window.rename_tag, n))
            for n in (TAGS if state.models else ())
        ),
    ]
    for what, name, ask in renames:
        title, also = f"Rename “{name}”…", f"own name colour F2 {what}"
        yield Entry("Name", title, ask, "rename", note=what, also=also)


def _layers(model: OpenModel) -> Iterator[LayerRef]:
    for number, layer in enumerate(model.bank.layers):
        if layer.included and layer.kernels:
            yield LayerRef(model.id, number)


def _go_to(window: WindowContext, ref: LayerRef | None) -> None:
    """Scroll to a layer's first kernel, whatever size or layers were shown."""
    if ref is None:
        return
    document = window.document
    bank = document.model(ref.model).bank
    size = bank.layers[ref.layer].size
    kernels = bank.sizes[size]
    first = int(np.argmax(kernels.layer == ref.layer))
    with document.batch():
        if document.scope.layers is not None and ref not in document.scope.layers:
            document.show_layers(None)
        if document.size != size:
            document.show_size(size)
    window.acts.reveal(KernelRef(ref.model, size, first))
    window.parts.grid.setFocus()
