import math

import pytest

from pul.reproduce.tables import find_paper_figures, paper_name


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("Market-1501-v15.09.15", "Market"),
        ("DukeMTMC-reID", "Duke"),
        ("CUHK03 (detected)", "CUHK03"),
        ("cuhk03p1", "CUHK03"),
        ("cuhk01", None),
        ("demo", None),
    ],
)
def test_paper_name__of_common_folder_names(dataset, name):
    assert paper_name(dataset) == name


def test_find_paper_figures__the_directions_that_the_text_confuses():
    # "Drops to 21.9 when trained on Duke and tested on Market" is Market → Duke in Table II.
    assert find_paper_figures("table2", "baseline", ["Market"], "Duke").figures[0] == 21.9
    assert find_paper_figures("table2", "baseline", ["Duke"], "Market").figures[0] == 36.1


def test_find_paper_figures__single_and_two_source_rows_are_apart():
    one = find_paper_figures("table2", "pul", ["dukemtmc"], "market1501")
    two = find_paper_figures("table4", "pul", ["cuhk01", "cuhk03p1"], "market1501")
    assert (one.figures[0], one.figures[4], one.setting) == (44.7, 20.1, "Duke → Market")
    assert (two.figures[0], two.figures[4], two.setting) == (45.5, 20.5, "Duke, CUHK03 → Market")


def test_find_paper_figures__umdl_is_eleven_points_below_pul_on_market():
    pul, umdl = (find_paper_figures("table4", row, [], "Market") for row in ("pul", "umdl"))
    assert pul.figures[0] - umdl.figures[0] == pytest.approx(11.0)  # the text says 8.7


def test_find_paper_figures__supervised_and_hand_crafted_need_no_source():
    assert find_paper_figures("table2", "supervised", ["anything"], "Market").figures[0] == 76.2
    bow = find_paper_figures("table4", "bow", [], "Market")
    assert (bow.figures[0], bow.figures[4], bow.setting) == (35.8, 14.8, "Market")


def test_find_paper_figures__table_3_gives_rank_1_and_map_alone():
    figures = find_paper_figures("table3", "no-selection-1250", ["x"], "Market").figures
    assert (figures[0], figures[4]) == (37.5, 15.4)
    assert all(math.isnan(value) for value in figures[1:4])


def test_find_paper_figures__nothing_like_it():
    assert find_paper_figures("table2", "pul", ["cuhk01"], "Market") is None
    assert find_paper_figures("table2", "pul", ["Duke"], "demo") is None
    assert find_paper_figures("table3", "no-selection-6", ["Duke"], "Market") is None
