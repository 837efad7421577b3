import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pul.errors import StoreError, WorkspaceError
from pul.store.locations import locate
from pul.store.workspace import Workspace


def test_create__can_be_opened_again(location):
    with Workspace.create(location, name="shop") as made:
        made.set_setting("theme", {"dark": True})
    assert Workspace.exists(location)
    with Workspace.open(location) as opened:
        assert (opened.name, opened.get_setting("theme")) == ("shop", {"dark": True})
        assert opened.path == made.path
        with Workspace.open(opened.location) as again:
            assert again.name == "shop"


def test_create__is_called_like_its_folder(tmp_path):
    with Workspace.create(tmp_path / "market") as workspace:
        assert workspace.name == "market"


def test_create__refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(WorkspaceError, match="not empty"):
        Workspace.create(tmp_path)


def test_create__refuses_a_second_workspace_at_the_same_place(workspace):
    with pytest.raises(WorkspaceError):
        Workspace.create(workspace.location)


def test_create__after_one_that_was_cut_off_opens(tmp_path):
    (tmp_path / "pul.db").touch()  # what a process leaves that dies before its first commit
    with Workspace.open(tmp_path) as workspace:
        assert len(workspace.images()) == 0


def test_open__says_that_there_is_none(tmp_path):
    assert not Workspace.exists(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match=r"There is no workspace at .*nowhere"):
        Workspace.open(tmp_path / "nowhere")


def test_open__says_that_a_server_is_away(tmp_path):
    url = f"postgresql://nobody@/none?host={tmp_path}&artifacts={tmp_path}"
    with pytest.raises(StoreError, match="Check that the database server runs"):
        Workspace.open(url)


@pytest.mark.parametrize(
    "location", ["mysql://host/database", "postgresql://host/database", "postgresql://:port/x"]
)
def test_open__says_what_a_location_is(location):
    with pytest.raises(WorkspaceError, match=r"folder"):
        Workspace.open(location)


def test_open__says_that_the_file_is_no_database(tmp_path):
    (tmp_path / "pul.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="go back to a backup"):
        Workspace.open(tmp_path)


def test_open__refuses_tables_of_another_program(tmp_path):
    connection = sqlite3.connect(tmp_path / "pul.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(WorkspaceError, match="another program: recipes"):
        Workspace.open(tmp_path)


def test_open__takes_a_torn_database_for_damaged(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        workspace.set_setting("filler", "x" * 100_000)
    content = (tmp_path / "w" / "pul.db").read_bytes()
    (tmp_path / "w" / "pul.db").write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match="damaged"), Workspace.open(tmp_path / "w") as torn:
        torn.get_setting("filler")


def test_url__hides_the_password():
    url = "postgresql://me:secret@host/db?artifacts=/srv/pul"
    workspace = Workspace(*locate(url))
    assert workspace.url == "postgresql+psycopg://me@host/db?artifacts=%2Fsrv%2Fpul"
    assert workspace.secrets == {"PGPASSWORD": "secret"}


def test_setting__is_replaced(workspace):
    workspace.set_setting("n", 1)
    workspace.set_setting("n", [2, "λ"])
    assert workspace.get_setting("n") == [2, "λ"]
    assert workspace.get_setting("unknown", default=3) == 3


def test_write__one_at_a_time_loses_nothing(workspace):
    def annotate(author: str) -> None:
        for index in range(25):
            workspace.append_annotation_event("add", {"image": index}, author)

    threads = [threading.Thread(target=annotate, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = workspace.annotation_events()
    assert [event.event_id for event in events] == list(range(1, 101))
    for name in "abcd":
        acts = [event.payload["image"] for event in events if event.author == name]
        assert acts == list(range(25))


def test_annotation_events__after_a_number_are_the_later_ones(workspace):
    first = workspace.append_annotation_event("create", {"images": [1, 2]}, "ann")
    second = workspace.append_annotation_event("undo", {"event": first}, "ben")
    (event,) = workspace.annotation_events(after=first)
    assert (event.event_id, event.kind, event.author) == (second, "undo", "ben")
    assert event.payload == {"event": first}


def test_append_annotation_event__stores_an_act_that_is_sent_twice_once(workspace):
    first = workspace.append_annotation_event("create", {"images": [1]}, "ann", token="screen-1")
    again = workspace.append_annotation_event("create", {"images": [1]}, "ann", token="screen-1")
    other = workspace.append_annotation_event("create", {"images": [1]}, "ann")
    assert first == again != other
    assert len(workspace.annotation_events()) == 2


def test_import__loads_nothing_heavy():
    code = (
        "import sys, pul.store.workspace, pul.jobs;"
        "print(*{'torch', 'faiss', 'umap', 'sklearn', 'numba', 'alembic'} & set(sys.modules))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
