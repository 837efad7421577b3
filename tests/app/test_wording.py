import re

import pytest

from app.components.mount import _fit_html, _fit_script, join_modules
from app.wording import (
    counted,
    definition,
    duration,
    fit,
    gain,
    lambda_text,
    percent,
    place,
    remaining_s,
    share_done,
)
from pul.records import JobProgress, RetrievalMetrics
from tests.app.browser.browsing import ROOT
from tests.support.fakes import iteration_record


def test_figures__read_as_people_write_them() -> None:
    assert percent(0.22449) == "22.4"
    assert (gain(0.0191), gain(-0.02)) == ("+1.9", "-2.0")
    assert (lambda_text(0.85), lambda_text(None), lambda_text(0.0)) == ("0.85", "all", "all")
    assert (counted(1, "query"), counted(1234, "query")) == ("1 query", "1,234 queries")
    assert (counted(1, "person"), counted(50, "person")) == ("1 person", "50 people")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("", "A person of 2 people. Personal. Not a person; Person? 1 person, 2 people"),
        (
            "individual",
            "An individual of 2 individuals. Personal. Not an individual; Individual? "
            "1 individual, 2 individuals",
        ),
        (
            "vehicle",
            "A vehicle of 2 vehicles. Personal. Not a vehicle; Vehicle? 1 vehicle, 2 vehicles",
        ),
    ],
)
def test_fit__whom_the_images_show(
    subject: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUL_STUDIO_SUBJECT", subject)
    text = fit("A person of 2 people. Personal. Not a person; Person?")
    assert f"{text} {counted(1, 'person')}, {counted(2, 'person')}" == expected


def test_mount__whom_the_images_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """No word for people is left on a card of vehicles; names in the code stay."""
    monkeypatch.setenv("PUL_STUDIO_SUBJECT", "vehicle")
    folder = ROOT / "app" / "components"
    for path in sorted(folder.rglob("*.html")):
        written = path.read_text(encoding="utf-8")
        html = _fit_html(written)
        read = re.findall(r">([^<]+)<|title=\"([^\"]*)\"", html)
        assert not re.search(r"person|people", str(read), re.IGNORECASE), path
        assert re.findall('class="[^"]*"', html) == re.findall('class="[^"]*"', written)
    script = _fit_script(join_modules(folder / "card" / "card.js"))
    assert 'PERSON = "vehicle"' in script
    assert 'PEOPLE = "vehicles"' in script
    said = [line for line in script.splitlines() if not re.match(r"\s*(//|\*|/\*)", line)]
    people = r"[ >](?:this|same|one|two|a|more|other) (?:person|people)\b"
    assert re.findall(people, "\n".join(said)) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (7500, "2 h 05 min")],
)
def test_duration__by_size(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_definition__names_ap_and_what_unmatched_queries_count() -> None:
    metrics = RetrievalMetrics(1, 1, 1, 1, 1, 12, 0, "step", "skip")
    assert definition(metrics) == "step AP over 12 queries"
    metrics = RetrievalMetrics(1, 1, 1, 1, 1, 12, 2, "trapezoid", "zero")
    assert definition(metrics).endswith("12 queries, 2 without a true match counted as 0")


def test_place__says_iteration_epoch_and_batch() -> None:
    progress = JobProgress("finetune", 31, 64, 3, 10, 2, 5)
    assert place(progress) == "iteration 3/10 · fine-tuning · epoch 2/5 · 31/64"
    assert place(JobProgress("extract", 32, 64, 0, 10)) == "baseline · extracting features · 32/64"
    assert place(JobProgress("import", 5, 9)) == "importing · 5/9"
    assert place(None) == "starting"


def test_share_done__counts_epochs() -> None:
    assert share_done(JobProgress("finetune", 32, 64, epoch=2, n_epochs=4)) == 0.375
    assert share_done(JobProgress("cluster")) == 0.0


def test_remaining_s__adds_the_rest_of_this_iteration_and_the_next_ones() -> None:
    # The last iteration took 0.5 s to extract and 0.125 s to cluster.
    records = (iteration_record(0), iteration_record(1))
    progress = JobProgress("extract", 1, 2, iteration=2, n_iterations=4)
    assert remaining_s(progress, records) == 2 * 0.625 + 0.25 + 0.125


def test_remaining_s__unknown_before_an_iteration_has_trained() -> None:
    assert remaining_s(JobProgress("extract"), (iteration_record(0),)) is None
