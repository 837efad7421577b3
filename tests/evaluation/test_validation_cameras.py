import numpy as np

from pul.evaluation.validation import make_validation_set


def test_make_validation_set__camera_zero_counts_and_an_unknown_one_does_not():
    # Person 1: camera 0, not known, camera 3. Person 2: camera 0 alone.
    held = make_validation_set({0: 1, 1: 1, 2: 1, 3: 2}, np.array([0, -1, 3, 0]))
    assert held.query.tolist() == [0, 2]
    assert held.camids.tolist() == [0, -1, 3, 0]
    assert held.camera_aware


def test_make_validation_set__a_camera_and_an_unknown_one_are_not_two():
    held = make_validation_set({0: 1, 1: 1, 2: 2, 3: 2}, np.array([-1, 1, 1, 1]))
    assert not held.camera_aware
    assert held.query.tolist() == [0, 2]
    assert held.gallery.tolist() == [1, 3]


def test_make_validation_set__without_cameras_all_are_unknown():
    held = make_validation_set({0: 1, 1: 1, 2: 2}, None)
    assert held.camids.tolist() == [-1, -1, -1]
