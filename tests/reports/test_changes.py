from dataclasses import replace

from pul.config import RunConfig
from pul.config.base import flatten
from pul.records import RunRecord
from pul.reports.changes import Change, Difference, changes, differences, setting_text
from tests.support.fakes import iteration_record


def test_changes__of_lambda_k_and_annotations_each_once():
    records = [
        iteration_record(0),
        replace(iteration_record(1), lambda_=0.9),
        replace(iteration_record(2), lambda_=0.9, n_clusters=4),
        replace(
            iteration_record(3), lambda_=None, n_clusters=4,
            annotations_hash="a", n_identities=2, n_annotated_images=9,
        ),
        replace(
            iteration_record(4), lambda_=None, n_clusters=4,
            annotations_hash="b", n_identities=2, n_annotated_images=9,
        ),
    ]  # fmt: skip
    assert changes(records) == [
        Change(1, ("λ 0.85 → 0.90",)),
        Change(2, ("K 3 → 4",)),
        Change(3, ("λ 0.90 → all", "labels: 0 → 2 identities, 0 → 9 images")),
        Change(4, ("labels: 2 → 2 identities, 9 → 9 images",)),
    ]


def test_changes__none():
    assert changes([]) == changes([iteration_record(0), iteration_record(1)]) == []


def run(config: RunConfig, model: str = "start.safetensors") -> RunRecord:
    return RunRecord(1, "a", config.model_dump(mode="json"), model, "finished", 3, "")


def test_differences__only_what_differs():
    config = RunConfig()
    other = config.replace(**{"finetune.n_epochs": 5, "projection": False})
    rows = differences([run(config), run(other), run(config, "models/run-1.safetensors")])
    assert rows == [
        Difference("start model", ("start.safetensors",) * 2 + ("models/run-1.safetensors",)),
        Difference("projection", ("yes", "no", "yes")),
        Difference("finetune.n_epochs", ("20", "5", "20")),
    ]
    assert differences([run(config), run(config)]) == []


def test_differences__a_setting_that_a_run_of_an_older_version_lacks():
    old = run(RunConfig())
    del old.config["kmeans_n_init"]
    assert differences([run(RunConfig()), old]) == [Difference("kmeans_n_init", ("1", "–"))]


def test_flatten__nested():
    assert flatten({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}


def test_setting_text__as_people_write_it():
    values = (None, True, 0.001, 0.85, 3, "own")
    assert [setting_text(value) for value in values] == ["–", "yes", "0.001", "0.85", "3", "own"]
