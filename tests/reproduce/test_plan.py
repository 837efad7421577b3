from dataclasses import replace

import pytest

from pul.config import RunConfig
from pul.errors import ConfigError
from pul.reproduce.plan import (
    EXPERIMENTS,
    Request,
    SourceConfig,
    choose_rows,
    default_settings,
    modern_settings,
    plan_experiment,
)

CONFIG = RunConfig(n_iterations=4)
REQUEST = Request(
    name="table2",
    target="Market-1501",
    n_people=751,
    sources=("duke", "cuhk03"),
    model="",
    model_hash="",
    preset="quick",
    config=CONFIG,
    modern=modern_settings(CONFIG),
    source=SourceConfig(),
)


def rows(name, **changes):
    return plan_experiment(replace(REQUEST, name=name, **changes)).rows


def test_plan_experiment__table_2_has_each_source_by_itself():
    keys = [(row.key, row.system, row.sources) for row in rows("table2")]
    assert keys == [
        ("supervised", "supervised", ()),
        ("baseline:duke", "baseline", ("duke",)),
        ("pul:duke", "pul", ("duke",)),
        ("baseline:cuhk03", "baseline", ("cuhk03",)),
        ("pul:cuhk03", "pul", ("cuhk03",)),
    ]


def test_plan_experiment__what_trains_nothing_has_no_iterations():
    n_iterations = {row.key: row.config["n_iterations"] for row in rows("table2")}
    assert set(n_iterations.values()) == {0, 4}
    assert {key for key, n in n_iterations.items() if n} == {"pul:duke", "pul:cuhk03"}


def test_plan_experiment__table_3_is_the_papers_k_without_selection():
    planned = rows("table3")
    assert [row.value for row in planned] == [250, 500, 750, 1000, 1250]
    assert [row.config["n_clusters"] for row in planned] == [250, 500, 750, 1000, 1250]
    assert {row.config["lambda_"] for row in planned} == {0}
    assert all(row.sources == ("duke", "cuhk03") for row in planned)


def test_plan_experiment__table_4_has_every_system():
    planned = {row.key: row for row in rows("table4")}
    assert list(planned) == [
        *("bow", "lomo", "umdl", "baseline", "pul", "no-selection", "pul-25", "pul-50", "modern"),
    ]
    assert [planned[key].n_identities for key in ("pul", "pul-25", "pul-50")] == [0, 25, 50]
    assert planned["bow"].config is None
    assert planned["modern"].config["restart_from"] == "previous"
    assert planned["modern"].config["n_iterations"] == 4  # on the same budget


def test_plan_experiment__fig_5_is_the_papers_lambda_at_one_k():
    planned = [row for row in rows("fig5") if row.value is not None]
    assert [row.config["lambda_"] for row in planned] == [0.70, 0.75, 0.80, 0.85, 0.90]
    assert {row.config["n_clusters"] for row in planned} == {750}
    assert rows("fig5")[0].system == "baseline"


def test_plan_experiment__fig_6_selects_at_each_k():
    planned = [row for row in rows("fig6") if row.value is not None]
    assert [(row.value, row.config["lambda_"]) for row in planned][2] == (750, 0.85)


def test_plan_experiment__says_what_is_missing():
    missing = {row.key: row.missing for row in rows("table4", sources=(), n_people=30)}
    assert "--source" in missing["umdl"]
    assert "--model" in missing["pul"]
    assert missing["bow"] == ""
    assert "50 known people" in missing["pul-50"]
    assert "not 30" in missing["pul-50"]
    assert "identities" in rows("table2", n_people=0)[0].missing


def test_plan_experiment__a_model_takes_the_place_of_the_sources():
    planned = {row.key: row for row in rows("table2", model="cuhk03p1", model_hash="f")}
    assert list(planned) == ["supervised", "baseline:cuhk03p1", "pul:cuhk03p1"]
    assert planned["pul:cuhk03p1"].missing == ""


def test_plan_experiment__is_named_by_what_it_depends_on():
    name = plan_experiment(REQUEST).experiment_id
    assert name.startswith("table2-")
    on_another_machine = CONFIG.replace(device="cuda", n_threads=3)
    assert plan_experiment(replace(REQUEST, config=on_another_machine)).experiment_id == name
    for changes in (
        {"config": CONFIG.replace(seed=1)},
        {"sources": ("duke",)},
        {"model_hash": "other"},
        {"ids": "queue"},
        {"source": SourceConfig().replace(**{"train.n_epochs": 3})},
    ):
        assert plan_experiment(replace(REQUEST, **changes)).experiment_id != name


def test_plan_experiment__unknown_name_says_which_there_are():
    with pytest.raises(ConfigError, match="table2, table3"):
        plan_experiment(replace(REQUEST, name="table9"))
    assert all(plan_experiment(replace(REQUEST, name=name)).rows for name in EXPERIMENTS)


def test_choose_rows__by_key_by_key_without_source_and_by_system():
    planned = rows("table2")
    assert [row.key for row in choose_rows(planned, ["pul:duke"])] == ["pul:duke"]
    assert [row.key for row in choose_rows(planned, ["pul"])] == ["pul:duke", "pul:cuhk03"]
    assert len(choose_rows(planned, [])) == 5
    assert [row.key for row in choose_rows(rows("table4"), ["pul"])] == ["pul"]
    assert len(choose_rows(rows("fig5"), ["pul"])) == 6  # λ five times, and none
    with pytest.raises(ConfigError, match="baseline:duke"):
        choose_rows(planned, ["lomo"])


def test_default_settings__as_the_paper_says():
    config, source = default_settings("paper", "Market-1501")
    assert (config.n_clusters, config.lambda_, config.n_iterations) == (750, 0.85, 25)
    assert config.convergence_tolerance == 0  # "PUL is always trained for 25 iterations"
    assert (source.train.n_epochs, source.network.backbone) == (40, "resnet50")
    assert default_settings("paper", "DukeMTMC-reID")[0].n_clusters == 700
    assert default_settings("quick", "Market-1501")[1].network.height == 128
