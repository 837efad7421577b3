"""Who signs an act: an account or a browser, and the name that is shown."""

from pathlib import Path

import pytest

from app import services
from pul.errors import ConfigError
from pul.labelling.annotations import find_contradictions
from pul.store.workspace import Workspace
from tests.app.outbox import act


def test_history__shows_names_not_ids_and_tells_namesakes_apart(place: str) -> None:
    authors = [services.authors.of_browser(key) for key in ("one", "two", "three")]
    claims = {"iss": "https://a.org", "sub": "7", "name": "Ann Lee", "email": "ann@a.org"}
    logged_in = services.authors.of_login(claims)
    services.authors.give_name(place, authors[1], " Ann Lee ")
    services.authors.give_name(place, logged_in, services.authors.name_of_login(claims))
    for number, author in enumerate(["Ann Lee", *authors, logged_in, "Guest 3"], 1):
        services.acts.store(place, author, act(number, "junk", images=[number]))
    shown = [row["who"] for row in reversed(services.history.history(place))]
    assert shown == ["Ann Lee", "Guest 1", "Ann Lee (2)", "Guest 3", "Ann Lee (3)", "Guest 3 (2)"]


def test_undo__namesakes_undo_their_own(place: str) -> None:
    first, second = (services.authors.of_browser(key) for key in ("one", "two"))
    for number, author in enumerate((first, second), 1):
        services.authors.give_name(place, author, "Ann")
        services.acts.store(place, author, act(number, "create", images=[number]))
    services.acts.store(place, first, act(3, "undo"))
    assert services.acts.store(place, first, act(4, "undo")).is_refused
    assert [known.images for known in services.labels.read_annotations(place).identities] == [(2,)]


def test_identities__what_two_browsers_say_of_one_image_is_a_contradiction(place: str) -> None:
    for number, key in enumerate(("one", "two"), 1):
        author = services.authors.of_browser(key)
        services.acts.store(place, author, act(number, "create", images=[1, number + 1]))
    (found,) = find_contradictions(services.labels.read_annotations(place))
    assert (found.kind, found.images) == ("two_identities", (1,))


@pytest.mark.parametrize("name", ["n" * 61, "a\0b", "a\ud800"])
def test_give_name__that_cannot_be_shown_is_refused(place: str, name: str) -> None:
    author = services.authors.of_browser("one")
    with pytest.raises(ConfigError, match="name"):
        services.authors.give_name(place, author, name)
    assert services.authors.given_name(place, author) == ""


def test_of_login__is_the_account_whatever_its_name() -> None:
    claims = {"iss": "https://a.org", "sub": "7", "name": "Ann", "email": "ann@a.org"}
    ann = services.authors.of_login(claims)
    assert ann == services.authors.of_login(claims | {"name": "Ann Lee", "email": "lee@a.org"})
    others = [{"sub": "8"}, {"iss": "https://b.org"}, {"iss": "https://a.org7", "sub": ""}]
    for other in others[:2]:
        assert services.authors.of_login(claims | other) != ann
    for missing in ({"sub": None}, {"iss": None}, others[2]):
        with pytest.raises(ConfigError, match="issuer and subject"):
            services.authors.of_login(claims | missing)


def test_of_browser__does_not_reveal_the_browsers_secret() -> None:
    assert "secret" not in services.authors.of_browser("secret")
    assert services.authors.of_browser("a") != services.authors.of_browser("b")


def test_log_name__is_kept_and_is_the_workspaces_own(place: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    Workspace.create(other).close()
    assert services.labels.log_name(place) == services.labels.log_name(place)
    assert services.labels.log_name(place) != services.labels.log_name(other)
