"""An accent colour of anybody's choice, made readable: all that the style sheet needs, in light and dark.

Buttons are filled with the very colour that was chosen, under the ink that reads better on it; links, lines and words
get a shade of it that stands out from every ground of the design by 4.5 : 1 or more (WCAG 2.2, 1.4.3). Luminance and
contrast after https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
"""

import colorsys
import re
from dataclasses import dataclass

ENOUGH = 4.5
WHITE, BLACK = "#ffffff", "#000000"
# The grounds on which accent-coloured words stand; `soft` is mixed from the accent itself.
LIGHT_GROUNDS, DARK_GROUNDS = ("#ffffff", "#faf9f6"), ("#1c2028", "#14171d")
STEPS = 200


@dataclass(frozen=True, slots=True)
class Shades:
    """The colours for one scheme, as "#rrggbb"."""

    accent: str
    soft: str
    fill: str
    on_fill: str


@dataclass(frozen=True, slots=True)
class Palette:
    light: Shades
    dark: Shades


def is_colour(text: str) -> bool:
    """Whether this is a colour as a browser's colour field sends it: "#27508f"."""
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def palette(accent: str) -> Palette:
    """All shades for an accent colour "#rrggbb". Raises ValueError for anything else."""
    if not is_colour(accent):
        raise ValueError(f"not a colour: {accent!r}")
    on_fill = max((WHITE, BLACK), key=lambda ink: contrast(accent, ink))
    return Palette(
        light=_shades(accent, on_fill, LIGHT_GROUNDS, darker=True),
        dark=_shades(accent, on_fill, DARK_GROUNDS, darker=False),
    )


def _shades(chosen: str, on_fill: str, grounds: tuple[str, ...], *, darker: bool) -> Shades:
    """The nearest shade of the chosen colour, darker or lighter, that reads on all grounds and on its own soft one."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(chosen)))

    def shade(step: int) -> tuple[str, str]:
        share = step / STEPS
        moved = lightness * (1 - share) if darker else lightness + (1 - lightness) * share
        accent = _text(colorsys.hls_to_rgb(hue, moved, saturation)) if step else chosen
        return accent, _mixed(accent, grounds[0])

    # The last step is black or white, which reads on all of them.
    accent, soft = next(
        (accent, soft)
        for accent, soft in map(shade, range(STEPS + 1))
        if all(contrast(accent, ground) >= ENOUGH for ground in (*grounds, soft))
    )
    return Shades(accent, soft, chosen, on_fill)


def _mixed(colour: str, ground: str, share: float = 0.1) -> str:
    """A tenth of the colour in the ground."""
    pairs = zip(_parts(colour), _parts(ground), strict=True)
    return _text(tuple((part * share + base * (1 - share)) / 255 for part, base in pairs))


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _text(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _luminance(colour: str) -> float:
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in _parts(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
