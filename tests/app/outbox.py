"""Acts as the browser's outbox sends them, and images to label."""

from pul.store.workspace import Workspace

PLACE = (1, 2)  # run and iteration


def images_of(place: str, pid: int) -> list[int]:
    with Workspace.open(place) as workspace:
        table = workspace.run_images(1, "train")
        found: list[int] = table.image_ids[table.pids == pid].tolist()
    return found


def outbox(*commits: object) -> dict[str, object]:
    return {"commits": list(commits)}


def act(number: int, kind: str, **over: object) -> dict[str, object]:
    return {"token": f"ann-{number}", "kind": kind, **over}
