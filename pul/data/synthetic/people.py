"""Who walks about: bodies, hair and what people wear, drawn from the wardrobe of a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from pul.data.synthetic.clothes import Cloth, Pattern
from pul.data.synthetic.painting import Rgb

HairStyle = Literal["short", "cropped", "bald", "bob", "long", "ponytail", "bun", "curly"]
TopKind = Literal[
    "t-shirt", "tank top", "shirt", "sweater", "hoodie", "jacket", "coat", "puffer", "dress"
]
BottomKind = Literal["trousers", "wide trousers", "leggings", "shorts", "skirt", "long skirt"]
BagKind = Literal["none", "backpack", "shoulder bag", "handbag", "carrier bag", "suitcase"]
HatKind = Literal["none", "cap", "beanie", "sun hat", "headscarf"]

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Shape:
    """A body, in proportions to its stature.

    Attributes:
        stature: Height against an average adult's.
        build: Girth: 0.85 is slim, 1.3 is stout.
        shoulders: Width of the shoulders, about 1.
        hips: Width of the hips, about 1.
        legs: Length of the legs, about 1.
    """

    stature: float
    build: float
    shoulders: float
    hips: float
    legs: float


@dataclass(frozen=True, slots=True)
class Head:
    """Skin, hair and what is on the head."""

    skin: Rgb
    hair: Rgb
    style: HairStyle
    beard: bool
    glasses: bool
    hat: HatKind
    hat_colour: Rgb


@dataclass(frozen=True, slots=True)
class Top:
    """What covers the upper body.

    Attributes:
        kind: The garment.
        cloth: What it is made of.
        inner: What shows where it stands open.
        opening: Half angle that stands open at the front, radians; 0 is closed.
        sleeve: Part of the arm it covers, 0 to 1.
        hem: How far below the waist it reaches, in statures.
        fullness: Girth of the garment against the body's.
    """

    kind: TopKind
    cloth: Cloth
    inner: Cloth
    opening: float
    sleeve: float
    hem: float
    fullness: float


@dataclass(frozen=True, slots=True)
class Bottom:
    """What covers the legs.

    Attributes:
        kind: The garment.
        cloth: What it is made of.
        length: Part of the leg it covers, 0 to 1.
        fullness: Girth of the garment against the leg's.
    """

    kind: BottomKind
    cloth: Cloth
    length: float
    fullness: float


@dataclass(frozen=True, slots=True)
class Bag:
    """What is carried, and on which side (-1 or 1)."""

    kind: BagKind
    colour: Rgb
    accent: Rgb
    side: int
    size: float


@dataclass(frozen=True, slots=True)
class Person:
    """One identity: all that stays the same from camera to camera."""

    shape: Shape
    head: Head
    top: Top
    bottom: Bottom
    bag: Bag
    shoes: Rgb
    soles: Rgb
    socks: Rgb
    scarf: Rgb | None


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """What people wear at a place: every list gives choices and their weights.

    Attributes:
        tops, bottoms, bags, hats, patterns: Garments and how often they are worn.
        top_colours, bottom_colours, bag_colours, shoe_colours: The palettes.
        scarf: Share of people with a scarf.
    """

    tops: tuple[tuple[TopKind, float], ...]
    bottoms: tuple[tuple[BottomKind, float], ...]
    bags: tuple[tuple[BagKind, float], ...]
    hats: tuple[tuple[HatKind, float], ...]
    patterns: tuple[tuple[Pattern, float], ...]
    top_colours: tuple[Rgb, ...]
    bottom_colours: tuple[Rgb, ...]
    bag_colours: tuple[Rgb, ...]
    shoe_colours: tuple[Rgb, ...]
    scarf: float


_SKINS: tuple[Rgb, ...] = (
    (0.94, 0.78, 0.68), (0.90, 0.72, 0.60), (0.85, 0.66, 0.52),
    (0.76, 0.57, 0.43), (0.58, 0.41, 0.30), (0.42, 0.29, 0.21),
)  # fmt: skip
_HAIRS: tuple[Rgb, ...] = (
    (0.08, 0.07, 0.07), (0.12, 0.09, 0.07), (0.22, 0.15, 0.10), (0.36, 0.24, 0.15),
    (0.62, 0.47, 0.28), (0.50, 0.22, 0.12), (0.62, 0.61, 0.60),
)  # fmt: skip
_HAIR_WEIGHTS = (0.26, 0.2, 0.2, 0.13, 0.08, 0.05, 0.08)
_LONG_STYLES: tuple[HairStyle, ...] = ("long", "bob", "ponytail", "bun", "curly")
_SHORT_STYLES: tuple[HairStyle, ...] = ("short", "short", "cropped", "bald", "curly")


def invent_person(rng: np.random.Generator, wardrobe: Wardrobe) -> Person:
    """Draw one identity at random.

    Args:
        rng: Where chance comes from.
        wardrobe: What is worn at the place.
    """
    slender = bool(rng.random() < 0.5)
    top = _choose_top(rng, wardrobe, slender)
    scarf = _tint(rng, wardrobe.top_colours) if rng.random() < wardrobe.scarf else None
    return Person(
        shape=_choose_shape(rng, slender),
        head=_choose_head(rng, wardrobe, slender),
        top=top,
        bottom=_choose_bottom(rng, wardrobe, slender),
        bag=_choose_bag(rng, wardrobe),
        shoes=_tint(rng, wardrobe.shoe_colours),
        soles=(0.85, 0.85, 0.83) if rng.random() < 0.4 else (0.12, 0.11, 0.11),
        socks=(0.9, 0.9, 0.9) if rng.random() < 0.5 else (0.15, 0.15, 0.16),
        scarf=scarf,
    )


def _choose_shape(rng: np.random.Generator, slender: bool) -> Shape:
    stature = float(np.clip(rng.normal(0.96 if slender else 1.03, 0.05), 0.82, 1.16))
    build = float(np.clip(rng.normal(0.96 if slender else 1.05, 0.13), 0.8, 1.4))
    shoulders = float(rng.normal(0.93 if slender else 1.06, 0.04))
    hips = float(rng.normal(1.06 if slender else 0.97, 0.05))
    return Shape(stature, build, shoulders, hips, legs=float(rng.normal(1.0, 0.02)))


def _choose_head(rng: np.random.Generator, wardrobe: Wardrobe, slender: bool) -> Head:
    styles = _LONG_STYLES if slender else _SHORT_STYLES
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    return Head(
        skin=_jitter(rng, skin, 0.03),
        hair=_jitter(rng, _HAIRS[int(rng.choice(len(_HAIRS), p=_HAIR_WEIGHTS))], 0.03),
        style=styles[int(rng.integers(len(styles)))],
        beard=bool(not slender and rng.random() < 0.3),
        glasses=bool(rng.random() < 0.25),
        hat=_pick(rng, wardrobe.hats),
        hat_colour=_tint(rng, wardrobe.top_colours),
    )


def _choose_top(rng: np.random.Generator, wardrobe: Wardrobe, slender: bool) -> Top:
    kind = _pick(rng, wardrobe.tops)
    if kind == "dress" and not slender:
        kind = "shirt"
    cloth = _cut_cloth(rng, wardrobe, wardrobe.top_colours)
    if kind == "puffer":
        cloth = Cloth(cloth.colour, (0.0, 0.0, 0.0), "quilted", float(rng.uniform(0.045, 0.07)))
    inner = _cut_cloth(rng, wardrobe, wardrobe.top_colours)
    can_open = kind in ("jacket", "coat", "puffer", "hoodie", "shirt")
    is_open = can_open and rng.random() < (0.75 if kind == "jacket" else 0.35)
    opening = float(rng.uniform(0.3, 0.75)) if is_open else 0.0
    return Top(kind, cloth, inner, opening, *_cut_top(rng, kind))


def _cut_top(rng: np.random.Generator, kind: TopKind) -> tuple[float, float, float]:
    """Return sleeve, hem and fullness."""
    if kind in ("t-shirt", "tank top", "dress"):
        sleeve = 0.0 if kind == "tank top" else float(rng.uniform(0.2, 0.5))
        hem = float(rng.uniform(0.14, 0.28)) if kind == "dress" else float(rng.uniform(0.0, 0.05))
        return sleeve, hem, float(rng.uniform(0.98, 1.1))
    if kind == "shirt":
        sleeve = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.35, 0.6))
        return sleeve, float(rng.uniform(0.0, 0.05)), float(rng.uniform(1.0, 1.12))
    if kind == "coat":
        return 1.0, float(rng.uniform(0.12, 0.32)), float(rng.uniform(1.12, 1.25))
    if kind == "puffer":
        return 1.0, float(rng.uniform(-0.01, 0.1)), float(rng.uniform(1.25, 1.42))
    return 1.0, float(rng.uniform(0.0, 0.06)), float(rng.uniform(1.08, 1.2))


def _choose_bottom(rng: np.random.Generator, wardrobe: Wardrobe, slender: bool) -> Bottom:
    kind = _pick(rng, wardrobe.bottoms)
    if not slender and kind in ("skirt", "long skirt", "leggings"):
        kind = "trousers"
    cloth = _cut_cloth(rng, wardrobe, wardrobe.bottom_colours)
    if kind not in ("skirt", "long skirt", "shorts"):
        pattern: Pattern = "side stripe" if rng.random() < 0.08 else "plain"
        cloth = Cloth(cloth.colour, cloth.accent, pattern, cloth.period)
    if kind == "shorts":
        return Bottom(kind, cloth, float(rng.uniform(0.25, 0.55)), float(rng.uniform(1.1, 1.4)))
    if kind == "skirt":
        return Bottom(kind, cloth, float(rng.uniform(0.28, 0.5)), float(rng.uniform(1.0, 1.5)))
    if kind == "long skirt":
        return Bottom(kind, cloth, float(rng.uniform(0.65, 0.92)), float(rng.uniform(1.1, 1.5)))
    length = float(rng.uniform(0.72, 0.85)) if rng.random() < 0.15 else 1.0
    fullness = {"leggings": 0.92, "trousers": 1.12, "wide trousers": 1.45}[kind]
    return Bottom(kind, cloth, length, fullness * float(rng.uniform(0.95, 1.08)))


def _choose_bag(rng: np.random.Generator, wardrobe: Wardrobe) -> Bag:
    return Bag(
        kind=_pick(rng, wardrobe.bags),
        colour=_tint(rng, wardrobe.bag_colours),
        accent=_tint(rng, wardrobe.bag_colours),
        side=-1 if rng.random() < 0.5 else 1,
        size=float(rng.uniform(0.85, 1.2)),
    )


def _cut_cloth(rng: np.random.Generator, wardrobe: Wardrobe, palette: Sequence[Rgb]) -> Cloth:
    colour, accent = _tint(rng, palette), _tint(rng, palette)
    if sum(abs(a - b) for a, b in zip(colour, accent, strict=True)) < 0.5:
        accent = (0.92, 0.92, 0.9) if sum(colour) < 1.5 else (0.1, 0.1, 0.14)
    return Cloth(colour, accent, _pick(rng, wardrobe.patterns), float(rng.uniform(0.03, 0.075)))


def _tint(rng: np.random.Generator, palette: Sequence[Rgb]) -> Rgb:
    return _jitter(rng, palette[int(rng.integers(len(palette)))], 0.05)


def _jitter(rng: np.random.Generator, colour: Rgb, deviation: float) -> Rgb:
    shift = rng.normal(0, deviation) + rng.normal(0, 0.4 * deviation, 3)
    red, green, blue = np.clip(np.array(colour) + shift, 0.03, 0.97)
    return float(red), float(green), float(blue)


def _pick(rng: np.random.Generator, choices: Sequence[tuple[Choice, float]]) -> Choice:
    weights = np.array([weight for _, weight in choices])
    return choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0]
