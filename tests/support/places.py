"""A tiny place on disk, in the layout of Market-1501."""

from pathlib import Path

from PIL import Image

from tests.support.networks import coloured_images


def write_place(root: Path, *, n_people: int = 6, n_images_each: int = 8) -> Path:
    """Write training images of some people on two cameras, and queries and a gallery of others.

    Query and gallery show the same five people; image i of a person is on camera i % 2 + 1.
    """
    for folder, n, each, seed in (
        ("bounding_box_train", n_people, n_images_each, 0),
        ("bounding_box_test", 5, 4, 1),
        ("query", 5, 2, 1),
    ):
        (root / folder).mkdir(parents=True)
        pixels, pids = coloured_images(n, each, seed=seed)
        for index, (image, pid) in enumerate(zip(pixels, pids, strict=True)):
            number = index % each
            name = f"{pid:04d}_c{number % 2 + 1}s1_{number:06d}_01.png"
            Image.fromarray(image).save(root / folder / name)
    return root
