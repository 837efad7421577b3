import numpy as np
import pytest

from pul.evaluation.protocol import Protocol


def test_of__reads_any_column_as_whole_numbers():
    protocol = Protocol.of([1.0], [2.0], (3.0, 4.0), (), camera_aware=True)
    columns = (
        protocol.query_pids,
        protocol.query_camids,
        protocol.gallery_pids,
        protocol.gallery_camids,
    )
    assert [column.dtype for column in columns] == [np.int64] * 4
    assert [column.tolist() for column in columns] == [[1], [2], [3, 4], []]


def test_relations__are_in_the_order_of_the_gallery():
    pids, camids = np.arange(200) % 2 + 1, np.arange(200) // 2 % 2 + 1  # camera 1, 1, 2, 2, 1, ...
    ((matches, junk),) = Protocol.of([2], [1], pids, camids, camera_aware=True).relations()
    assert matches.tolist() == list(range(3, 200, 4))
    assert junk.tolist() == list(range(1, 200, 4))


@pytest.mark.parametrize("camera_aware", [True, False])
def test_relations__count_the_kept_gallery_only(camera_aware):
    # Without the junk at index 0 the gallery is 7, 0, 7, 8.
    protocol = Protocol.of([7, 0], [1, 1], [-1, 7, 0, 7, 8], [1, 1, 1, 2, 1], camera_aware)
    found = [(matches.tolist(), junk.tolist()) for matches, junk in protocol.relations()]
    assert found == [([2], [0]) if camera_aware else ([0, 2], []), ([], [])]


@pytest.mark.parametrize(
    ("gallery_pids", "gallery_camids", "expected"),
    [([8, 7], [2, 2], True), ([8, 7], [2, 1], False), ([8, -1], [2, 2], False)],
)
def test_is_measurable__where_one_query_has_a_true_match(gallery_pids, gallery_camids, expected):
    protocol = Protocol.of([9, 7], [1, 1], gallery_pids, gallery_camids, camera_aware=True)
    assert protocol.is_measurable() is expected


def test_explain_unmatched__names_each_rule_with_its_count():
    # Queries: two without identity, one of an absent person (1), three who are seen by their own
    # camera only. Gallery: two images with a negative pid, and 7, 7, 8 of camera 1.
    protocol = Protocol.of(
        [0, -1, 1, 7, 7, 8], [1] * 6, [-1, -2, 7, 7, 8], [1] * 5, camera_aware=True
    )
    assert protocol.explain_unmatched() == (
        "No query has a true match: of 6 queries, 2 have no identity (pid 0 or below); "
        "1 have an identity that the gallery lacks; "
        "3 have theirs in the gallery, but only from their own camera. Removed as junk: "
        "2 of 5 gallery images with a negative pid, and 5 matches from a query's own camera. "
        "With one camera or none, turn `evaluation.camera_aware` off: `pul evaluate "
        "--no-camera-aware`, `pul run --set evaluation.camera_aware=false`."
    )


def test_explain_unmatched__without_a_camera_rule_does_not_advise_one():
    message = Protocol.of([1], [1], [2, 0], [1, 1], camera_aware=True).explain_unmatched()
    assert message.endswith(
        "of 1 queries, 1 have an identity that the gallery lacks. Removed as junk: 0 of 2 gallery "
        "images with a negative pid, and 0 matches from a query's own camera."
    )
