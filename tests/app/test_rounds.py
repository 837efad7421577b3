"""The Train page in every state, without a browser."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from app import services, state
from pul.config import RunConfig
from pul.config.base import flatten
from pul.records import IterationRecord, JobStatus
from pul.store.workspace import Workspace
from tests.app.conftest import Open, header_of, labels, text_of, wait_for
from tests.app.fabricated import fabricate
from tests.support.checkpoints import HOLLOW_MODEL


def button(studio: AppTest, label: str) -> Button:
    """Return a button by its label."""
    return next(b for b in studio.button if b.label == label)


def chart_of(studio: AppTest) -> dict[str, list[dict[str, object]]]:
    """Return the traces of the curves by name."""
    traces: dict[str, list[dict[str, object]]] = {}
    for chart in studio.get("plotly_chart"):
        for trace in json.loads(chart.proto.spec)["data"]:
            traces.setdefault(trace["name"], []).append(trace)
    return traces


def titles_of(studio: AppTest) -> list[str]:
    """Return the titles of the panels: that of the large chart first."""
    specs = [json.loads(chart.proto.spec) for chart in studio.get("plotly_chart")]
    return [spec["layout"]["title"]["text"] for spec in specs]


def test_rounds__nothing_to_train_on(open_studio: Open) -> None:
    assert "There is nothing to train on yet." in text_of(open_studio("rounds"))


def test_rounds__no_run_yet(location: Path, people: Path, open_studio: Open) -> None:
    from pul.data.datasets import read_dataset

    with Workspace.create(location) as workspace:
        workspace.add_dataset(read_dataset(people))
    studio = open_studio("rounds")
    assert studio.expander[0].proto.expanded
    assert "Paper: 750." in text_of(studio)
    assert [n.value for n in studio.number_input if n.label == "Clusters K"] == [3]


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("queued", ["Stop"]),
        ("running", ["Pause", "Stop"]),
        ("paused", ["Continue", "Stop"]),
        ("stopped", ["Resume"]),
        ("failed", ["Resume"]),
        ("finished", []),
    ],
)
def test_rounds__buttons_by_status(
    location: Path, people: Path, open_studio: Open, status: JobStatus, offered: list[str]
) -> None:
    fabricate(location, people, status=status)
    studio = open_studio("rounds")
    acts = {"Pause", "Continue", "Stop", "Resume"}
    assert [label for label in labels(studio, "button") if label in acts] == offered
    assert not studio.exception


def test_rounds__running(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=3)
    studio = open_studio("rounds")
    # Iterations took 13 s; the running one is the 4th of 10, at 29.7 % of 8 s of fine-tuning.
    assert studio.main.get("progress")[0].proto.text == (
        "iteration 4/10 · fine-tuning · epoch 2/5 · 31/64 · loss 1.234 · about 85 s left"
    )
    table = studio.dataframe[0].value
    assert table["Iteration"].tolist() == ["3", "2", "1", "0 · baseline"]
    assert table["mAP % trapezoid"].round(1).tolist() == [28.4, 26.4, 24.4, 22.4]
    assert "trapezoid AP over 8 queries, 1 without a true match counted as 0" in text_of(studio)


def test_rounds__pause_is_asked_of_the_worker(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people)
    studio = open_studio("rounds")
    next(b for b in studio.button if b.label == "Pause").click().run()
    with Workspace.open(location) as workspace:
        assert workspace.requested(1) == "pause"
    pause = next(b for b in studio.button if b.label == "Pause …")
    assert pause.disabled


def test_rounds__failed(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="failed")
    studio = open_studio("rounds")
    assert "The disk is full: 0 bytes free." in studio.error[0].value
    assert "Traceback" in text_of(studio)


@pytest.mark.parametrize(
    ("status", "rest"), [("running", "The run goes on"), ("finished", "in this workspace")]
)
def test_rounds__a_tracker_that_is_down_is_told(
    location: Path, people: Path, open_studio: Open, status: JobStatus, rest: str
) -> None:
    fabricate(location, people, status=status)
    told = "The figures cannot be written to MLflow at http://box:5000 now: refused"
    with Workspace.open(location) as workspace:
        workspace.set_setting("not_tracked:1", told)
    studio = open_studio("rounds")
    (warning,) = (each.value for each in studio.warning if "MLflow" in each.value)
    assert warning.replace("\\", "").startswith(told)
    assert rest in warning


def test_rounds__compare_runs(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="finished", name="second")
    studio = open_studio("rounds")
    studio.multiselect[0].set_value([1]).run()
    assert {"first", "second"} <= chart_of(studio).keys()
    assert studio.query_params == {"w": "workspace", "run": "2", "compare": "1"}
    assert "the same start model, the same settings and the same labels" in text_of(studio)


def test_rounds__compare_settings_shows_what_differs(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first", n_planned=3)
    fabricate(location, people, status="finished", name="second", n_planned=7)
    studio = open_studio("rounds", run="1", compare="2,99")
    assert studio.multiselect[0].value == [2]
    assert "<tbody><tr><td>Iterations</td><td>3</td><td>7</td></tr></tbody>" in text_of(studio)
    assert studio.query_params == {"w": "workspace", "run": "1", "compare": "2"}


def test_rounds__ticks_where_something_changed(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from tests.app import fabricated

    made = fabricated.iteration_record

    def changed(iteration: int, *rest: object) -> IterationRecord:
        record = made(iteration, *rest)  # type: ignore[arg-type]
        return replace(record, lambda_=0.9 if iteration >= 2 else 0.85)

    monkeypatch.setattr(fabricated, "iteration_record", changed)
    fabricate(location, people, n_iterations=3)
    studio = open_studio("rounds")
    ticks = chart_of(studio)["changed"]
    assert len(ticks) == 6  # one in each panel
    assert {tuple(tick["text"]) for tick in ticks} == {("λ 0.85 → 0.90",)}  # type: ignore[arg-type]
    assert "▲ Changed during the run: iteration 2: λ 0.85 → 0.90." in text_of(studio)


def test_rounds__validation_identities_have_a_curve(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from tests.app import fabricated

    made = fabricated.iteration_record

    def held_out(*args: object) -> IterationRecord:
        record = made(*args)  # type: ignore[arg-type]
        assert record.metrics is not None
        held = replace(record.metrics, mean_ap=0.5)
        return replace(record, metrics=None, validation_metrics=held, n_validation_identities=6)

    monkeypatch.setattr(fabricated, "iteration_record", held_out)
    fabricate(location, people, n_iterations=1)
    titles = titles_of(open_studio("rounds"))
    assert titles[0] == "mAP on your 6 validation identities, too few to judge by, %"
    assert not any(title.startswith("Rank-k") for title in titles)


def test_rounds__lambda_and_k_from_the_next_iteration(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people)
    studio = open_studio("rounds")
    threshold = next(n for n in studio.number_input if n.key.startswith("live:1:"))
    threshold.set_value(0.33)
    button(studio, "Apply from the next iteration").click().run()
    with Workspace.open(location) as workspace:
        (asked,) = workspace.controls(1)
    assert (asked.name, asked.value, asked.applied_at_iteration) == ("lambda_", 0.33, None)
    inputs = {n.label: n.value for n in studio.number_input if n.key.startswith("live:")}
    assert inputs == {"Threshold λ": 0.33, "Clusters K": 8}


def test_rounds__delete_and_undo(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="finished", name="second")
    studio = open_studio("rounds")
    button(studio, "Delete").click().run()
    assert "Deleted second; its 4 iterations can be restored." in studio.success[0].value
    assert "first" in header_of(studio)
    assert "**second** · deleted · 3 iterations" in text_of(studio)
    with Workspace.open(location) as workspace:
        assert [run.name for run in workspace.runs()] == ["first"]
    button(studio, "Undo").click().run()
    assert not studio.success
    assert "second" in header_of(studio)
    with Workspace.open(location) as workspace:
        assert len(workspace.runs()) == 2


def test_rounds__archived_runs_can_still_be_looked_at(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="finished", name="second")
    studio = open_studio("rounds", run="1")
    button(studio, "Archive").click().run()
    assert studio.query_params["run"] == "2"
    button(studio, "Open").click().run()
    assert "**first** finished after 3 iterations." in text_of(studio)
    button(studio, "Restore").click().run()
    assert "Archived and deleted" not in "".join(labels(studio, "expander"))


def test_rounds__the_only_run_is_deleted(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished")
    studio = open_studio("rounds")
    button(studio, "Delete").click().run()
    assert not studio.exception
    assert "New run" in labels(studio, "expander")


def test_rounds__one_that_is_worked_on_cannot_be_deleted(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="running")
    assert button(open_studio("rounds"), "Delete").disabled


def open_fork(location: Path, people: Path, open_studio: Open) -> AppTest:
    """Open the form that forks a finished run at its second iteration."""
    fabricate(location, people, status="finished", name="first", n_iterations=2, n_planned=2)
    studio = open_studio("rounds")
    return button(studio, "Fork …").click().run()


def test_rounds__fork_takes_the_settings_of_its_run(
    location: Path, people: Path, open_studio: Open
) -> None:
    studio = open_fork(location, people, open_studio)
    assert "Fork first at iteration 2" in labels(studio, "expander")
    iterations = next(n for n in studio.number_input if n.label == "Iterations")
    assert iterations.value == 2
    iterations.set_value(4)
    button(studio, "Start the fork").click().run()
    wait_for(location, "failed")  # the checkpoint is no network
    with Workspace.open(location) as workspace:
        parent, fork = workspace.runs()
        assert workspace.start_model(2).read_bytes() == HOLLOW_MODEL
    assert (fork.parent_run_id, fork.parent_iteration) == (1, 2)
    assert fork.config == parent.config | {"n_iterations": 4}
    assert "Forked from run 1, iteration 2" in text_of(studio)


def test_rounds__a_fork_is_put_away_before_its_run_is_there(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Once the run exists a rerun interrupts the script at its next Streamlit call:
    # the form stood there still, to start a second one.
    studio = open_fork(location, people, open_studio)
    forks = []
    monkeypatch.setattr(services.runs, "fork_run", lambda *_: forks.append(state.fork()))
    button(studio, "Start the fork").click().run()
    assert forks == [None]


def test_rounds__a_fork_that_cannot_be_started_keeps_its_form(
    location: Path, people: Path, open_studio: Open
) -> None:
    studio = open_fork(location, people, open_studio)
    with Workspace.open(location) as workspace:
        workspace.checkpoint_path(1, 2).unlink()
    button(studio, "Start the fork").click().run()
    assert "model.safetensors is missing" in studio.error[0].value
    assert not studio.exception
    assert "Fork first at iteration 2" in labels(studio, "expander")
    with Workspace.open(location) as workspace:
        assert len(workspace.runs()) == 1


def test_settings__every_one_can_be_set_on_the_screen() -> None:
    from app.components.forms.settings_list import MORE, is_used, main_settings

    shown = set()
    for changes in (
        {},
        {"clustering": "dbscan", "finetune.lr_schedule": "step"},
        {"finetune.loss": "cluster_memory"},
        {"finetune.loss": "camera_memory"},
    ):
        values = flatten(RunConfig().replace(**changes).model_dump())
        main = [setting.path for setting in main_settings(values["clustering"])]
        more = [s.path for group in MORE.values() for s in group if is_used(s.path, values)]
        assert len(main) == 10
        assert len({*main, *more}) == len(main) + len(more)  # none is twice
        shown |= {*main, *more}
    assert shown == set(flatten(RunConfig().model_dump()))


def test_settings__those_of_dbscan_are_shown_for_dbscan_only(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", n_planned=3)
    studio = open_studio("rounds")
    next(e for e in studio.expander if e.label == "New run")
    studio.session_state["form_remembered"] = True
    studio.run()
    names = [f.label for f in studio.number_input]
    assert "Clusters K" in names
    assert not any(name.startswith("DBSCAN") for name in names)
    next(s for s in studio.selectbox if s.label == "Cluster by").set_value("dbscan").run()
    names = [f.label for f in studio.number_input]
    assert "Clusters K" not in names
    assert "DBSCAN: distance" in names


def test_rounds__without_ground_truth(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from tests.app import fabricated

    made = fabricated.iteration_record
    monkeypatch.setattr(
        fabricated, "iteration_record",
        lambda *args: replace(made(*args), metrics=None, cluster_quality=None),
    )  # fmt: skip
    fabricate(location, people)
    studio = open_studio("rounds")
    assert not studio.exception
    assert "No mAP and rank-k: these images have no" in text_of(studio)
    assert not any("mAP" in name or "Purity" in name for name in studio.dataframe[0].value)
