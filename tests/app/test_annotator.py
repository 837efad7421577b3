"""Who signs: the account that is logged in, whatever name is typed, or else the browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app import services
from tests.app.conftest import Open, labels, text_of
from tests.app.fabricated import fabricate

ANN = {"is_logged_in": True, "iss": "https://a.org", "sub": "7", "name": "Ann Lee"}
NAMESAKE = ANN | {"sub": "8"}


def test_author__of_a_log_in_is_the_account_and_no_name_is_asked(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    place = str(location)
    for number, claims in enumerate((ANN, NAMESAKE), 1):
        author = services.authors.of_login(claims)
        services.authors.give_name(place, author, "Ann Lee")
        act = {"token": f"t-{number}", "kind": "create", "images": [number]}
        services.acts.store(place, author, act)
    studio = open_studio()
    studio.user = ANN
    studio = studio.run()
    assert not studio.exception
    assert "Your name" not in labels(studio, "text_input")
    assert "Logged in as" in text_of(studio)
    assert "Ann Lee" in [element.value for element in studio.get("text")]


def test_author__of_a_log_in_without_a_subject_is_refused_in_words(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    studio = open_studio("label")
    studio.user = {"is_logged_in": True, "name": "Ann"}
    assert "sends no issuer and subject" in text_of(studio.run())


def test_ask__a_name_is_asked_for_after_the_first_act_and_holds_for_earlier_ones(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    place = str(location)
    studio = open_studio("identities")
    assert name_fields(studio) == ["Guest 1"]
    label(studio, place)
    studio.run()
    assert name_fields(studio) == ["Guest 1", "Guest 1"]
    assert who(studio) == ["Guest 1"]
    prompt = studio.main.text_input[0]
    prompt.set_value("Ann\0Lee").run()
    assert "holds signs that cannot be shown" in text_of(studio)
    studio.main.text_input[0].set_value("Ann Lee").run()
    studio.run()
    assert "Ann Lee" in [field.value for field in studio.sidebar.text_input]
    assert name_fields(studio) == []
    assert who(studio) == ["Ann Lee"]


def label(studio: AppTest, place: str) -> None:
    """Store an act of who is here."""
    author = services.authors.of_browser(studio.session_state["desks"][place].desk_id)
    act = {"token": "t", "kind": "create", "images": [1, 2]}
    assert not services.acts.store(place, author, act).is_refused


def name_fields(studio: AppTest) -> list[str]:
    """Return the placeholders of the fields that ask a guest for a name."""
    return [field.placeholder for field in studio.text_input if field.placeholder[:5] == "Guest"]


def who(studio: AppTest) -> list[str]:
    """Return who the history names."""
    return [str(name) for name in studio.dataframe[0].value["who"]]
