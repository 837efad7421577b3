"""What compose.yaml promises that can be read without starting it; see tests/container."""

from pathlib import Path

from sqlalchemy import make_url

from tests.container.image import Health, Root, parse
from tests.container.service import ROOT, exported, health_of, services

GIVEN = {name: value.replace("...", "secret") for name, value in exported().items()}


def test_parse__stages_and_lines_that_go_on() -> None:
    text = 'ARG A=1\nFROM x AS one\nRUN a \\\n# why\n  && b\nFROM y\nCMD ["c"]\n'
    one, last = parse(text)
    assert (one.name, last.name) == ("one", "last")
    assert [(verb, rest.split()) for verb, rest in one.instructions] == [("RUN", ["a", "&&", "b"])]
    assert last.instructions == [("CMD", '["c"]')]


def test_follow__both_forms_of_env(tmp_path: Path) -> None:
    root = Root(tmp_path)
    root.follow("ENV", "MAJOR 17", tmp_path, {})
    root.follow("ENV", "PLACE=/lib/$MAJOR NAME=x", tmp_path, {})
    assert root.environment["PLACE"] == "/lib/17"
    assert root.environment["NAME"] == "x"


def test_follow__the_health_check_of_our_image(tmp_path: Path) -> None:
    root = Root(tmp_path)
    (last,) = [stage for stage in parse((ROOT / "Dockerfile").read_text()) if stage.name == "last"]
    for verb, rest in last.instructions:
        if verb not in ("RUN", "COPY"):
            root.follow(verb, rest, ROOT, {})
    health = health_of(services({})["studio"], root)
    assert (health.timeout_s, health.patience_s) == (3, 120)
    assert root.command[:3] == ["python", "-m", "app"]
    assert root.user == "studio"


def test_compose__is_the_demo_while_nothing_is_given() -> None:
    environment = services({})["studio"]["environment"]
    assert set(environment.values()) == {None}


def test_compose__what_it_tells_to_export_fits_the_database_that_it_starts() -> None:
    asked = services(GIVEN)
    studio, postgres = asked["studio"]["environment"], asked["postgres"]["environment"]
    url = make_url(studio["PUL_WORKSPACE"])
    assert asked[url.host] is asked["postgres"]
    assert (url.username, url.database) == (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"])
    assert url.password is None
    assert studio["PGPASSWORD"] == postgres["POSTGRES_PASSWORD"] == "secret"
    mounts = dict(text.split(":")[:2][::-1] for text in asked["studio"]["volumes"])
    assert any(url.query["artifacts"].startswith(f"{folder}/") for folder in mounts)
    assert not mounts["/workspace"].startswith((".", "/"))


def test_compose__postgres_is_well_only_when_it_answers_others() -> None:
    # While the image makes the database, a server for itself answers on the socket, and ends.
    health = health_of(services(GIVEN)["postgres"], Root(Path("/")))
    assert isinstance(health, Health)
    assert health.command[:3] == ["pg_isready", "-h", "127.0.0.1"]
