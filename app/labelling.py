"""What labelling sends to the browser, and what it takes from it; knows nothing of Streamlit."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from app import services_cards, services_labelling
from app.components.palette import CAMERAS
from app.leases import leases_of
from app.services_cards import Board, Candidate, Card, Likeness, More, PairQuestion, PairSide, Tile
from app.services_identities import N_BEST, IdentityRow
from app.services_labelling import Outcome
from app.thumbnails import PREFIX, tokens
from pul.errors import StoreError

LIMITS = (25, 50)  # numbers of identities, L, of the paper
_N_HEARD = 5


@dataclass
class Desk:
    """What one screen sent so far in this session.

    Attributes:
        annotator: Who sits there.
        name: What the annotator typed, here or in this browser before; "" for nothing.
        stored: Tokens of the acts it sent last and that need not be sent again.
        heard: What came of the last acts, and every refusal that the screen may not know yet.
        skipped: Names of cards that wait for later, the last one last.
        notice: What to say once on the next page; "" for nothing.
        drawn: The cards that were made last, and what they were made of.
        desk_id: Tells this desk from those of other screens.
    """

    annotator: str = ""
    name: str = ""
    stored: list[str] = field(default_factory=list)
    heard: list[Outcome] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notice: str = ""
    drawn: tuple[tuple[Any, ...], list[Card]] = ((), [])
    desk_id: str = ""

    def receive(self, location: str, outbox: Mapping[str, Any], author: str = "") -> set[str]:
        """Store what the screen sent; what came before is known by its token.

        Args:
            location: The workspace.
            outbox: Acts, each with its token, and the name of the browser they are from.
            author: Who the acts are signed by; by default that name.

        Returns:
            Names of the cards that the outbox is about.
        """
        self.annotator = author or str(outbox.get("annotator", ""))
        commits = _commits(outbox)
        known = set(self.stored)
        try:
            for commit in commits:
                if commit["token"] not in known:
                    self._store(location, commit)
                    known.add(commit["token"])
        except StoreError as error:  # the browser keeps it and all behind it, and sends them again
            text = f"Not stored yet, but kept in this browser and sent again: {error}"
            self._hear(Outcome(commit["token"], commit["kind"], text, True))
        self.stored = [commit["token"] for commit in commits if commit["token"] in known]
        self._forget({commit["token"] for commit in commits})
        return {str(commit.get("card", "")) for commit in commits}

    def meet(self, outbox: Mapping[str, Any]) -> None:
        """Take the name that the browser knows, unless another was typed here."""
        self.name = self.name or str(outbox.get("name") or "")

    def next_cards(
        self,
        board: Board,
        n: int,
        chosen: Sequence[int] = (),
        is_here: Callable[[str], bool] = lambda _: True,
    ) -> list[Card]:
        """Return the cards that come next; made anew only where something has changed.

        Args:
            board: What they are made from.
            n: How many.
            chosen: Images whose card comes before all others.
            is_here: Whether somebody still sits at another desk, which keeps its cards then.
        """
        made_of = (board.iteration, len(board.state.events), tuple(self.skipped), n, tuple(chosen))
        if self.drawn[0] != made_of:
            first = services_cards.card_of_images(board, chosen)
            next_cards = partial(services_cards.next_cards, board, n=n, skipped=self.skipped)
            drawn = leases_of(*board.place).draw(
                self.desk_id, lambda taken: next_cards(taken=taken), is_here
            )
            cards = [services_cards.lay_out(board, card) for card in drawn]
            self.drawn = made_of, ([first] if first else []) + cards
        return self.drawn[1]

    def _store(self, location: str, commit: Mapping[str, Any]) -> None:
        if commit["kind"] == "skip":
            self.skipped.append(str(commit.get("card")))
            return
        if commit["kind"] == "unskip":
            self.skipped = [name for name in self.skipped if name != commit.get("card")]
            return
        outcome = services_labelling.store(location, self.annotator, commit)
        self._hear(outcome)

    def _hear(self, outcome: Outcome) -> None:
        before = [heard for heard in self.heard if heard.token != outcome.token]
        self.heard = [*before, outcome]

    def _forget(self, sent: set[str]) -> None:
        """Drop what the screen has heard: acts that are sent still wait for an answer."""
        last = self.heard[-_N_HEARD:]
        self.heard = [o for o in self.heard if o in last or (o.is_refused and o.token in sent)]


def _commits(outbox: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the acts that a browser sent, without what is none: it may send anything."""
    sent = outbox.get("commits")
    acts = [act for act in sent if isinstance(act, Mapping)] if isinstance(sent, list) else []
    return [act for act in acts if all(isinstance(act.get(x), str) for x in ("token", "kind"))]


def desk_payload(location: str, desk: Desk) -> dict[str, Any]:
    """Return what both pages send: what is stored, what came of it, where pictures are."""
    return {
        "workspace": services_labelling.log_name(location),
        "name": desk.name,
        "thumbs": PREFIX,
        "stored": desk.stored,
        "heard": [asdict(outcome) for outcome in desk.heard],
    }


def card_payload(
    location: str,
    desk: Desk,
    cards: Sequence[Card],
    pairs: Sequence[PairQuestion],
    people: Sequence[IdentityRow],
    cameras: Sequence[int],
    more: More | None = None,
) -> dict[str, Any]:
    """Return all that page 2 draws: the next cards, questions, identities, and how far it is."""
    pace = services_labelling.pace(services_labelling.said(location))
    return desk_payload(location, desk) | {
        "cards": [_card(location, card) for card in cards],
        "more": more and _more(location, more),
        "pairs": [_pair(location, pair) for pair in pairs],
        "identities": [_identity(location, row) for row in people],
        "cameras": {camera: CAMERAS[n % len(CAMERAS)] for n, camera in enumerate(cameras)},
        "empty": {
            "title": "All cards are done.",
            "next": "What is left is too small or too mixed for a card. An iteration with what is "
            "labelled groups people anew.",
        },
        "progress": {
            "identities": pace.n_identities,
            "goal": pace.goal,
            "images": pace.n_images,
            "next": pace.next_number,
            "seconds": pace.seconds,
        },
    }


def rows_payload(
    location: str, desk: Desk, rows: Sequence[IdentityRow], opened: int | None
) -> dict[str, Any]:
    """Return all that page 4 draws; the images of the opened identity too."""
    members = next((row.members for row in rows if row.identity == opened), None)
    return desk_payload(location, desk) | {
        "rows": [_row(location, row) for row in rows],
        "goals": LIMITS,
        "opened": opened if members else None,
        "members": [
            [member.image, token, member.camera, member.is_outlier]
            for member, token in zip(
                members or (), tokens(location, [m.image for m in members or ()]), strict=True
            )
        ],
    }


def _card(location: str, card: Card) -> dict[str, Any]:
    return {
        "id": card.card_id,
        "reason": card.reason,
        "tiles": _tiles(location, card.tiles),
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
    """Return the colour of an identity by the place it was made at."""
    return CAMERAS[place % len(CAMERAS)]
