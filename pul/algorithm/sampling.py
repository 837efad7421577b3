"""The order in which images come to a loss: each once, or P classes × K images of each."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from pul.algorithm.losses import load_loss
from pul.arrays import IntArray
from pul.config import TrainConfig


def sample_batches(
    classes: IntArray, cameras: IntArray, config: TrainConfig, random: np.random.Generator
) -> Iterator[IntArray]:
    """Yield the image indices of each batch of one epoch.

    A loss that compares images with each other sees P classes with up to `n_instances` images of
    each, so that a batch has pairs at all (P×K, Hermans et al. 2017); any other sees every image
    once, in random order. With `other_cameras` the images of a class are one at random and others
    of it from other cameras. With `n_steps` an epoch has that many whole batches: the images come
    again in another order, or not all of them come.

    Args:
        classes: Class of each image, shape (M,).
        cameras: Camera of each image, shape (M,), -1 where not known.
        config: Loss, batch size and steps.
        random: Source of the order.

    Yields:
        Indices into `classes`, shape (B,), B ≥ 2.
    """
    n_images, n_steps = len(classes), config.n_steps
    if not load_loss(config.loss).needs_pairs:
        draw = partial(random.permutation, n_images)
    elif config.other_cameras:
        draw = partial(_across_cameras, classes, cameras, config.n_instances, random)
        n_steps = n_steps or max(1, n_images // config.batch_size)
    else:
        draw = partial(_by_class, classes, config.n_instances, random)
    if n_steps is None:
        yield from _once(draw(), config.batch_size)
        return
    rest = draw()
    for _ in range(n_steps):
        while len(rest) < config.batch_size:
            rest = np.concatenate([rest, draw()])
        yield rest[: config.batch_size]
        rest = rest[config.batch_size :]


def _once(order: IntArray, batch_size: int) -> Iterator[IntArray]:
    whole = max(1, len(order) // batch_size) * batch_size
    for start in range(0, whole, batch_size):
        yield order[start : start + batch_size]
    if len(order) - whole >= 2:  # batch normalisation cannot learn from one image
        yield order[whole:]


def _by_class(classes: IntArray, n_instances: int, random: np.random.Generator) -> IntArray:
    """Return each image once, `n_instances` of a class together."""
    of_class: dict[int, list[int]] = {}
    for index in random.permutation(len(classes)).tolist():
        of_class.setdefault(int(classes[index]), []).append(index)
    groups = [
        members[start : start + n_instances]
        for members in of_class.values()
        for start in range(0, len(members), n_instances)
    ]
    random.shuffle(groups)
    return np.array([index for group in groups for index in group], dtype=np.int64)


def _across_cameras(
    classes: IntArray, cameras: IntArray, n_instances: int, random: np.random.Generator
) -> IntArray:
    """Return `n_instances` images of each class: an anchor, and others from other cameras.

    Where a class has too few others, they come again; where it has none from another camera, others
    from the anchor's come. A class of one image is left out, unless all are.
    """
    by_class = np.argsort(classes, kind="stable")
    members = np.split(by_class, np.flatnonzero(np.diff(classes[by_class])) + 1)
    members = [images for images in members if len(images) > 1] or members
    drawn = []
    for number in random.permutation(len(members)).tolist():
        images = members[number]
        anchor = images[random.integers(len(images))]
        others = images[cameras[images] != cameras[anchor]]
        if not len(others):
            others = images[images != anchor] if len(images) > 1 else images
        too_few = len(others) < n_instances - 1
        drawn.append([anchor, *random.choice(others, n_instances - 1, replace=too_few)])
    return np.array(drawn, dtype=np.int64).ravel()
