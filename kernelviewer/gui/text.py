"""Numbers, times, names and kernels as people read them, in labels and tooltips."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import PAPER, PAPER_OF, class_shown
from kernelviewer.kernels.equality import elided
from kernelviewer.state.analysis import UNIDENTIFIED
from kernelviewer.state.own_names import tag_name, tags_in
from kernelviewer.state.similarity import likeness
from kernelviewer.text import percent as as_percent

if TYPE_CHECKING:
    from kernelviewer.kernels.classes import Scheme
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.session.files import Offer
    from kernelviewer.state.tally import SummedCounts
    from kernelviewer.state.view_state import ViewState

AS_NOISE = "◌ "
"""Before the name of a network, no more of whose kernels are identified than of noise.
"""
NOISE_SENTENCE = (
    "No more of its kernels are identified than of white noise, as of a network that "
    "was not trained"
)
_TAG = re.compile(r"<[^\s\d]")


def spaced(number: int) -> str:
    """An integer with thin groups of three: ``131 072``."""
    return f"{number:,}".replace(",", "\u202f")


def counted_once(repeated: int) -> str:
    """What is said beside a total of which equal kernels are left out."""
    return f"{spaced(repeated)} equal {'one' if repeated == 1 else 'ones'} counted once"


def percent(share: float, digits: int = 1) -> str:
    """`kernelviewer.text.percent` in one piece: ``90.8 %``, ``<0.1 %``."""
    return as_percent(share, digits).replace(" ", "\u202f")


def identified_text(row: SummedCounts) -> str:
    """The identified share of some kernels; a dash where all are flat."""
    return percent(row.coverage, 0) if row.patterned else "–"


def identified_lines(row: SummedCounts) -> list[str]:
    """Coverage and classes in words, and whether that is no more than of noise."""
    if not row.patterned:
        return ["no kernel with a pattern"]
    text = f"{percent(row.coverage)} identified, "
    text += f"{spaced(row.named)} of {spaced(row.patterned)}"
    if row.null is not None:
        text += f"; of white noise {percent(row.null)}"
    classes = [
        f"{class_shown(i).short} {spaced(count)}"
        for i, count in enumerate(row.counts)
        if count
    ]
    noise = [NOISE_SENTENCE] if row.is_as_noise else []
    return [text, *noise, ", ".join(classes)]


def short_percent(share: float) -> str:
    """A round share without needless decimals: ``0.1 %``, ``5 %``."""
    return f"{100 * share:g}\u202f%"


def with_sizes(text: str) -> str:
    """What is searched for; a kernel size such as ``7x7`` as views write it."""
    is_size = all(part.isdigit() for part in text.split("x"))
    return text.replace("x", "×") if is_size else text


def signed(text: str) -> str:
    """Number text with a true minus sign."""
    return text.replace("-", "−")


def when(moment: str) -> str:
    """A time of a session (ISO 8601) as people here say it; itself if it is none."""
    try:
        time = datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError, OSError):
        return moment
    now = datetime.now().astimezone()
    if time.date() == now.date():
        return f"today {time:%H:%M}"
    if time.year == now.year:
        return f"{time.day} {time:%B, %H:%M}"
    return f"{time.day} {time:%B %Y}"


def offer_text(offer: Offer, number: int = 0) -> str:
    """Work that was kept, in a line; ``number`` counts from the latest."""
    which = "earlier work" if number else "the last work"
    names = elided(
        [entry.hub or PurePath(entry.name).stem for entry in offer.session.networks]
    )
    count = "1 network" if len(names) == 1 else f"{len(names)} networks"
    listed = shortened(names[0]) if names else ""
    more = ", …" if len(names) > 1 else ""
    return f"Reopen {which}: {count}, {listed}{more} ({when(offer.session.saved)})"


def shortened(name: str, most: int = 28) -> str:
    """A name without its middle if it is long."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[:half]}…{name[-half:]}"


def breakable(name: str) -> str:
    """A path or dotted name that may go on in the next line after each part."""
    return re.sub(r"([./\\_])(?=\w)", "\\1\u200b", name)


def as_tip(text: str) -> str:
    """A text for a tooltip, which Qt would take for HTML if a name in it looks so.

    HTML can ask for a picture on any server. Labels have a text format for this.
    """
    if not _TAG.search(text):
        return text
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>"


def channel_text(pool: KernelPool, number: int) -> str:
    """The channel of a kernel, and of how many where its whole layer is there."""
    model, layer = pool.layer_of(number)
    whole = model.drawn is None or model.drawn.network
    return f"{pool.channel[number]}{f' of {layer.kernels}' if whole else ''}"


def kernel_tip(state: ViewState, number: int) -> str:
    """Where a kernel of the pool stands, its class, code and fit; plain text."""
    pool = state.pool
    if pool is None or number >= len(pool):
        return ""
    model, layer = pool.layer_of(number)
    lines = [layer.name, f"channel {channel_text(pool, number)}"]
    if len(pool.models) > 1:
        lines.insert(0, model.name)
    if layer.support:
        lines.append(f"named on its effective support {layer.support_label}")
    lines += [class_text(state, number), near_text(state, number)]
    if like := like_text(pool, number):
        lines.append(f"cosine {like} with the kernel that was looked for")
    lines.append(values_text(state, number))
    scale, offset = pool.scale[number], pool.offset[number]
    lines.append(signed(f"scale {scale:.4g}, offset {offset:.4g}"))
    lines.append(tags_text(state, number))
    if state.pairs is not None:
        lines.append(partner_text(state, state.pairs, number))
    if (state.near == number).any():
        lines.append("marked: among the nearest to the spectrum's slider")
    return "\n".join(filter(None, lines))


def kernel_name(state: ViewState, number: int) -> str:
    """A kernel of the pool in a line: ``kernel 12 of stages.2, On-centre, fit 0.91``.

    Kernels are counted from 0, as channels are.
    """
    pool = state.pool
    if pool is None or number >= len(pool):
        return ""
    model, layer = pool.layer_of(number)
    owner = f" of {model.name}" if len(pool.models) > 1 else ""
    parts = [f"kernel {pool.channel[number]} of {layer.name}{owner}"]
    parts.append(class_text(state, number))
    fit = np.nan if state.labels is None else state.labels.fit[number]
    parts.append("" if np.isnan(fit) else signed(f"fit {fit:.2f}"))
    return ", ".join(filter(None, parts))


def like_text(pool: KernelPool, number: int) -> str:
    """Cosine with the kernel by which a corpus found this one; empty: by none."""
    found = likeness(pool)
    if found is None or np.isnan(found[number]):
        return ""
    return signed(f"{found[number]:.3f}")


def tags_text(state: ViewState, number: int) -> str:
    """The tags of a kernel."""
    if state.tag_bits is None or not state.tag_bits[number]:
        return ""
    numbers = tags_in(int(state.tag_bits[number]))
    names = [tag_name(state.tags, tag) for tag in numbers]
    plain = [name if name.startswith("tag ") else f"“{name}”" for name in names]
    return f"tagged {', '.join(plain)}"


def partner_text(state: ViewState, pairs: PoolPairs, number: int) -> str:
    """The kernel that corresponds to one in the other network, and what changed."""
    row = int(pairs.row[number])
    if row < 0:
        return ""
    first, second = int(pairs.first[row]), int(pairs.second[row])
    other, when = (second, "after") if number == first else (first, "before")
    said = ", ".join(
        filter(None, (class_text(state, other), values_text(state, other)))
    )
    parts = [f"{when}: {said}" if said else when]
    cosine, ratio = pairs.found.cosine[row], pairs.found.scale_ratio[row]
    if not np.isnan(cosine):
        parts.append(signed(f"cosine {cosine:.3f}, ln scale ratio {ratio:+.3f}"))
    return "\n".join(parts)


def class_text(state: ViewState, number: int) -> str:
    """Name of a kernel's class; the best one where it is not identified."""
    assert state.pool is not None
    if state.pool.flat[number]:
        return "flat: dead or constant"
    if state.labels is None:
        return ""
    best = class_shown(state.labels.best[number]).name
    below = state.labels.label[number] == UNIDENTIFIED
    return f"unidentified, best class {best}" if below else best


def values_text(state: ViewState, number: int) -> str:
    """Code and fit of a kernel as far as there are any."""
    if state.labels is None:
        return ""
    code, fit = state.labels.code[number], state.labels.fit[number]
    parts = [] if np.isnan(code) else [f"code {code:.3f}"]
    word = "family" if state.named_by == "family" else "fit"
    parts += [] if np.isnan(fit) else [f"{word} {fit:.3f}"]
    return ", ".join(parts)


def near_text(state: ViewState, number: int) -> str:
    """The family's second class where it explains the kernel about as well."""
    names = state.families
    if names is None or state.named_by != "family":
        return ""
    from kernelviewer.kernels.family.fit import DELTA

    margin = float(names.margin[number])
    if not margin < DELTA:
        return ""
    second = second_class(
        state.scheme, int(names.best[number]), int(names.second[number])
    )
    return (
        f"near {class_shown(second).name}, by {margin:.3f}"
        if second is not None
        else ""
    )


def second_class(scheme: Scheme, best: int, second: int) -> int | None:
    """The second fine class in a scheme's words; None where that is the first's."""
    if scheme is not PAPER:
        return second
    return PAPER_OF[second] if PAPER_OF[second] != PAPER_OF[best] else None
