"""What `auto` comes to: the faster precision, where the figures allow it."""

import numpy as np
import pytest

from pul.algorithm import precision_choice
from pul.algorithm.events import SettingsChosen
from pul.algorithm.loop import run
from pul.algorithm.precision_choice import choose_precision
from pul.errors import FeatureError
from tests.support.loops import CONFIG, tiny_place
from tests.support.networks import tiny_network

AUTO = CONFIG.replace(
    extraction_precision="auto", finetune=CONFIG.finetune.replace(precision="auto")
)


@pytest.fixture
def measured(monkeypatch):
    """Let what is measured be given: seconds and losses by precision, and what features become."""
    given = {"seconds": {"float32": 2.0, "bfloat16": 1.0}, "loss": {"float32": 4, "bfloat16": 4.1}}
    given["noise"] = 0.0

    def features(network, pixels, *, device, precision):
        exact = np.eye(len(pixels), 8, dtype=np.float32) + 1
        return exact + (given["noise"] if precision == "bfloat16" else 0) * np.eye(len(pixels), 8)

    monkeypatch.setattr(precision_choice, "is_mixed", lambda *_: True)
    monkeypatch.setattr(precision_choice, "extract_features", features)
    monkeypatch.setattr(
        precision_choice, "_time_extraction", lambda n, p, precision, d: given["seconds"][precision]
    )
    monkeypatch.setattr(
        precision_choice,
        "_time_training",
        lambda n, p, config, d: (
            given["seconds"][config.precision],
            given["loss"][config.precision],
        ),
    )
    return given


def chosen():
    config, choices = choose_precision(tiny_network(), tiny_place()[0], AUTO, device="cpu")
    assert [choice.step for choice in choices] == ["features", "training"]
    assert config.extraction_precision == choices[0].precision
    assert config.finetune.precision == choices[1].precision
    assert (
        config.replace(
            extraction_precision="auto", finetune=config.finetune.replace(precision="auto")
        )
        == AUTO
    )  # nothing else changes
    return choices


def test_choose_precision__the_faster_one(measured):
    assert [c.precision for c in chosen()] == ["bfloat16", "bfloat16"]
    assert chosen()[0].reason == "bfloat16 is 2.00 times as fast here, least cosine 1.0000"
    measured["seconds"]["bfloat16"] = 4.0
    assert [c.precision for c in chosen()] == ["float32", "float32"]
    assert "0.50 times as fast" in str(chosen()[1])


@pytest.mark.parametrize(("seconds", "expected"), [(1.81, "bfloat16"), (1.83, "float32")])
def test_choose_precision__a_gain_within_the_noise_is_none(measured, seconds, expected):
    measured["seconds"] = {"float32": 2.0, "bfloat16": seconds}  # 1.105 and 1.093 times
    assert [c.precision for c in chosen()] == [expected] * 2


def test_choose_precision__features_that_change_too_much_stay_in_float32(measured):
    # Rows (2, 1, 1, ...) and (2 + e, 1, 1, ...): their cosine is below 0.99 for e = 1.
    exact, rounded = np.r_[2.0, np.ones(7)], np.r_[3.0, np.ones(7)]
    cosine = exact @ rounded / np.linalg.norm(exact) / np.linalg.norm(rounded)
    assert cosine == pytest.approx(13 / np.sqrt(11 * 16))
    measured["noise"] = 1.0
    features, training = chosen()
    assert (features.precision, training.precision) == ("float32", "bfloat16")
    assert f"least cosine {cosine:.4f}" in features.reason


def test_choose_precision__a_loss_that_changes_too_much_stays_in_float32(measured):
    measured["loss"] = {"float32": 4.0, "bfloat16": 4.3}
    assert chosen()[1].precision == "float32"
    assert "by 7.5%" in chosen()[1].reason


def test_choose_precision__a_loss_that_is_not_finite_stays_in_float32(measured, monkeypatch):
    def diverge(*_):
        raise FeatureError("the loss is NaN")

    monkeypatch.setattr(precision_choice, "_time_training", diverge)
    assert chosen()[1].precision == "float32"


def test_choose_precision__narrow_images_on_a_cpu_need_no_try(monkeypatch):
    monkeypatch.setattr(precision_choice, "_seconds", pytest.fail)
    assert [c.precision for c in chosen()] == ["float32"] * 2  # 16 columns


def test_choose_precision__what_is_given_is_not_measured(monkeypatch):
    monkeypatch.setattr(precision_choice, "_seconds", pytest.fail)
    found = choose_precision(tiny_network(), tiny_place()[0], CONFIG, device="cpu")
    assert found == (CONFIG, ())


@pytest.mark.parametrize("loss", ["softmax", "triplet", "cluster_memory", "camera_memory"])
def test_choose_precision__measures_each_loss_and_changes_no_network(monkeypatch, loss):
    monkeypatch.setattr(precision_choice, "is_mixed", lambda *_: True)
    network, pixels = tiny_network(), tiny_place()[0]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    finetune = AUTO.finetune.replace(loss=loss, n_instances=4)
    found, choices = choose_precision(
        network, pixels, AUTO.replace(finetune=finetune), device="cpu"
    )
    assert found.finetune.precision in ("float32", "bfloat16")
    assert "times as fast" in choices[0].reason
    assert all((before[name] == value).all() for name, value in network.state_dict().items())


def test_run__says_first_what_it_chose_and_goes_on_as_if_it_had_been_given():
    first, *events = list(run(tiny_network(), tiny_place()[0], AUTO.replace(n_iterations=1)))
    assert isinstance(first, SettingsChosen)
    assert first.config == CONFIG.replace(n_iterations=1)
    assert [reason.split(":")[0] for reason in first.reasons] == [
        "features in float32",
        "training in float32",
    ]
    same = list(run(tiny_network(), tiny_place()[0], first.config))
    assert not any(isinstance(event, SettingsChosen) for event in same)
    assert len(same) == len(events)
