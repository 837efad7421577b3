"""The charts of reports and tables: where points lie, and what no text can make of them."""

from xml.etree import ElementTree

import pytest

from pul.reports.svg import Figure, Panel, Series, draw_figure, draw_panel, ticks

EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>'


def test_draw_figure__is_svg_with_every_label_escaped():
    panel = Panel(
        "share < all", "λ", "%", (Series("a & b", (0, 1), (10, 20)), Series("c", (0,), (5,)))
    )
    root = ElementTree.fromstring(draw_figure(Figure("fig", (panel, Panel("later", "x", "y", ())))))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"share < all", "a & b", "c", "nothing yet"} <= set(texts)
    curves = [e.get("d") for e in root.iter("{http://www.w3.org/2000/svg}path") if e.get("stroke")]
    assert curves[0].count("L") == 1  # two points


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0.7, 0.9, [0.7, 0.75, 0.8, 0.85, 0.9]),
        (12, 18.4, [12, 14, 16, 18]),
    ],
)
def test_ticks__are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_draw_panel__points_lie_where_their_levels_say():
    line = Series("", (0.0, 1.0, 2.0), (0.0, 50.0, 100.0))
    chart = ElementTree.fromstring(draw_panel(Panel("t", "x", "y", (line,), from_zero=True)))
    circles = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in chart.iter("circle")]
    (x0, y0), (x1, y1), (x2, y2) = circles
    assert (x1, y1) == ((x0 + x2) / 2, (y0 + y2) / 2)
    # 0 is the axis at the bottom, 100 the highest level.
    assert (y0, y2) == (220, 30)
    assert [t.text for t in chart.iter("text") if t.attrib.get("class") == "level"] == [
        "0", "20", "40", "60", "80", "100",
    ]  # fmt: skip


def test_draw_panel__a_level_has_the_color_of_its_line_and_neither_dots_nor_name():
    lines = (Series("ours", (0, 2), (10, 20)), Series("ours", (0, 2), (10, 10), dashed=True))
    chart = ElementTree.fromstring(draw_panel(Panel("t", "iteration", "%", lines)))
    line, level = (e for e in chart.iter("path") if e.get("stroke"))
    assert (line.get("class"), level.get("class")) == ("line", "line dashed")
    assert line.get("stroke") == level.get("stroke")
    assert len(list(chart.iter("circle"))) == 2
    assert [e.text for e in chart.iter("text")].count("ours") == 1


def test_draw_panel__marks_say_what_changed():
    panel = Panel("t", "iteration", "%", (Series("", (0, 2), (10, 20)),), {1: "λ 0.85 → 0.90"})
    chart = ElementTree.fromstring(draw_panel(panel))
    (mark,) = (e for e in chart.iter("g") if e.get("class") == "mark")
    assert mark.findtext("title") == "iteration 1: λ 0.85 → 0.90"


def test_draw_panel__levels_that_are_no_numbers_and_texts_that_are_markup():
    nan, inf = float("nan"), float("inf")
    lines = (
        Series(EVIL, (0, 1, 2), (nan, 3.0, inf)),
        Series("level", (0, 2), (nan, nan), dashed=True),
    )
    chart = ElementTree.fromstring(draw_panel(Panel(EVIL, EVIL, EVIL, lines, {1: EVIL})))
    assert len(list(chart.iter("circle"))) == 1
    assert {element.tag for element in chart.iter()} == {
        "svg", "text", "path", "g", "title", "circle",
    }  # fmt: skip


def test_draw_panel__nothing_to_draw():
    assert "nothing yet" in draw_panel(Panel("t", "x", "y", (Series("", (), ()),)))
