"""Colors of services are seen on the page's ground, and told apart by color-blind people, too."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from opslog.trace.page import PARTS

# Machado, Oliveira, Fernandes (2009): what is seen of linear RGB, wholly without one kind of cones.
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.28, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
APART = 25
"""CIELAB difference (CIE76): 2 is just seen."""

Color = tuple[float, float, float]


def schemes() -> list[dict[str, Color]]:
    """Return the named colors of the light and of the dark page as linear RGB."""
    style = (PARTS / "style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    found = []
    for block in blocks:
        named = re.findall(r"--(\w+): #([0-9a-f]{3,6});", block)
        found.append(
            {
                name: linear(text if len(text) == 6 else "".join(2 * c for c in text))
                for name, text in named
            }
        )
    return found


def linear(text: str) -> Color:
    parts = [int(text[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return r, g, b


def luminance(color: Color) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def lab(color: Color, eye: str) -> Color:
    r, g, b = (
        min(max(sum(a * c for a, c in zip(row, color, strict=True)), 0), 1) for row in EYES[eye]
    )
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        luminance((r, g, b)),
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0888,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("dark", [False, True])
def test_colors_of_services_are_told_apart(dark: bool, eye: str) -> None:
    colors = schemes()[dark]
    for one, other in combinations([f"s{n}" for n in range(6)], 2):
        pair = zip(lab(colors[one], eye), lab(colors[other], eye), strict=True)
        assert sum((a - b) ** 2 for a, b in pair) ** 0.5 >= APART, (one, other)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_drawn_and_written_is_seen_on_its_ground(dark: bool) -> None:
    colors = schemes()[dark]
    least = {**{f"s{n}": 3.0 for n in range(9)}, "text": 7.0, "dim": 4.5, "bad": 4.5, "warn": 4.5}
    for name, ratio in least.items():
        bright, dim = sorted((luminance(colors[name]), luminance(colors["ground"])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= ratio, name
