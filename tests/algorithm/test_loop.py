"""Algorithm 1 on a tiny place: 6 people in two colours each, a network of a tenth of the width."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from pul.algorithm.clustering import cluster_images
from pul.algorithm.events import (
    IterationFinished,
    LiveSettings,
    Progress,
    ResumeState,
    RunFinished,
)
from pul.algorithm.features import extract_features
from pul.algorithm.finetuning import finetune
from pul.algorithm.loop import has_converged, run
from pul.algorithm.selection import select_reliable
from pul.config import RunConfig, derive_seed
from pul.data.footage import Footage
from pul.errors import ConfigError, PulError
from tests.support.loops import CONFIG, assert_same, finished, tiny_evaluation, tiny_place
from tests.support.networks import tiny_network


@pytest.fixture(scope="module")
def place():
    return tiny_place()


@pytest.fixture(scope="module")
def evaluation():
    return tiny_evaluation()


def test_run__iterations_in_order_with_what_they_used(place, evaluation):
    events = list(run(tiny_network(), place[0], CONFIG, evaluation=evaluation))
    done = [event for event in events if isinstance(event, IterationFinished)]
    assert [event.record.iteration for event in done] == [0, 1, 2, 3]
    assert events[-1] == RunFinished("n_iterations")
    first, last = done[0].record, done[-1].record
    assert first.epoch_losses == ()
    assert len(last.epoch_losses) == 1
    assert (last.lambda_, last.n_clusters, last.n_images) == (0.5, 6, 48)
    assert last.n_reliable == done[-1].arrays.reliable.sum()
    assert last.metrics.ap_method == "trapezoid"
    assert last.cluster_quality.source == "truth"
    assert set(last.seconds) == {"extract", "cluster", "select", "finetune", "evaluate"}
    assert set(first.seconds) == {"extract", "cluster", "select", "evaluate"}
    assert torch.__version__.startswith(last.versions["torch"])


def test_run__the_given_network_is_never_changed(place):
    network = tiny_network()
    before = copy.deepcopy(network.state_dict())
    finished(network, place[0], CONFIG)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_run__each_iteration_is_algorithm_1_called_by_hand(place):
    """Lines 3-17 with the four steps, from θ_o each time: bit for bit what the loop does."""
    pixels = place[0]
    original, current = tiny_network(), tiny_network()
    for record, arrays, state in finished(tiny_network(), pixels, CONFIG)[1:]:
        t = record.iteration
        features = extract_features(current, pixels)
        seed = derive_seed(0, "cluster", t)
        found = cluster_images(features, n_clusters=6, seed=seed, config=CONFIG)
        reliable = select_reliable(features, found.clusters, found.centers, lambda_=0.5).reliable
        current = copy.deepcopy(original)  # bit-exactly θ_o
        pseudo_labels = np.where(reliable, found.clusters, -1)
        seed = derive_seed(0, "finetune", t)
        finetune(current, pixels, pseudo_labels, CONFIG.finetune, seed=seed)
        np.testing.assert_array_equal(arrays.features, features)
        np.testing.assert_array_equal(arrays.pseudo_labels, pseudo_labels)
        expected = current.state_dict()
        assert all(torch.equal(state[name], expected[name]) for name in state)


def test_run__previous_goes_on_from_the_last_network(place):
    config = CONFIG.replace(restart_from="previous")
    one, two = (
        finished(tiny_network(), place[0], CONFIG),
        finished(tiny_network(), place[0], config),
    )
    assert_same(one[1], two[1])  # the first iteration starts from θ_o either way
    with pytest.raises(AssertionError):
        assert_same(one[2], two[2])


@pytest.mark.parametrize("lambda_", [0, None])
def test_run__no_lambda_is_table_3(place, lambda_):
    config = RunConfig(**{**CONFIG.model_dump(), "lambda_": lambda_, "n_iterations": 1})
    record, arrays, _ = finished(tiny_network(), place[0], config)[1]
    assert record.lambda_ is None
    assert arrays.reliable.all()
    assert (arrays.pseudo_labels == arrays.clusters).all()


def test_run__tracklets_share_a_cluster(place):
    names = [f"t{i // 2}" for i in range(48)]  # pairs of images
    footage = Footage.of(np.full(48, -1), tracklets=names)
    config = CONFIG.replace(use_tracklets=True, n_iterations=1)
    for _, arrays, _ in finished(tiny_network(), place[0], config, footage=footage):
        assert (arrays.clusters[::2] == arrays.clusters[1::2]).all()
    _, free, _ = finished(tiny_network(), place[0], config)[0]  # nothing tells tracklets
    assert (free.clusters[::2] != free.clusters[1::2]).any()


def test_run__cameras_are_evened_out(place):
    camids = np.ones(48, dtype=np.int64)  # all of one camera: half of each cluster trains
    config = CONFIG.replace(lambda_=0.0, camera_diversity=True, n_iterations=1)
    for _, arrays, _ in finished(tiny_network(), place[0], config, camids=camids):
        sizes = np.bincount(arrays.clusters)
        kept = np.bincount(arrays.clusters[arrays.reliable])
        assert kept.tolist() == [-(-size // 2) for size in sizes]
        assert arrays.reliable[arrays.centers].all()


def test_run__everything_annotated_is_supervised_learning(place):
    pixels, pids = place
    annotations = dict(enumerate(pids.tolist()))
    config = CONFIG.replace(n_iterations=1, init_on_annotations=False)
    live = lambda iteration: LiveSettings(0.5, 6, annotations, "all")  # noqa: E731
    record, _, state = finished(tiny_network(), pixels, config, live=live)[1]
    supervised = tiny_network()
    finetune(supervised, pixels, pids, config.finetune, seed=derive_seed(0, "finetune", 1))
    assert all(torch.equal(state[name], v) for name, v in supervised.state_dict().items())
    assert (record.n_identities, record.n_annotated_images, record.n_reliable) == (6, 48, 48)
    assert record.annotations_hash == "all"


def test_run__annotated_images_always_train_and_keep_their_class(place):
    pixels, pids = place
    annotations = {index: int(pids[index]) for index in (0, 1, 8, 9)}
    live = lambda iteration: LiveSettings(1.0, 6, annotations, "h")  # noqa: E731
    for record, arrays, _ in finished(tiny_network(), pixels, CONFIG, live=live):
        assert arrays.pseudo_labels[[0, 1, 8, 9]].tolist() == [0, 0, 1, 1]
        assert record.n_identities == 2
        assert record.n_reliable == 4 + 4  # λ = 1: the annotated, and the centers of K - L clusters


def test_run__init_on_annotations_changes_where_each_iteration_starts(place):
    pixels, pids = place
    annotations = {index: int(pids[index]) for index in range(0, 48, 2)}
    live = lambda iteration: LiveSettings(0.5, 8, annotations, "h")  # noqa: E731
    with_init = finished(tiny_network(), pixels, CONFIG, live=live)
    without = finished(tiny_network(), pixels, CONFIG.replace(init_on_annotations=False), live=live)
    assert_same(with_init[0], without[0])  # the baseline is the given network
    assert "initialize" in with_init[1][0].seconds
    assert "initialize" not in with_init[2][0].seconds  # the annotations did not change
    assert not np.array_equal(with_init[1][1].features, without[1][1].features)


def test_run__the_baseline_clusters_as_iteration_1_will(place):
    (_, first, _), (_, second, _), *_ = finished(tiny_network(), place[0], CONFIG)
    np.testing.assert_array_equal(first.features, second.features)  # of the given network
    np.testing.assert_array_equal(first.clusters, second.clusters)


@pytest.mark.parametrize(
    ("restart_from", "n_annotated", "initialized"),
    [
        ("original", (3, 3, 4), [1, 3]),  # again where the annotations changed
        ("previous", (3, 3, 4), [1]),  # θ_o is no longer used
        ("original", (1, 2, 2), [2]),  # one image is no class to train on, two are
        ("previous", (1, 2, 2), []),
    ],
)
def test_run__init_on_annotations_whenever_they_change_and_are_used(
    place, restart_from, n_annotated, initialized
):
    pixels, pids = place

    def live(iteration):
        n = (n_annotated[0], *n_annotated)[iteration]
        return LiveSettings(0.5, 8, {i: int(pids[8 * i]) for i in range(n)}, f"of {n}")

    config = CONFIG.replace(restart_from=restart_from)
    records = [record for record, _, _ in finished(tiny_network(), pixels, config, live=live)]
    assert [r.iteration for r in records if "initialize" in r.seconds] == initialized


def test_run__without_queries_or_gallery_has_no_figures(place, evaluation):
    nobody = {"query_pids": evaluation.query_pids[:0]}
    nowhere = {"gallery_pids": evaluation.gallery_pids[:0]}
    for part in (nobody, nowhere):
        data = replace(evaluation, **part)
        config = CONFIG.replace(n_iterations=0)
        ((record, _, _),) = finished(tiny_network(), place[0], config, evaluation=data)
        assert record.metrics is None
        assert "evaluate" not in record.seconds
        assert record.cluster_quality is not None


def test_run__images_left_out_do_not_train_and_validation_is_measured(place):
    pixels, pids = place
    held = {index: int(pids[index]) for index in range(16)}  # the first two people, whole
    live = lambda iteration: LiveSettings(0, 6, left_out=set(held), validation=held)  # noqa: E731
    camids = np.tile([1, 2], 24)
    config = CONFIG.replace(n_iterations=1)
    for record, arrays, _ in finished(tiny_network(), pixels, config, live=live, camids=camids):
        assert not arrays.reliable[:16].any()
        assert (arrays.pseudo_labels[:16] == -1).all()
        assert record.n_reliable == 32
        assert record.validation_metrics.n_queries == 4  # two people on two cameras
        assert record.metrics is None


def test_run__live_settings_are_asked_once_an_iteration_and_used(place):
    asked = []

    def live(iteration):
        asked.append(iteration)
        return LiveSettings(0.9 if iteration >= 2 else 0.2, 6 if iteration < 3 else 4)

    records = [record for record, _, _ in finished(tiny_network(), place[0], CONFIG, live=live)]
    assert asked == [0, 1, 2, 3]
    assert [record.lambda_ for record in records] == [0.2, 0.2, 0.9, 0.9]
    assert [record.n_clusters for record in records] == [6, 6, 6, 4]


@pytest.mark.parametrize("restart_from", ["original", "previous"])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_run__resumed_is_bit_identical(place, evaluation, restart_from, cut):
    config = CONFIG.replace(restart_from=restart_from)
    pixels, pids = place
    annotations = {index: int(pids[index]) for index in (0, 1, 8, 9)}
    live = lambda iteration: LiveSettings(0.5, 6, annotations, "h")  # noqa: E731
    options = {"live": live, "evaluation": evaluation}
    whole = finished(tiny_network(), pixels, config, **options)
    _, arrays, state = whole[cut]
    network = tiny_network(seed=9)
    network.load_state_dict(state)
    shares = tuple(r.reliable_share for r, _, _ in whole[1 : cut + 1])
    resume = ResumeState(cut, network, arrays.points, shares)
    rest = finished(tiny_network(), pixels, config, resume=resume, **options)
    assert [r.iteration for r, _, _ in rest] == list(range(cut + 1, 4))
    for one, two in zip(whole[cut + 1 :], rest, strict=True):
        assert_same(one, two)


def test_run__every_batch_is_an_event(place):
    events = [e.progress for e in run(tiny_network(), place[0], CONFIG) if isinstance(e, Progress)]
    steps = [e.step for e in events if e.iteration == 2]
    assert steps == ["extract", "cluster", "select", *["finetune"] * len(steps[3:])]
    training = [e for e in events if e.iteration == 2 and e.step == "finetune"]
    assert [e.done for e in training] == list(range(1, training[0].total + 1))
    assert all(e.n_iterations == 3 and e.n_epochs == 1 for e in training)


def test_run__closing_stops_at_once(place):
    events = run(tiny_network(), place[0], CONFIG)
    while not (isinstance(event := next(events), Progress) and event.progress.step == "finetune"):
        pass
    events.close()
    assert list(events) == []


def test_run__no_iterations_is_a_look(place):
    events = list(run(tiny_network(), place[0], CONFIG.replace(n_iterations=0)))
    assert [e.record.iteration for e in events if isinstance(e, IterationFinished)] == [0]
    assert events[-1] == RunFinished("n_iterations")


def test_run__shuffled_files_give_the_same_up_to_noise(place, evaluation):
    """File order leaks identity: nothing may come from it but noise."""
    pixels, pids = place
    order = np.random.default_rng(3).permutation(len(pids))
    purity = []
    for index in (np.arange(len(pids)), order):
        data = copy.copy(evaluation)
        object.__setattr__(data, "train_pids", pids[index])
        records = [
            finished(
                tiny_network(),
                pixels[index],
                CONFIG.replace(seed=seed, n_iterations=1, kmeans_n_init=10),
                evaluation=data,
            )[0][0]
            for seed in range(3)
        ]
        purity.append([record.cluster_quality.purity for record in records])
    # k-means with restarts finds the same clusters whatever the order: equal, not merely alike.
    np.testing.assert_allclose(np.mean(purity[0]), np.mean(purity[1]), atol=0.05)


def test_run__converges_when_the_share_stands_still(place):
    config = CONFIG.replace(
        lambda_=1.0, n_iterations=9, convergence_window=2, convergence_tolerance=0.01
    )  # λ = 1 selects the six centers each time
    events = list(run(tiny_network(), place[0], config))
    done = [event for event in events if isinstance(event, IterationFinished)]
    assert len(done) == 1 + 2
    assert events[-1] == RunFinished("converged")


def test_has_converged__by_hand():
    config = CONFIG.replace(convergence_window=3, convergence_tolerance=0.02)
    assert not has_converged([0.40, 0.41], config)  # too few
    assert has_converged([0.1, 0.40, 0.41, 0.415], config)  # 0.015 < 0.02
    assert not has_converged([0.40, 0.41, 0.43], config)
    quarter = CONFIG.replace(convergence_window=2, convergence_tolerance=0.25)
    assert not has_converged([0.5, 0.75], quarter)  # a difference equal to the tolerance
    assert not has_converged([0.5], quarter)
    assert not has_converged([0.4, 0.4, 0.4], CONFIG)  # a tolerance of 0 never converges


def test_run__more_clusters_than_images_says_so(place):
    with pytest.raises(ConfigError, match="100"):
        list(run(tiny_network(), place[0], CONFIG.replace(n_clusters=100)))


def test_run__more_people_than_clusters_does_not_end_a_run(place):
    # From iteration 2 on seven of the 48 images are a person each. K is 6: the other 41 get 6 / 48
    # of a cluster each, which is 5.
    def live(iteration):
        annotations = {image: image for image in range(7)} if iteration >= 2 else {}
        return LiveSettings(0.5, 6, annotations, "seven" if annotations else "")

    records = [record for record, _, _ in finished(tiny_network(), place[0], CONFIG, live=live)]
    assert [record.n_clusters for record in records] == [6, 6, 12, 12]
    assert [record.n_identities for record in records] == [0, 0, 7, 7]


def test_run__unknown_device_says_what_to_use(place):
    with pytest.raises(PulError, match="'auto' or 'cpu'"):
        list(run(tiny_network(), place[0], CONFIG.replace(device="cuda:77")))
