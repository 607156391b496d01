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


def ciede2000(first: np.ndarray, second: np.ndarray) -> float:
    """How different two CIELAB colours look (Sharma, Wu and Dalal 2005)."""
    chroma = (np.hypot(*first[1:]) + np.hypot(*second[1:])) / 2
    g = (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7))) / 2
    (l1, a1, b1), (l2, a2, b2) = ((x[0], x[1] * (1 + g), x[2]) for x in (first, second))
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    hue, light, c = np.radians(h1 + turn / 2), (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * np.cos(hue - np.radians(30)) + 0.24 * np.cos(2 * hue)
    t += 0.32 * np.cos(3 * hue + np.radians(6)) - 0.2 * np.cos(4 * hue - np.radians(63))
    lightness = (l2 - l1) / (
        1 + 0.015 * (light - 50) ** 2 / np.hypot(20**0.5, light - 50)
    )
    saturation = (c2 - c1) / (1 + 0.045 * c)
    angle = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * c * t)
    blue = np.exp(-(((np.degrees(hue) % 360 - 275) / 25) ** 2))
    tilt = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * blue))
    return float(
        np.sqrt(lightness**2 + saturation**2 + angle**2 + tilt * saturation * angle)
    )


def test_differences_are_those_of_the_standard() -> None:
    """Pairs 1, 9 and 25 of the authors' table."""
    for first, second, wanted in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert ciede2000(np.array(first), np.array(second)) == pytest.approx(
            wanted, abs=1e-4
        )


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_two_classes_of_a_scheme_look_alike(scheme: str, ground: str) -> None:
    named = [CLASSES[row] for row in SCHEMES[scheme].rows if CLASSES[row].id != "flat"]
    for first, second in itertools.combinations(named, 2):
        colours = [rgb(getattr(item, ground)) for item in (first, second)]
        for eye in EYES:
            least = 11 if eye == "normal" else 8
            seen = (lab(colour, eye) for colour in colours)
            assert ciede2000(*seen) > least, (first.id, second.id, eye)


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
