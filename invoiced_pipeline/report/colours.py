"""The colours of pictures and page, on paper and on a dark screen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour that changes with the reader's preference.

    Attributes:
        name: Its name in the style sheet.
        light: On a light page, on paper and in Dagster's UI; unique, because pictures hold it.
        dark: On a dark page.
    """

    name: str
    light: str
    dark: str


PAGE = Colour("page", "#f3f5f7", "#0f1317")
CARD = Colour("card", "#ffffff", "#191f25")
INK = Colour("ink", "#1b2530", "#e7ebef")
MUTED = Colour("muted", "#586572", "#a5b0bb")
RULE = Colour("rule", "#dbe0e5", "#37414b")

# Okabe and Ito's palette, whose colours people with colour blindness can tell apart.
BLUE = Colour("blue", "#0072b2", "#56b4e9")
GREEN = Colour("green", "#009e73", "#3cc79d")
VERMILION = Colour("vermilion", "#d55e00", "#ff8a3d")
PURPLE = Colour("purple", "#cc79a7", "#e3a3c6")
GREY = Colour("grey", "#8a949e", "#7d8893")

# From not due to long overdue: blue against orange, and each step differs in lightness too.
NOT_DUE = Colour("not-due", "#6aa9d8", "#3f87bd")
LATE_1 = Colour("late-1", "#f7cb67", "#ffe2a0")
LATE_2 = Colour("late-2", "#e8912d", "#fbb257")
LATE_3 = Colour("late-3", "#bf4f17", "#f07a3a")
LATE_4 = Colour("late-4", "#742305", "#c5462c")

COLOURS: Sequence[Colour] = (
    *(PAGE, CARD, INK, MUTED, RULE),
    *(BLUE, GREEN, VERMILION, PURPLE, GREY),
    *(NOT_DUE, LATE_1, LATE_2, LATE_3, LATE_4),
)

_BY_LIGHT = {each.light: each for each in COLOURS}
_ATTRIBUTE = re.compile(r'(?<==")#[0-9a-f]{6}(?=")')


def with_variables(svg: str) -> str:
    """Replaces the light colours in an SVG's attributes by the style sheet's variables.

    A text in a picture cannot be taken for one: SVG writes a quote in it as an entity.
    """

    def variable(found: re.Match[str]) -> str:
        colour = _BY_LIGHT.get(found[0])
        return f"var(--{colour.name})" if colour else found[0]

    return _ATTRIBUTE.sub(variable, svg)
