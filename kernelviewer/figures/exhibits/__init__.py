"""The kinds of figures: a table of them, and a module each that gathers and draws.

A new one is a module here and its entry in `EXHIBITS`. The modules are imported when
their figure is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kernelviewer.figures.content import Exhibit, FigureError, always
from kernelviewer.figures.options import Choice, Number, Own, declare_own

if TYPE_CHECKING:
    from kernelviewer.figures.options import FigureOptions

# fmt: off
LEAST: Own[float | None] = Own("offset_cosine", None, Number(
    label="Least cosine",
    title="Least cosine with the pattern family of kernels that count",
    noun="least cosine", metavar="COSINE", low=0.0, high=1.0, step=0.05,
    unset="as usual for the size"))
REACH: Own[float] = Own("offset_reach", 1.0, Number(
    label="Offsets to", title="Largest offset on the axes",
    noun="largest offset on the axes", metavar="PX", low=0.5, high=25.0, unit=" px",
    step=0.5))
CHANGE: Own[Literal["pattern", "scale", "code"]] = Own("change", "pattern", Choice(
    label="Largest change of", title="What changed most in the pairs shown first",
    noun="kind of change",
    choices={"pattern": "pattern", "scale": "scale", "code": "code"}))
PLANE: Own[Literal["both", "codes", "change"]] = Own("plane", "both", Choice(
    label="Axes", title="What pairs of kernels are placed by", noun="plane", choices={
        "both": "codes, and change", "codes": "code before and after",
        "change": "cosine and ln scale ratio"}))
ORDER: Own[Literal["coverage", "kernels", "name"]] = Own(
    "networks_order", "coverage", Choice(
    label="Networks by", title="Order of the networks", noun="order of networks",
    choices={
        "coverage": "share identified", "kernels": "number of kernels",
        "name": "name"}))
AGAINST: Own[Literal["auto", "accuracy", "kernels"]] = Own("against", "auto", Choice(
    label="Against", title="What the networks are set against",
    help="what the share identified is drawn against: accuracies, which "
    "--accuracy gives, or the number of kernels (auto: accuracies if there are "
    "some)", noun="other axis", choices={
        "auto": "accuracy, else kernels", "accuracy": "accuracy",
        "kernels": "number of kernels"}))
# fmt: on


def _told_apart(options: FigureOptions) -> bool:
    """True if kernels are grouped or sorted by what names them."""
    return not {"class", "code", "fit"}.isdisjoint((options.group, options.sort))


def _by_class(options: FigureOptions) -> bool:
    """True if kernels stand under the names of classes, or in their order."""
    return options.group in ("class", "code") or options.sort == "class"


# fmt: off
EXHIBITS: dict[str, Exhibit] = {
    item.kind: item
    for item in (
        Exhibit("family", "Pattern family",
            "the classes' patterns as surfaces and kernels", "family.prepare_family",
            needs_file=False),
        Exhibit("samples", "Samples",
            "random depthwise kernels beside regular ones, layer by layer",
            "samples.prepare_samples", uses=("samples", "seed", "mean")),
        Exhibit("spectrum", "Spectrum", "the decoded code with its named stretches",
            "spectrum.prepare_spectrum", needs_classes=always, pools=True,
            uses=("samples", "mark", "class_marks")),
        Exhibit("pca", "Principal components",
            "kernels in the plane of their first two principal components",
            "pca.prepare_pca", needs_classes=lambda options: options.colour == "fit",
            shows_classes=True, pools=True, with_classes=always,
            uses=("samples", "components", "colour", "class_marks", "seed", "mean")),
        Exhibit("classes", "Classes",
            "random kernels of every class, with counts and shares",
            "classes.prepare_classes", needs_classes=always, pools=True,
            with_classes=always, uses=("samples", "seed", "mean")),
        Exhibit("composition", "Composition", "share of each class in every layer",
            "composition.prepare_composition", needs_classes=always,
            uses=("class_marks",)),
        Exhibit("histogram", "Codes and fits",
            "distributions of codes and fits, with white noise",
            "histogram.prepare_histogram", needs_classes=always, uses=("class_marks",)),
        Exhibit("offsets", "Offsets",
            "where the kernels of each layer have their centres",
            "offsets.prepare_offsets", own=(LEAST, REACH)),
        Exhibit("keys", "Keys",
            "the keys that stand for the kernels, and how much each carries",
            "keys.prepare_keys", uses=("keys", "key_set")),
        Exhibit("r2", "R² by layer",
            "how much of each layer's kernels the keys keep, beside white noise",
            "keys.prepare_r2", uses=("keys", "key_set")),
        Exhibit("health", "Health of layers",
            "sparsity, entropy, orthogonality and scale of each layer",
            "health.prepare_health"),
        Exhibit("sheet", "Sheet", "every kernel, by layer, class or network",
            "sheet.prepare_sheet", needs_classes=_told_apart, with_classes=_by_class,
            uses=("group", "sort", "mean")),
        Exhibit("kernel", "Kernel",
            "a kernel with its reconstruction, or what a code stands for",
            "kernel.prepare_kernel",
            needs_classes=lambda options: options.mark is not None, shows_classes=True,
            pools=True, with_classes=always, uses=("samples", "mark", "mean")),
        Exhibit("compare", "Comparison", "two networks, or one and white noise",
            "compare.prepare_compare", shows_classes=True, compares=True,
            uses=("samples", "seed", "mean")),
        Exhibit("transitions", "Transitions",
            "classes of corresponding kernels in two networks",
            "transitions.prepare_transitions", needs_classes=always, compares=True,
            pairs=True, uses=("match", "pairing")),
        Exhibit("drift", "Drift by layer",
            "how far kernels moved between two networks, layer by layer",
            "drift.prepare_drift", shows_classes=True, compares=True, pairs=True,
            uses=("match", "pairing")),
        Exhibit("scatter", "Before and after",
            "corresponding kernels of two networks by code, and by how far they moved",
            "scatter.prepare_scatter", shows_classes=True, compares=True, pairs=True,
            uses=("match", "pairing", "colour", "class_marks", "seed"), own=(PLANE,)),
        Exhibit("pairs", "Changed kernels",
            "the kernels that changed most between two networks", "pairs.prepare_pairs",
            shows_classes=True, compares=True, pairs=True, with_classes=always,
            uses=("match", "pairing", "samples", "mean"), own=(CHANGE,)),
        Exhibit("shift", "Shift of the distribution",
            "how the distribution of kernels shifted between two networks",
            "shift.prepare_shift", compares=True, pairs=True,
            uses=("match", "pairing")),
        Exhibit("shares-over-time", "Shares over time",
            "share of each class along a training run", "run.prepare_shares",
            needs_classes=always, is_run=True, uses=("time", "class_marks")),
        Exhibit("formation", "Formation",
            "at which step of a training run the kernels of each layer formed",
            "run.prepare_formation", needs_classes=always, is_run=True, uses=("time",)),
        Exhibit("strips", "Film strips",
            "kernels at the steps of a training run side by side",
            "strips.prepare_strips", is_run=True, uses=("samples", "seed", "mean")),
        Exhibit("zoo", "Zoo", "the networks, each as the shares of its classes",
            "zoo.prepare_zoo", needs_classes=always, of_counts=True,
            uses=("class_marks",), own=(ORDER,)),
        Exhibit("coverage-accuracy", "Coverage against accuracy",
            "share identified of each network against its accuracy or number of "
            "kernels", "coverage.prepare_coverage", needs_classes=always,
            of_counts=True, own=(AGAINST,)),
        Exhibit("table", "Table", "kernels, coverage and class shares of many networks",
            "table.prepare_table", needs_classes=always),
    )
}
# fmt: on
"""Kind → exhibit, in the order of menus."""

for _item in EXHIBITS.values():
    for _own in _item.own:
        declare_own(_own)


def exhibit(kind: str) -> Exhibit:
    """The exhibit of a kind.

    Raises
    ------
    FigureError
        There is none.
    """
    if kind not in EXHIBITS:
        kinds = ", ".join(EXHIBITS)
        raise FigureError(f"there is no figure {kind!r}", f"Choose one of {kinds}.")
    return EXHIBITS[kind]
