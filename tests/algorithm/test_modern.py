"""What came after 2017, in the loop: DBSCAN, memories, another head, steps and averages."""

import numpy as np
import pytest
import torch

from pul.algorithm.events import ResumeState
from pul.config import load_preset
from pul.models.network import load_network, save_network, with_head
from tests.support.loops import CONFIG, assert_same, finished, tiny_evaluation, tiny_place
from tests.support.networks import record_rates, tiny_network


@pytest.fixture(scope="module")
def place():
    return tiny_place()


@pytest.fixture(scope="module")
def evaluation():
    return tiny_evaluation()


MODERN = CONFIG.replace(
    clustering="dbscan",
    lambda_=0.0,
    restart_from="previous",
    **{
        "dbscan.k1": 6,
        "dbscan.k2": 2,
        "dbscan.min_samples": 2,
        "dbscan.eps": 0.5,
        "finetune.loss": "cluster_memory",
    },
)


def test_run__dbscan_finds_k_and_outliers_do_not_train(place, evaluation):
    for record, arrays, _ in finished(tiny_network(), place[0], MODERN, evaluation=evaluation):
        outliers = arrays.clusters < 0
        assert outliers.any()
        assert record.n_clusters == arrays.clusters.max() + 1 != CONFIG.n_clusters
        assert (arrays.reliable == ~outliers).all()  # λ = 0: all that has a cluster
        assert (arrays.pseudo_labels[outliers] == -1).all()
        assert (arrays.similarities[outliers] == -1).all()
        assert record.cluster_quality.n_images == (~outliers).sum()


SETTINGS = {
    "head.gem_p": 3.0,
    "head.neck": "batchnorm",
    "finetune.optimizer": "adam",
    "finetune.lr_schedule": "step",
    "finetune.lr_step_size": 2,
    "finetune.n_steps": 3,
    "finetune.n_instances": 4,
    "finetune.other_cameras": True,
    "finetune.bn_group": 8,
    "finetune.bn_reestimate": True,
    "finetune.ema_decay": 0.5,
    "finetune.memory_outliers": True,
    "finetune.augmentation.crop_padding": 2,
}


@pytest.mark.parametrize("loss", ["cluster_memory", "camera_memory"])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_run__with_all_of_it_resumed_is_bit_identical(place, evaluation, loss, cut, tmp_path):
    config = MODERN.replace(**SETTINGS, **{"finetune.loss": loss})
    options = {"evaluation": evaluation, "camids": np.tile([1, 2, 3], 16)}
    whole = finished(tiny_network(), place[0], config, **options)
    _, arrays, state = whole[cut]
    network = with_head(tiny_network(seed=9), config.head)
    network.load_state_dict(state)
    save_network(network, tmp_path / "model.safetensors")  # as a worker does
    network = load_network(tmp_path / "model.safetensors")
    shares = tuple(record.reliable_share for record, _, _ in whole[1 : cut + 1])
    resume = ResumeState(cut, network, arrays.points, shares)
    rest = finished(tiny_network(), place[0], config, resume=resume, **options)
    assert len(rest) == 3 - cut
    for one, two in zip(whole[cut + 1 :], rest, strict=True):
        assert_same(one, two)


def test_run__the_head_is_in_every_model_from_the_baseline_on(place):
    config = MODERN.replace(**{"head.neck": "batchnorm", "head.gem_p": 3.0})
    states = [state for _, _, state in finished(tiny_network(), place[0], config)]
    assert all("neck.running_mean" in state for state in states)
    assert torch.equal(states[0]["neck.weight"], torch.ones(1280))
    assert all(torch.equal(state["neck.bias"], torch.zeros(1280)) for state in states)
    assert not torch.equal(states[3]["neck.weight"], states[0]["neck.weight"])


def test_run__the_rate_falls_with_the_iterations(place, monkeypatch):
    config = MODERN.replace(
        **{"finetune.lr_schedule": "step", "finetune.lr_step_size": 2, "n_iterations": 5}
    )
    rates = record_rates(monkeypatch)
    finished(tiny_network(), place[0], config)
    assert sorted(set(rates), reverse=True) == pytest.approx([0.01, 0.001, 0.0001])


def test_preset__modern_comes_from_outliers_to_clusters_on_a_tiny_place(place, evaluation):
    config = load_preset("modern").replace(
        n_iterations=4, projection=False, n_threads=1, device="cpu", convergence_tolerance=0.0,
        **{
            "dbscan.k1": 6, "dbscan.k2": 2, "dbscan.min_samples": 2,
            "finetune.batch_size": 16, "finetune.n_instances": 4, "finetune.n_steps": 12,
            "finetune.augmentation.crop_padding": 1,
        },
    )  # fmt: skip
    camids = np.tile([1, 2], 24)
    records = [
        record
        for record, _, _ in finished(
            tiny_network(), place[0], config, evaluation=evaluation, camids=camids
        )
    ]
    # What such a network learns of others in 48 steps differs by processor; that it clusters, not.
    first, last = records[0], records[-1]
    assert last.n_clusters >= 4
    assert last.n_reliable >= 2 * first.n_reliable
    assert all(record.metrics is not None for record in (first, last))
