"""What the answer to a pair question comes to, as an act."""

from pul.labelling.annotations.acts import Act, Side, add, merge, not_same, remove, same
from pul.labelling.annotations.state import Annotations


def answer_pair(state: Annotations, left: Side, right: Side, *, is_same: bool) -> Act:
    """Return the act that answers whether two sides are one person.

    Of an identity and images that are in it already, as a review asks, yes confirms the join and no
    undoes it.

    Args:
        state: What is known.
        left, right: The sides: identities, or images.
        is_same: The answer.

    Raises:
        ConfigError: A side is empty.
    """
    named = [side for side in (left, right) if side.identity is not None]
    if len(named) == 1:
        (other,) = (side for side in (left, right) if side is not named[0])
        return _answer_one(state, named[0].identity or 0, other, is_same=is_same)
    if not is_same:
        return not_same(left, right)
    if named:
        return merge([side.identity or 0 for side in named])
    return same([*left.images, *right.images])


def _answer_one(state: Annotations, identity: int, images: Side, *, is_same: bool) -> Act:
    if is_same:
        return add(identity, images.images)
    known = state.find(identity)
    if images.images and all(state.owners.get(image) == known for image in images.images):
        return remove(identity, images.images)
    return not_same(Side(identity=identity), images)
