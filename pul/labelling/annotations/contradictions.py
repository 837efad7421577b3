"""Where people, or acts, disagree; what counts meanwhile; and how to settle it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pul.labelling.annotations.state import JUNK, Annotations, Opinion

ContradictionKind = Literal["two_identities", "junk", "refused", "not_same", "same"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Acts that cannot all be right.

    Attributes:
        kind: `two_identities` (one image, two people), `junk` (a person's image, or a bad one),
            `refused` (an image in an identity it was said not to show), `not_same` (different
            people in one identity), `same` (one person in two identities).
        message: What is wrong and what counts meanwhile, for people.
        images: The images, ascending.
        identities: The identities, in the order of their numbers.
        events: The events that disagree, in order; taking one of them back settles it.
    """

    kind: ContradictionKind
    message: str
    images: tuple[int, ...]
    identities: tuple[int, ...]
    events: tuple[int, ...]


_Found = tuple[
    ContradictionKind, int, tuple[int, ...], tuple[int, ...]
]  # image, identities, events


def find_contradictions(state: Annotations) -> tuple[Contradiction, ...]:
    """List every contradiction, each once for all images it concerns, by its first event."""
    images: dict[tuple[ContradictionKind, tuple[int, ...], tuple[int, ...]], set[int]] = {}
    for kind, image, identities, events in (*_disputed(state), *_refused(state), *_linked(state)):
        images.setdefault((kind, identities, events), set()).add(image)
    found = [
        Contradiction(kind, _explain(state, kind, identities, who), tuple(sorted(who)), *rest)
        for (kind, identities, events), who in images.items()
        for rest in [(identities, events)]
    ]
    return tuple(sorted(found, key=lambda item: (item.events, item.kind, item.images)))


def _disputed(state: Annotations) -> Iterator[_Found]:
    for image, opinions in state.opinions.items():
        if len(opinions) == 1:
            continue
        people = {o: state.find(o.identity) for o in opinions if o.identity > 0}
        identities = tuple(sorted(set(people.values())))
        if len(identities) > 1:
            yield "two_identities", image, identities, _events(people)
        bad = [opinion for opinion in opinions if opinion.identity == JUNK]
        if identities and bad:
            yield "junk", image, identities, _events([*people, *bad])


def _refused(state: Annotations) -> Iterator[_Found]:
    for refusal in state.refusals:
        identity = state.find(refusal.identity)
        for image in state.refused_images(refusal):
            if state.owners.get(image) == identity:
                own = state.opinions.get(image, ())
                since = {o.event_id for o in own if state.find(o.identity) == identity}
                events = tuple(sorted(since | {refusal.event_id}))
                yield "refused", image, (identity,), events


def _linked(state: Annotations) -> Iterator[_Found]:
    owners = state.owners
    for event_id, images in state.links:
        people = tuple(sorted({owners[x] for x in images if owners.get(x, 0) > 0}))
        if len(people) > 1:
            yield from (("same", x, people, (event_id,)) for x in images)
    group_of = {image: -number for number, group in enumerate(state.groups, 1) for image in group}
    for pair in state.cannot_links:
        left, right = state.side_images(pair.left), state.side_images(pair.right)
        whose = {x: owners[x] if owners.get(x, 0) > 0 else group_of.get(x) for x in left | right}
        one_person = {whose[x] for x in left} & {whose[x] for x in right} - {None}
        for image in left | right:
            person = whose[image]
            if person is not None and person in one_person:
                yield "not_same", image, (person,) if person > 0 else (), (pair.event_id,)


def _events(opinions: dict[Opinion, int] | list[Opinion]) -> tuple[int, ...]:
    return tuple(sorted({opinion.event_id for opinion in opinions}))


def _explain(
    state: Annotations, kind: ContradictionKind, identities: tuple[int, ...], images: set[int]
) -> str:
    names = " and ".join(state.name(identity) for identity in identities)
    count = "1 image" if len(images) == 1 else f"{len(images)} images"
    if kind == "two_identities":
        return f"{count} in both {names}: the last act counts. Remove them from one."
    if kind == "junk":
        return f"{count} in {names} and in the junk: the last act counts. Undo one."
    if kind == "refused":
        return f"{count} in {names}, but also said not to show this person. Remove or undo."
    if kind == "not_same":
        where = names or "one group"
        return f"{count} of different people are together in {where}. Split it, or undo."
    return f"{count} of one person lie in {names}. Merge them, or undo."
