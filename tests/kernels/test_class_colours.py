"""Classes are told apart by colour, by most eyes, on light and on dark ground."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kernelviewer.kernels.classes import CLASSES, INDEX, SCHEMES

# Machado, Oliveira and Fernandes (2009), severity 1, linear RGB
EYES = {
    "normal": np.eye(3),
    "deuteranope": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanope": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def lab(colour: np.ndarray, eye: str) -> np.ndarray:
    """CIELAB of an sRGB colour as an eye sees it."""
    linear = np.where(
        colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4
    )
    x, y, z = XYZ @ np.clip(EYES[eye] @ linear, 0, 1)
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Least distance to any of the eyes."""
    return min(
        float(np.linalg.norm(lab(first, eye) - lab(second, eye))) for eye in EYES
    )


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_two_classes_of_a_scheme_look_alike(scheme: str, ground: str) -> None:
    named = [CLASSES[row] for row in SCHEMES[scheme].rows if CLASSES[row].id != "flat"]
    for first, second in itertools.combinations(named, 2):
        colours = (rgb(getattr(item, ground)) for item in (first, second))
        assert apart(*colours) > 11, (first.id, second.id)


@pytest.mark.parametrize(
    ("ground", "paper"), [("light", "#FFFFFF"), ("dark", "#212225")]
)
def test_a_saddle_is_no_unidentified_kernel_even_where_it_is_pale(
    ground: str, paper: str
) -> None:
    nameless = rgb(getattr(CLASSES[INDEX["unidentified"]], ground))
    for name in ("d2-xy", "saddle"):
        colour = rgb(getattr(CLASSES[INDEX[name]], ground))
        assert apart(colour, nameless) > 35
    full = rgb(getattr(CLASSES[INDEX["d2-xy"]], ground))
    pale = 0.38 * full + 0.62 * rgb(paper)  # below the threshold
    assert apart(pale, nameless) > 20
