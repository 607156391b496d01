"""The model card: what the shipped autoencoders are, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.kernels.bank import size_label
from kernelviewer.text import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_METHODS = (
    "curve",
    "k-means 10",
    "k-means 50",
    "k-means 100",
    "k-means 200",
    "paper",
    "family",
)
_INTRODUCTION = """\
# The autoencoders that come with kernelviewer

Each turns depthwise kernels of one size into a code in [0, 1] and back, and names the
stretches of its spectrum. `curve-KxK.safetensors` is the default method; its file also
holds K-means centroids of the same kernels for comparison. `paper-KxK.safetensors` is
the plain autoencoder of Babaiee et al. (ICLR 2024), for comparing like with like.

Everything below, and the files, are remade by one command:

    {command}

made with {versions}."""
_RECIPE = """\
## Recipe

Patterns are kernels without their mean, at length 1; flat kernels are left out. The
same network in two containers, copies and epochs of one run count once (mean |cosine|
of corresponding kernels above 0.9); fine-tunings of one parent (above 0.8) are one
family, which stays on one side of every split. Families weigh equally.

**curve**: the spectrum is a cosine series of the code. It starts as a short path
(2-opt, Or-opt) through {centroids} centroids of spherical K-means, on which centroids
of different pattern classes are further apart. Then 40 sweeps of annealed soft
assignment: each kernel pulls on the points around its nearest one, within a
neighbourhood on the axis whose width shrinks from {first_width:g} to {width:g};
{mirrored:.0%} of the kernels are shown as a mirror image, a transpose or a negative,
under all of which the pattern family is closed. A point on which only kernels of a
kernel's own class pull seems {class_pull:g} in cosine nearer to it, so that arcs come
to hold one class each. Last the axis is stretched where more kernels live. A code is
that of the nearest of 2 048 points; classes have no say in it.

**Members of the family**: {members:.0%} of the weight belongs to random members of the
analytic family, of all bases alike, their parameters drawn evenly within its limits;
the rest to the networks. Few networks are at hand, and few of them have wide patterns;
others do. In no table below does a member count as a kernel, and K-means and the
paper's autoencoder are trained on the networks alone. How much these members, and the
length of the curve, change the fit on unseen networks is told below (7×7).

**paper**: encoder and decoder of three layers, 256 wide, a sigmoid code, cosine loss,
3 000 steps of AdamW on batches of 512, learning rate 2e-3 in one cycle.

**Names**: dynamic programming over the 2 048 points for the names that are right for
the most kernels and members, at a cost for each stretch, none shorter than 1 % of the
axis, at least one for each class of the paper that 2 % of the identified kernels have.
A name is right that the family gives the kernel (its rule is told last). The
stretches carry fine classes; each belongs to one of the paper's, so the same stretches
name in both schemes (no stretch is called checker, which the paper has no class for).
**Threshold**: 0.7, or what 1 % of 100 000 white-noise
kernels reach where that is more."""


def model_card(facts: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Parameters
    ----------
    facts
        What `kernelviewer.latent.shipping.ship` gathered.
    """
    versions = ", ".join(f"{name} {v}" for name, v in facts["versions"].items())
    head = _INTRODUCTION.format(command=facts["command"], versions=versions)
    first = next(iter(facts["sizes"].values()))
    recipe = _RECIPE.format(**first["made"]["curve"]["options"])
    parts = [head, recipe, *_overview(facts["sizes"])]
    for key, size in facts["sizes"].items():
        parts += _size(key.replace("x", "×"), size)
    parts += _family()
    return "\n\n".join(parts) + "\n"


def _family() -> Iterator[str]:
    """The rule that the pattern family names by, and how its names hold."""
    from kernelviewer.kernels.family.fit import SPREAD
    from kernelviewer.kernels.family.members import COMMON, DIAGONAL, WIDTHS
    from kernelviewer.latent.family_null import shipped_nulls, stability

    yield "## The family's names"
    yield (
        "The class with most evidence, T·ln Σ w exp(cosine/T) over a bank of members, "
        f"T = {SPREAD:g}; the same for every size. Of n members of a kind each has w = "
        "1/n, times how common eyes find its shape: ln of that by σ, near the middle "
        f"and beside it, below; of a diagonal {-DIAGONAL:g} less. Kept: the share of "
        "names that fresh noise of half a kernel's own residual leaves, a mean over "
        "networks."
    )
    rows = []
    for size, null in sorted(shipped_nulls().nulls.items()):
        if (kept := stability(size)) is not None:
            level = null.default_threshold
            share = _percent(null.coverage(level), 2)
            rows.append((size_label(size), _fit(level), share, _percent(kept)))
    yield _table(("size", "threshold", "null", "kept"), rows)
    widths = (f"σ < {WIDTHS[0]:g}", *(f"< {width:g}" for width in WIDTHS[1:]), "more")
    shapes = [
        (shape, *(f"{near:g} / {beside:g}" for near, beside in by_width))
        for shape, by_width in COMMON.items()
    ]
    yield _table(("shape", *widths), shapes)


def _overview(sizes: Mapping[str, Any]) -> Iterator[str]:
    yield "## As shipped"
    rows = []
    for key, size in sizes.items():
        results = size["made"]["curve"]["results"]
        training = size["made"]["curve"]["training"]
        rows.append(
            (
                key.replace("x", "×"),
                str(len(training)),
                _count(sum(entry["kernels"] for entry in training)),
                _fit(results["mean_fit"]),
                _fit(results["threshold"]),
                _percent(results["null_coverage"], 2),
                f"{results['arc_length']:.1f} π",
                str(results["stretches"]),
                *_names(results["names"]),
            )
        )
    head = (
        "size",
        "networks",
        "kernels",
        "mean fit",
        "threshold",
        "null",
        "length",
        "stretches",
        *_NAMES,
    )
    yield _table(head, rows)
    yield (
        "Names, exact / within 0.05: share of the identified training kernels whose "
        "stretch has the class that the family gives them, and of those that it "
        "explains within 0.05 in cosine as well as that; in fine classes and in the "
        "paper's."
    )
    alone = [
        key.replace("x", "×") for key, size in sizes.items() if size["split"] == "layer"
    ]
    if alone:
        yield (
            f"**{' and '.join(alone)}: the family is the default.** There is one "
            "network of this size to learn from, so nothing is known of how the curve "
            "does on others. Its file says so (`default_naming`)."
        )


def _size(key: str, size: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {key}"
    yield _data(size["made"]["curve"]["training"])
    by_family = size["split"] == "family"
    if by_family:
        yield (
            "**Each family of networks left out in turn**: all methods trained on the "
            "others. Mean fit, and coverage at the threshold in brackets; *family* is "
            "the analytic family, which needs no training, at a threshold of its own "
            "found in the same way."
        )
    else:
        yield (
            "There is one network only, so it was split by layer: trained on every "
            "other layer, judged on the rest. **This is no result about unseen "
            "networks.**"
        )
    if size["left_out"]:
        yield _left_out(size["left_out"])
        yield _nulls(size["left_out"])
    if size["held_out"]:
        yield (
            "**Held out of everything**, the shipped autoencoders as they are. The "
            "share of members and the width were chosen with an eye on this fit, too; "
            "no kernel of it was trained on."
        )
        yield _judged("network", size["held_out"])
    if size["controls"]:
        yield from _controls(size["controls"])
    if "knee" in size:
        yield from _knee(size["knee"])


def _data(training: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            entry["name"],
            _count(entry["kernels"]),
            str(entry["family"]),
            entry["sha256"][:16],
            ", ".join(entry["same"]),
        )
        for entry in training
    ]
    head = ("trained on", "kernels", "family", "SHA-256", "repeats, not counted")
    return _table(head, rows)


def _left_out(items: Sequence[Mapping[str, Any]]) -> str:
    means = [
        _fit(sum(item["methods"][name]["mean_fit"] for item in items) / len(items))
        for name in _methods(items)
    ]
    bold = (f"**{text}**" if text else "" for text in (*means, *_mean_names(items)))
    return _judged("left out", items) + "\n" + _line(("**mean**", "", "", *bold))


_NAMES = ("names, fine", "names, paper's")


def _names(found: Mapping[str, Any]) -> list[str]:
    """Exact / within 0.05, in fine classes and in the paper's; empty: unknown."""
    cells = []
    for scheme in ("fine", "paper"):
        shares = found.get(scheme, {}).values()
        known = [share for share in shares if share is not None]
        cells.append(" / ".join(_percent(share) for share in known))
    return cells


def _mean_names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Means over judgements that have names, which weigh equally."""
    means = {
        scheme: {
            key: sum(shares) / len(shares)
            for key in ("exact", "within")
            if (
                shares := [
                    item["names"][scheme][key]
                    for item in items
                    if item["names"].get(scheme, {}).get(key) is not None
                ]
            )
        }
        for scheme in ("fine", "paper")
    }
    return _names(means)


def _methods(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in _METHODS if name in items[0]["methods"]]


def _judged(what: str, items: Sequence[Mapping[str, Any]]) -> str:
    methods = _methods(items)
    rows = []
    for item in items:
        found = item["methods"]
        cells = [
            f"{_fit(found[name]['mean_fit'])} ({_percent(found[name]['coverage'], 0)})"
            for name in methods
        ]
        rows.append(
            (
                item["name"],
                _count(item["kernels"]),
                _fit(item["threshold"]),
                *cells,
                *_names(item["names"]),
            )
        )
    head = (what, "kernels", "threshold", *methods, *_NAMES)
    return _table(head, rows)


def _nulls(items: Sequence[Mapping[str, Any]]) -> str:
    methods = _methods(items)
    most = {
        name: max(item["methods"][name]["null_coverage"] or 0.0 for item in items)
        for name in methods
        if items[0]["methods"][name]["null_coverage"] is not None
    }
    shares = ", ".join(f"{name} {_percent(share, 2)}" for name, share in most.items())
    lengths = {
        name: [item["methods"][name]["arc_length"] for item in items]
        for name in methods
        if items[0]["methods"][name]["arc_length"] is not None
    }
    spans = ", ".join(
        f"{name} {min(values):.1f} to {max(values):.1f} π"
        for name, values in lengths.items()
    )
    return f"White noise at the threshold, at most: {shares}. Arc lengths: {spans}."


def _controls(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "**Untrained networks**, which have to come out near white noise:"
    rows = [
        (
            item["name"],
            _count(item["kernels"]),
            _fit(item["methods"]["curve"]["mean_fit"]),
            _percent(item["methods"]["curve"]["coverage"], 2),
            _percent(item["methods"]["curve"]["null_coverage"], 2),
        )
        for item in items
    ]
    yield _table(("network", "kernels", "mean fit", "coverage", "null"), rows)


def _knee(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "**Fit against length**: mean fit over the left-out families, on the network "
        "held out of everything, and the curve of all networks, by the last width of "
        "the neighbourhood, the share of members of the family, and the pull of "
        "classes. A longer curve fits better, at the price of names; members bring "
        "patterns that the networks at hand lack, at the price of those that they "
        "have; classes that pull make names hold, at the price of length."
    )
    if any("names" not in item for item in items):
        yield (
            "Rows without names were measured for version 0.1.0, whose family had the "
            "paper's eleven classes."
        )
    rows = [
        (
            f"{item['width']:g}",
            _percent(item["members"], 0),
            f"{item['class_pull']:g}",
            _optional(item["left_out_fit"]),
            _optional(item["held_out_fit"]),
            _fit(item["mean_fit"]),
            f"{item['arc_length']:.1f} π",
            str(item["stretches"]) if "names" in item else "",
            *_names(item.get("names", {})),
            _percent(item["null_coverage"], 2),
        )
        for item in items
    ]
    head = (
        "width",
        "members",
        "class pull",
        "fit left out",
        "fit held out",
        "fit all",
        "length",
        "stretches",
        *_NAMES,
        "null",
    )
    yield _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(map(_line, (head, ["---"] * len(head), *rows)))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fit(value: float) -> str:
    return f"{value:.3f}"


def _optional(value: float | None) -> str:
    return "" if value is None else _fit(value)


def _percent(value: float | None, digits: int = 1) -> str:
    return "" if value is None else percent(value, digits)


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ")
