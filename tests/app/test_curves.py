from app.components.curves import spread


def test_spread__names_that_are_near_each_other_are_pushed_down():
    levels = {"rank-1": 70.0, "rank-10": 94.0, "rank-20": 95.0, "rank-5": 90.0}
    placed = spread(levels, gap=5.0)
    assert placed == {"rank-20": 95.0, "rank-10": 90.0, "rank-5": 85.0, "rank-1": 70.0}


def test_spread__names_with_room_stay():
    assert spread({"a": 3.0, "b": 1.0}, gap=2.0) == {"a": 3.0, "b": 1.0}
