"""What people wear in summer on a campus, and in winter at a station."""

from pul.data.synthetic.painting import Rgb
from pul.data.synthetic.people import Wardrobe


def _palette(codes: str) -> tuple[Rgb, ...]:
    """Read colours written as on the web, RRGGBB."""
    return tuple(
        (int(code[:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:], 16) / 255)
        for code in codes.split()
    )


SUMMER = Wardrobe(
    tops=(
        ("t-shirt", 9), ("tank top", 2), ("shirt", 4), ("dress", 3), ("hoodie", 1), ("jacket", 1),
    ),
    bottoms=(
        ("shorts", 5), ("trousers", 5), ("leggings", 1.5), ("wide trousers", 1),
        ("skirt", 4), ("long skirt", 1),
    ),
    bags=(
        ("none", 4), ("backpack", 4), ("shoulder bag", 2.5), ("handbag", 1), ("carrier bag", 1),
    ),
    hats=(("none", 10), ("cap", 1.5), ("sun hat", 1)),
    patterns=(
        ("plain", 7), ("hoops", 1.6), ("checks", 1.4), ("print", 2), ("badge", 1), ("block", 1),
        ("dots", 0.7), ("blotches", 0.8), ("gradient", 0.6), ("pinstripes", 0.7), ("number", 0.8),
    ),
    top_colours=_palette(
        "f2f2ee f2f2ee e4e0d2 202126 c8302c e0564e f0a03c f0d048 58a858 3c7c50 58b4c8 3468b8"
        " 263c78 8c50a0 e48cac 9c9ca0 b0d0e8"
    ),
    bottom_colours=_palette(
        "283454 34486c 5878a4 86a2c0 1e1f24 b8a888 d8d0bc 7c6c54 54584c 8a8c90 e8e6e0 a04040"
    ),
    bag_colours=_palette("1c1c20 283458 a83030 586848 8c6440 d89838 7890b0 c85888"),
    shoe_colours=_palette("f0f0ee 1c1c1e 585c64 b03838 3058a0 8c6840 d8c8b0"),
    scarf=0.0,
)  # fmt: skip

WINTER = Wardrobe(
    tops=(("coat", 6), ("puffer", 5), ("jacket", 4), ("hoodie", 3), ("sweater", 2)),
    bottoms=(
        ("trousers", 8), ("leggings", 2.5), ("wide trousers", 2), ("long skirt", 1), ("skirt", 0.5),
    ),
    bags=(
        ("none", 3.5), ("backpack", 3), ("shoulder bag", 2.5), ("handbag", 1.5),
        ("carrier bag", 1), ("suitcase", 3),
    ),
    hats=(("none", 7), ("beanie", 3), ("cap", 0.7), ("headscarf", 0.7)),
    patterns=(
        ("plain", 12), ("checks", 1), ("block", 1.2), ("hoops", 0.6), ("badge", 0.8),
        ("side stripe", 0.4), ("pinstripes", 0.3),
    ),
    top_colours=_palette(
        "1a1b1e 34363c 1c2c54 2c4c84 5c5e64 8c8e92 c4baa4 bc945c 74503a 6c1c2c 3c4c28 6c7c50"
        " 1c5c58 b42834 e4dece 5c7cac d8982c 84346c d0642c 3c8c8c"
    ),
    bottom_colours=_palette(
        "141518 1c1e24 24262c 20283c 2c3850 3c4c68 4c4840 66625c 3c2c24 787068"
    ),
    bag_colours=_palette("16171a 2c2e34 1e2840 6c2c30 5c4834 7c8088 48503c b05838"),
    shoe_colours=_palette("141416 1c1a18 443024 6c4c30 d0d0cc 4c4e54"),
    scarf=0.35,
)  # fmt: skip
