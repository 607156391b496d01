"""The words on the screen, each with a plain sentence and a picture of kernels.

One table for the "?" of the panels, the glossary in the help, the search line and the
page of the documentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.painting.kernels import enlarge, to_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from PySide6.QtGui import QImage

    from kernelviewer.gui.painting.kernels import WeightColours

SIZE = (7, 7)
_GAP = 2
"""Taps between two kernels of a picture."""
_TAP = 5
"""Pixels of a weight in it, each way."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means."""

    id: str
    """Name of its place in the page of the documentation."""
    word: str
    """As it stands on the screen, in its usual form."""
    says: str
    """Plain sentences."""
    picture: str
    """A key of `PICTURES`."""
    formula: str = ""
    """How it is computed; empty where it is no number."""
    views: tuple[str, ...] = ()
    """Ids of the panels where it is seen; ``tools`` is the line above them."""
    also: str = ""
    """Other forms of the word, by which it is found as well."""

    def answers(self, text: str) -> bool:
        """True if every word of the text begins a word of this entry."""
        known = re.findall(r"\w+", f"{self.word} {self.also} {self.says}".casefold())
        words = re.findall(r"\w+", text.casefold())
        return all(any(item.startswith(word) for item in known) for word in words)


# fmt: off
TERMS: tuple[Term, ...] = (
    Term("kernel", "Kernel",
        "The small grid of weights with which a depthwise layer filters one channel. "
        "Red weights are positive, blue ones negative, and the pale middle is zero.",
        "kernel", views=("grid", "inspector"), also="tap weight filter"),
    Term("layer", "Layer and channel",
        "A depthwise layer has one kernel for each of its channels: layer and channel "
        "together say where in the network a kernel is.",
        "layer", views=("models", "grid", "inspector", "composition"),
        also="depthwise module"),
    Term("mean", "Without mean",
        "The kernel less the mean of its weights: what is left is its pattern, by "
        "which it is named. A kernel may be all blue and still be brightest in the "
        "middle. On the left as it is, on the right without its mean.",
        "mean", "w − mean(w)", ("grid", "inspector"), "with mean pattern mean-free"),
    Term("own-scale", "Scale per kernel, own scale",
        "Each kernel is drawn so that its own largest weight has the full colour; weak "
        "and strong ones look alike then. Scale per layer, or one scale for all, shows "
        "which is stronger.",
        "own", "colour = w / max |w|", ("grid",), "layer scale colours"),
    Term("scale", "Scale (of a kernel)",
        "How strong a kernel is: the length of its weights without their mean. The "
        "three have one pattern and different scales.",
        "scale", "‖w − mean(w)‖", ("inspector", "drift", "grid"), "norm strength"),
    Term("offset", "Offset",
        "The mean of a kernel's weights, or, for a pattern, how many pixels its middle "
        "lies right of and below the kernel's.",
        "offset", "mean(w)", ("inspector",), "shift position"),
    Term("flat", "Flat",
        "All weights of the kernel are nearly the same, so it has no pattern: a dead "
        "channel or a constant. Flat kernels are hatched and never named.",
        "flat", "scale < 1/1000 of its layer's median, or < 10⁻⁶",
        ("models", "classes", "composition"), "dead constant"),
    Term("class", "Class",
        "The name of a pattern that many kernels share: point, centre, disc, cross, "
        "ring, bar, edge, saddle or checker, bright (On) or dark (Off) in the middle.",
        "class", views=("classes", "composition", "grid", "corpus"),
        also="on-centre off-centre edge bar name label"),
    Term("words", "Fine words and the paper's",
        "Fine words say what people see, with direction and sign. The paper's eleven "
        "classes join several of these, so that tables of others can be compared.",
        "class", views=("tools", "classes"), also="scheme fine eleven"),
    Term("family", "Pattern family",
        "Ideal patterns from formulas: differences of two Gaussian bells and their "
        "derivatives, in every width, place and direction. They need no training and "
        "exist for kernels of any size.",
        "family", "±[G(σ₁) − γ·G(σ₂)] with σ₂ > σ₁, and its derivatives",
        ("tools", "reconstruction", "inspector", "spectrum"),
        "gaussian dog member derivative"),
    Term("sigma", "σ (sigma)",
        "The width of a family's pattern in pixels: the larger, the wider it is.",
        "stretch", views=("reconstruction", "inspector"), also="width gamma angle"),
    Term("fit", "Fit",
        "How alike a kernel and the pattern are that it is named after: 1 is the same "
        "but for brightness and strength, 0 has nothing in common. Here 1, 0.9 and "
        "0.6.",
        "fit", "cosine of the two, each less its mean",
        ("tools", "inspector", "reconstruction", "grid"), "cosine likeness"),
    Term("family-fit", "Family cosine",
        "The fit of a kernel to the nearest member of the pattern family.",
        "fit", "max over members of cos(w, member)",
        ("inspector", "reconstruction"), "family fit nearest member"),
    Term("code", "Code",
        "One number from 0 to 1 that stands for a kernel's pattern. A small network "
        "learned it (or the family orders its patterns so): kernels with near codes "
        "look alike.",
        "spectrum", views=("spectrum", "inspector", "scatter", "grid"),
        also="latent hidden number z encode"),
    Term("autoencoder", "Autoencoder",
        "The small network that squeezes a kernel into its code and draws the pattern "
        "again from it. It can be trained on what is open: Analysis → Train on What Is "
        "Open.",
        "residual", views=("spectrum",), also="encoder decoder train encode"),
    Term("spectrum", "Spectrum",
        "All patterns that the codes from 0 to 1 stand for, in a line. Above it is how "
        "many of the kernels have each code.",
        "spectrum", views=("spectrum",), also="slider density"),
    Term("stretch", "Stretch",
        "A part of the spectrum whose patterns have one name. Borders can be moved, "
        "stretches split, merged and renamed.",
        "stretch", views=("spectrum",), also="border band colour bar"),
    Term("reconstruction", "Reconstruction and residual",
        "The pattern that is drawn from a kernel's code, and what is left of the "
        "kernel when that is taken away. In the middle the reconstruction, at the "
        "right the residual.",
        "residual", "residual = w − reconstruction",
        ("reconstruction", "inspector", "grid"), "decoded rest"),
    Term("threshold", "Threshold",
        "The least fit with which a kernel counts as named. Higher is stricter.",
        "fit", views=("tools", "classes"), also="slider"),
    Term("identified", "Identified (coverage)",
        "The share of the kernels whose fit reaches the threshold. It means something "
        "only beside the share of white noise that does.",
        "fit", "kernels with fit ≥ threshold / kernels that are not flat",
        ("tools", "classes", "models", "overview", "corpus"), "coverage share"),
    Term("unidentified", "Unidentified",
        "A kernel that no pattern fits well enough. It is grey, or has the colour of "
        "its best class, paler.",
        "unidentified", "fit < threshold", ("classes", "composition", "grid"),
        "unident none grey"),
    Term("noise", "White noise",
        "Random numbers in the place of trained weights. “White noise 1.0 %” says that "
        "of such kernels one in a hundred would be identified by chance.",
        "noise", "share of noise kernels with fit ≥ threshold",
        ("tools", "overview", "classes", "corpus"), "null chance random control"),
    Term("null-test", "Null test",
        "Does what is seen come from training? Noise, the same weights shuffled, and "
        "untrained networks are named the same way, and the shares stand side by "
        "side.",
        "noise", views=("tools",), also="honest shuffled untrained control"),
    Term("agree", "Same name by code and family",
        "A kernel can be named twice: by its code and by the pattern family. One "
        "share says how many get exactly the same name; the other counts also those "
        "whose name by code explains them nearly as well as the family's own choice.",
        "agree", "cosine of the code's class ≥ best cosine − 0.05", ("classes",),
        "names agree exactly within hold confirmed"),
    Term("compute-codes", "Compute missing codes",
        "Gives codes to the kernels for which this was cancelled or failed. The "
        "others keep theirs.",
        "spectrum", views=("spectrum",), also="encode again"),
    Term("pca", "PCA, principal components",
        "The two directions in which the patterns differ most. Each point is a "
        "kernel; near points have like patterns.",
        "layer", "eigenvectors of the patterns' covariance", ("scatter",),
        "component variance scatter points"),
    Term("nearest", "Nearest kernels",
        "The kernels of the networks at hand that are most like the pattern at the "
        "slider, or like the focused kernel.",
        "stretch", "largest cosine", ("spectrum", "reconstruction", "inspector"),
        "similar like neighbours mark"),
    Term("pair", "Pair: before, after, difference",
        "The kernels of the same layer and channel in two networks, and what changed.",
        "pair", "after − before", ("comparing", "transitions", "drift", "inspector"),
        "compare two networks"),
    Term("drift", "Drift",
        "How far the patterns of a layer moved from one network to the other, beside "
        "what pairs of different channels of the layer give.",
        "pair", "1 − cosine of a pair", ("drift", "comparing"), "moved shuffled"),
    Term("ratio", "ln scale ratio",
        "How much stronger a kernel became: 0 is equal, 0.69 twice, −0.69 half as "
        "strong.",
        "scale", "ln(scale after / scale before)", ("drift", "inspector"),
        "log scale change"),
    Term("pairing", "Paired by names, by order, by best match",
        "Which kernels of two networks stand against each other: those of layers with "
        "one name, of layers at one place, or, in such layers, those that are most "
        "alike whatever their channel. “Channels shuffled” is what wrong partners of "
        "the same layers give.",
        "pair", views=("comparing",), also="correspond match partner shuffled edit"),
    Term("step", "Training step",
        "One checkpoint of a training run. The line above the steps is the share of "
        "kernels identified at each.",
        "run", views=("steps", "shares", "formation"), also="epoch run film curve"),
    Term("corpus", "Corpus",
        "The kernels of many networks, taken into one folder and named there once. A "
        "line such as class=on-centre fit>0.9 finds kernels, which open together.",
        "class", views=("corpus",), also="zoo many networks query find database"),
    Term("mean-fit", "Mean fit",
        "The mean, over the kernels of a network that have a pattern, of the fit to "
        "what each is named after.",
        "fit", "mean of the fits", ("overview", "corpus"), "average likeness"),
    Term("formed", "Formed",
        "A layer has formed at the step of a training run from which on half of what "
        "is identified at the end is identified.",
        "run", views=("formation", "shares", "steps"), also="step run training film"),
    Term("untrained", "No more than white noise",
        "A network of whose kernels no more are identified than of noise: it was "
        "probably never trained, or is not what its name says.",
        "noise", views=("models", "overview", "corpus"), also="untrained random"),
    Term("ambiguous", "Ambiguous",
        "A layer that may or may not be depthwise. It is left out until you include "
        "it; its tooltip has the reason.",
        "unidentified", views=("models",), also="include left out reason"),
    Term("equal", "Equal kernels",
        "Kernels that two networks have alike, bit for bit. They count once where "
        "networks are counted together, or every time, as the View menu says.",
        "equal", views=("models", "overview", "classes"), also="identical once same"),
    Term("keys", "Keys and R²",
        "A few patterns with which most kernels can be rebuilt by strength and offset "
        "alone. R² is how much of a kernel they keep: 1 all, 0 nothing.",
        "family", "R² = cos² of the kernel and the key, each less its mean", ("keys",),
        "rewrite replace"),
)
# fmt: on


def terms_of(view: str) -> tuple[Term, ...]:
    """The words that a panel has, by its id."""
    return tuple(term for term in TERMS if view in term.views)


def tip_of(name: str) -> str:
    """What a word means, for a tooltip, by its id."""
    return next(f"{term.word}: {term.says}" for term in TERMS if term.id == name)


def found(text: str, terms: Iterable[Term] = TERMS) -> list[Term]:
    """The terms that answer a search; those whose word itself does come first."""
    wanted = text.casefold().strip()

    def rank(term: Term) -> int:
        if term.word.casefold().startswith(wanted):
            return 0
        return 1 if wanted in f"{term.word} {term.also}".casefold() else 2

    return sorted((term for term in terms if term.answers(text)), key=rank)


def picture(name: str) -> tuple[NDArray[np.float32], bool]:
    """The kernels [n, 7, 7] of a picture, and whether one scale is for all."""
    from kernelviewer.kernels.family import member

    def one(kind: str, **given: float) -> NDArray[np.float32]:
        return member(kind, SIZE, **given)

    def like(kernel: NDArray[np.float32], cosine: float) -> NDArray[np.float32]:
        """A kernel with that cosine to the other."""
        rest = noise[0] - noise[0].mean()
        rest = rest - (rest * kernel).sum() * kernel
        rest /= np.linalg.norm(rest)
        mixed: NDArray[np.float32] = cosine * kernel + np.sqrt(1 - cosine**2) * rest
        return mixed.astype(np.float32)

    noise = np.random.default_rng(7).normal(size=(4, *SIZE)).astype(np.float32)
    centre, edge = one("on-centre", sigma=1.2), one("edge-x", sigma=1.1)
    dark = one("off-centre", sigma=1.2)
    several = [
        *(centre, dark, edge, one("edge-y", sigma=1.1)),
        *(one("on-ring", sigma=1.2), one("on-bar-v"), one("saddle", sigma=1.2)),
    ]
    order = ("on-disc", "on-centre", "on-cross", "edge-x", "edge-d", "edge-y")
    along = [one(kind, sigma=1.2) for kind in (*order, "saddle", "off-cross")]
    near = like(centre, 0.85)
    kernels, shared = {
        "kernel": ([centre], False),
        "layer": ([like(item, 0.93) for item in several[:6]], False),
        "mean": ([centre - 0.75, centre], True),
        "own": ([centre, 0.4 * edge], False),
        "scale": ([centre, 0.5 * centre, 0.2 * centre], True),
        "offset": ([centre, one("on-centre", sigma=1.2, offset_x=1.0)], False),
        "flat": ([np.zeros(SIZE, np.float32), np.full(SIZE, 0.4, np.float32)], True),
        "class": (several, False),
        "family": (along, False),
        "spectrum": ([*along, dark], False),
        "stretch": ([one("on-centre", sigma=s) for s in (1.0, 1.2, 1.4, 1.6)], False),
        "fit": ([centre, like(centre, 0.9), like(centre, 0.6)], False),
        "residual": ([near, 0.85 * centre, near - 0.85 * centre], True),
        "unidentified": ([like(centre, 0.3), noise[1]], False),
        "noise": ([*noise], False),
        "agree": ([near, centre, one("on-disc", sigma=1.8)], False),
        "pair": ([centre, like(centre, 0.9), like(centre, 0.9) - centre], True),
        "run": ([like(centre, c) for c in (0.0, 0.4, 0.8, 0.98)], False),
        "equal": ([near, near], False),
    }[name]
    return np.stack(kernels).astype(np.float32), shared


def picture_of(name: str, colours: WeightColours) -> QImage:
    """A picture in the window's colours."""
    kernels, shared = picture(name)
    top = np.abs(kernels).max(axis=(1, 2))
    top = np.where(top > 0, top, np.float32(1))
    if shared:
        top = np.full_like(top, top.max())
    pixels = colours.pixels(kernels, top)
    count, rows, columns = pixels.shape
    ground = colours.table[-2]
    canvas = np.full((rows, count * (columns + _GAP) - _GAP), ground, np.uint32)
    for number, one in enumerate(pixels):
        left = number * (columns + _GAP)
        canvas[:, left : left + columns] = one
    return to_image(enlarge(canvas, _TAP, _TAP))
