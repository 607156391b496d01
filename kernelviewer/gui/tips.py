"""What the views say of a kernel under the cursor."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.text import signed
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.analysis import UNIDENTIFIED

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState

_TAG = re.compile(r"<[^\s\d]")


def as_tip(text: str) -> str:
    """A text for a tooltip, which Qt would take for HTML if a name in it looks so.

    HTML can ask for a picture on any server. Labels have a text format for this.
    """
    if not _TAG.search(text):
        return text
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>"


def kernel_tip(state: ViewState, number: int) -> str:
    """Where a kernel of the pool stands, its class, code and fit; plain text."""
    pool = state.pool
    if pool is None or number >= len(pool):
        return ""
    model, layer = pool.layer_of(number)
    lines = [layer.name, f"channel {pool.channel[number]} of {layer.kernels}"]
    if len(pool.models) > 1:
        lines.insert(0, model.bank.name)
    if layer.support:
        lines.append(f"named on its effective support {layer.support_label}")
    lines += [class_text(state, number), values_text(state, number)]
    scale, offset = pool.scale[number], pool.offset[number]
    lines.append(signed(f"scale {scale:.4g}, offset {offset:.4g}"))
    return "\n".join(filter(None, lines))


def class_text(state: ViewState, number: int) -> str:
    """Name of a kernel's class; the best one where it is not identified."""
    assert state.pool is not None
    if state.pool.flat[number]:
        return "flat: dead or constant"
    if state.labels is None:
        return ""
    best = CLASSES[state.labels.best[number]].name
    below = state.labels.label[number] == UNIDENTIFIED
    return f"unidentified, best class {best}" if below else best


def values_text(state: ViewState, number: int) -> str:
    """Code and fit of a kernel as far as there are any."""
    if state.labels is None:
        return ""
    code, fit = state.labels.code[number], state.labels.fit[number]
    parts = [] if np.isnan(code) else [f"code {code:.3f}"]
    parts += [] if np.isnan(fit) else [f"fit {fit:.3f}"]
    return ", ".join(parts)
