"""The limits of what an act may say, and which images it names."""

import pytest

from pul.errors import ConfigError
from pul.labelling.annotations import (
    Act,
    Side,
    add,
    check_name,
    create,
    junk,
    merge,
    named_images,
    not_same,
    redo,
    remove,
    rename,
    same,
    set_role,
    to_number,
    undo,
    unsure,
)

LARGEST = 2**63 - 1  # of a column of whole numbers


def test_create__what_the_log_keeps() -> None:
    assert create([5, 3, 5], refused=[9, 7], name=" guard ", role="validation") == Act(
        "create", {"images": [3, 5], "refused": [7, 9], "name": "guard", "role": "validation"}
    )
    assert create([1]).payload == {"images": [1], "refused": [], "name": "", "role": "training"}


def test_acts__what_the_log_keeps_of_an_identity() -> None:
    assert add(4, [2, 1]) == Act("add", {"identity": 4, "images": [1, 2], "refused": []})
    assert add(4, [], refused=[2]).payload == {"identity": 4, "images": [], "refused": [2]}
    assert remove(4, [2]) == Act("remove", {"identity": 4, "images": [2]})
    assert merge([7, 4, 7]) == Act("merge", {"identities": [7, 4]})  # the first keeps its number
    assert rename(4, "") == Act("rename", {"identity": 4, "name": ""})
    assert set_role(4, "training") == Act("role", {"identity": 4, "role": "training"})
    assert (undo(8), redo(8)) == (Act("undo", {"event": 8}), Act("redo", {"event": 8}))


def test_images__from_nought_to_the_largest_number() -> None:
    assert junk([0, LARGEST]).payload == {"images": [0, LARGEST]}
    assert same([0, 1]).payload == {"images": [0, 1]}
    with pytest.raises(ConfigError, match="got -1 to 3"):
        unsure([3, -1])


def test_to_number__of_a_database_column() -> None:
    assert (to_number(LARGEST), to_number(-LARGEST - 1)) == (LARGEST, -LARGEST - 1)
    for value in (LARGEST + 1, -LARGEST - 2):
        with pytest.raises(ConfigError, match=r"below 2\^63"):
            to_number(value)


@pytest.mark.parametrize("value", ["7", 7.0, None])
def test_to_number__is_a_whole_number(value: object) -> None:
    with pytest.raises(ConfigError, match="whole numbers, but this is"):
        to_number(value)  # type: ignore[arg-type]


def test_check_name__has_200_signs_at_most() -> None:
    assert check_name(f" {'ä' * 200} ") == "ä" * 200
    with pytest.raises(ConfigError, match="at most 200 signs, but this has 201"):
        check_name("ä" * 201)
    assert check_name("abc", most=3) == "abc"
    with pytest.raises(ConfigError, match="at most 2 signs"):
        check_name("abc", most=2)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_check_name__can_be_shown(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be shown"):
        check_name(name)


def test_named_images__of_every_part_of_an_act() -> None:
    assert named_images(create([1, 2], refused=[3])) == {1, 2, 3}
    assert named_images(not_same(Side(images=(4, 5)), Side(identity=9))) == {4, 5}
    assert named_images(not_same(Side(identity=9), Side(images=(6,)))) == {6}
    assert named_images(undo(7)) == frozenset()
