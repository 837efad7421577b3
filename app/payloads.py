"""The data that the Label and Identities pages send to the browser; no Streamlit here."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app import services
from app.components.charts.palette import CAMERAS
from app.components.map.scatter import ColorBy, coloring
from app.routes import maps, similar
from app.routes.thumbnails import PREFIX, tokens
from app.services.cards import Candidate, Card, Likeness, More, Tile
from app.services.desk import Desk
from app.services.drafts import Draft
from app.services.identities import N_BEST, IdentityRow
from app.services.merges import Merge
from app.services.pairs import PairQuestion, PairSide, Round
from pul.records import IterationRecord

LIMITS = (25, 50)  # numbers of identities, L, of the paper


def desk_payload(location: str, desk: Desk) -> dict[str, Any]:
    """Return what both pages send: stored acts, their outcomes, where thumbnails are."""
    return {
        "workspace": services.labels.log_name(location),
        "name": desk.name,
        "thumbs": PREFIX,
        "stored": desk.stored,
        "outcomes": [asdict(outcome) for outcome in desk.outcomes],
    }


def card_payload(
    location: str,
    desk: Desk,
    cards: Sequence[Card],
    pairs: Sequence[PairQuestion],
    people: Sequence[IdentityRow],
    cameras: Sequence[int],
    more: More | None = None,
    *,
    n_clusters: int,
    author: str = "",
    pairs_in_a_row: Round | None = None,
    drafts: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return all that the Label page draws: next cards, questions, identities, progress."""
    pace = services.labels.pace(services.labels.read_annotations(location), n_clusters)
    return desk_payload(location, desk) | {
        "author": services.cards.digest(author),
        "drafts": drafts,
        "cards": [_card(location, card) for card in cards],
        "more": more and _more(location, more),
        "pairs": [_pair(location, pair) for pair in pairs],
        "round": _round(location, pairs_in_a_row or Round()),
        "identities": [_identity(location, row) for row in people],
        "cameras": {camera: CAMERAS[n % len(CAMERAS)] for n, camera in enumerate(cameras)},
        "empty": {
            "title": "All cards are done.",
            "next": "The remaining clusters are too small or too mixed for a card. The next "
            "iteration clusters again, with your labels.",
        },
        "progress": {
            "identities": pace.n_identities,
            "goal": pace.goal,
            "images": pace.n_images,
            "next": pace.next_number,
            "seconds": pace.seconds,
        },
    }


def drafts_payload(location: str, asked: str, drafts: Sequence[Draft], told: str) -> dict[str, Any]:
    """Return the drafts that a browser asked for, laid out again, by the name of its question."""
    return {
        "asked": asked,
        "told": told,
        "works": [
            {
                "card": _card(location, draft.card),
                "dropped": draft.dropped,
                "accepted": [_candidate(location, candidate) for candidate in draft.accepted],
                "rejected": [_candidate(location, candidate) for candidate in draft.rejected],
                "told": draft.told,
            }
            for draft in drafts
        ],
    }


def rows_payload(
    location: str,
    desk: Desk,
    rows: Sequence[IdentityRow],
    opened: int | None,
    merges: Sequence[Merge] = (),
) -> dict[str, Any]:
    """Return all that the Identities page draws, with the images of the opened identity."""
    members = next((row.members for row in rows if row.identity == opened), None)
    return desk_payload(location, desk) | {
        "rows": [_row(location, row) for row in rows],
        "merges": [[merge.left, merge.right, merge.has_one_name] for merge in merges],
        "opened": opened if members else None,
        "members": [
            [member.image, token, member.camera, member.is_outlier]
            for member, token in zip(
                members or (), tokens(location, [m.image for m in members or ()]), strict=True
            )
        ],
    }


def clusters_payload(
    location: str, desk: Desk, run_id: int, record: IterationRecord, newest: int
) -> dict[str, Any]:
    """Return what the Clusters page draws; the arrays have addresses of their own."""
    place = (location, run_id, record.iteration)
    arrays, purities = services.map.map_arrays(*place), services.clusters.purities(*place)
    state = services.labels.read_annotations(location)
    version = services.map.identities_version(location)
    colorings: tuple[ColorBy, ...] = ("reliable", "identity", "camera", "doubt", "cosine")
    return desk_payload(location, desk) | {
        "revision": f"{services.labels.log_name(location)}:{run_id}",
        "iteration": record.iteration,
        "newest": newest,
        "lambda_": record.lambda_ or 0.0,
        "layout_url": maps.url(*place),
        "people_url": maps.url(*place, "people", version=version),
        "identities_url": maps.url(*place, "identities", version=version),
        "doubts_url": maps.url(*place, "doubts"),
        "similar_url": similar.url(*place),
        "has_map": len(arrays.points) > 0,
        "colorings": {by: asdict(coloring(by, arrays.camera_names)) for by in colorings},
        "cameras": arrays.camera_names,
        "purity": {
            "source": purities.source,
            "n_people": purities.n_people,
            "overall": purities.overall if purities.source else None,
        },
        "identities": [
            {
                "identity": known.identity,
                "name": state.name(known.identity),
                "color": color(known.colour),
                "n": len(known.images),
            }
            for known in state.identities
        ],
    }


def _card(location: str, card: Card) -> dict[str, Any]:
    return {
        "id": card.card_id,
        "reason": card.reason,
        "tiles": _tiles(location, card.tiles),
        "joined": [_candidate(location, candidate) for candidate in card.joined],
        "candidates": [_candidate(location, candidate) for candidate in card.candidates],
        "likeness": _likeness(card.likeness),
        "nearest": card.nearest,
        "map": {"around": card.around, "identities": card.identities},
        "nMore": card.n_more,
    }


def _more(location: str, more: More) -> dict[str, Any]:
    return {
        "id": more.card_id,
        "candidates": [_candidate(location, candidate) for candidate in more.candidates],
        "likeness": _likeness(more.likeness),
    }


def _likeness(likeness: Likeness) -> dict[str, Any]:
    steps = b64encode(likeness.steps).decode("ascii")
    return {"tracklets": likeness.tracklets, "steps": steps}


def _candidate(location: str, candidate: Candidate) -> dict[str, Any]:
    return {
        "tiles": _tiles(location, candidate.tiles),
        "cameras": candidate.n_cameras,
        "probability": round(candidate.probability, 3),
        "isUnlikely": candidate.is_unlikely,
    }


def _tiles(location: str, tiles: Sequence[Tile]) -> list[list[Any]]:
    signed = tokens(location, [tile.image for tile in tiles])
    return [
        [
            tile.image,
            token,
            tile.camera,
            tile.tracklet,
            int(tile.is_chosen),
            int(tile.is_reliable),
            tile.point,
        ]
        for tile, token in zip(tiles, signed, strict=True)
    ]


def _pair(location: str, pair: PairQuestion) -> dict[str, Any]:
    return {
        "id": pair.pair_id,
        "reason": pair.reason,
        "left": _side(location, pair.left),
        "right": _side(location, pair.right),
        "question": {"left": pair.left.plain, "right": pair.right.plain},
    }


def _round(location: str, asked: Round) -> dict[str, Any]:
    return {
        "at": asked.at,
        "title": asked.title,
        "told": asked.told,
        "isCount": asked.is_count,
        "pairs": [_pair(location, pair) for pair in asked.pairs],
    }


def _side(location: str, side: PairSide) -> dict[str, Any]:
    return {"name": side.name, "tiles": _tiles(location, side.tiles)}


def _identity(location: str, row: IdentityRow) -> dict[str, Any]:
    return {
        "identity": row.identity,
        "name": row.name,
        "color": color(row.colour),
        "tokens": tokens(location, [member.image for member in row.members[:4]]),
        "n": len(row.members),
    }


def _row(location: str, row: IdentityRow) -> dict[str, Any]:
    return {
        "identity": row.identity,
        "name": row.name,
        "color": color(row.colour),
        "role": row.role,
        "tokens": tokens(location, [member.image for member in row.members[:N_BEST]]),
        "n_images": len(row.members),
        "n_cameras": row.n_cameras,
        "compactness": round(row.compactness, 3),
        "nearest": row.nearest,
        "flags": [[flag.kind, flag.text, flag.hint] for flag in row.flags],
    }


def color(place: int) -> str:
    """Return the colour of an identity by its number in the order of creation."""
    return CAMERAS[place % len(CAMERAS)]
