import math

import torch
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms

from pul.algorithm.augmentation import augment, sampling_grid, warp_matrices
from pul.config import AugmentationConfig

STILL = AugmentationConfig(rotation_degrees=0, shift_fraction=0)


def warp(images, *, degrees=0.0, shift=(0.0, 0.0), flipped=False):
    n, _, height, width = images.shape
    matrices = warp_matrices(
        torch.full((n,), math.radians(degrees)),
        torch.tensor([shift]).expand(n, 2),
        torch.full((n,), flipped),
        height=height,
        width=width,
    )
    grid = sampling_grid(matrices, height=height, width=width)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def test_sampling_grid__is_that_of_torch():
    torch.manual_seed(0)
    matrices = torch.randn(5, 2, 3)
    expected = functional.affine_grid(matrices, [5, 3, 12, 7], align_corners=False)
    torch.testing.assert_close(sampling_grid(matrices, height=12, width=7), expected)


def test_warp_matrices__nothing_is_the_identity():
    images = torch.rand(2, 3, 8, 4)
    torch.testing.assert_close(warp(images), images)


def test_warp_matrices__shift_by_whole_pixels_repeats_the_edge():
    image = torch.arange(8.0).view(1, 1, 2, 4).expand(1, 3, 2, 4)
    # A quarter of 4 columns is one pixel to the right; the first column is repeated.
    expected = torch.tensor([[0.0, 0, 1, 2], [4, 4, 5, 6]]).expand(1, 3, 2, 4)
    torch.testing.assert_close(warp(image, shift=(0.25, 0.0)), expected)
    down = torch.tensor([[0.0, 1, 2, 3], [0, 1, 2, 3]]).expand(1, 3, 2, 4)
    torch.testing.assert_close(warp(image, shift=(0.0, 0.5)), down)


def test_warp_matrices__flip_mirrors_left_and_right():
    images = torch.rand(1, 3, 8, 4)
    torch.testing.assert_close(warp(images, flipped=True), images.flip(3))


def test_warp_matrices__rotation_agrees_with_torchvision_on_a_tall_image():
    image = torch.rand(1, 3, 64, 32)
    image = transforms.gaussian_blur(image, 9)  # smooth, so that interpolation hardly matters
    ours = warp(image, degrees=20)
    bilinear = transforms.InterpolationMode.BILINEAR
    theirs = [transforms.rotate(image, degrees, bilinear) for degrees in (20, -20)]
    middle = (slice(None), slice(None), slice(20, 44), slice(10, 22))  # away from the edges
    errors = [float((ours - t)[middle].abs().max()) for t in theirs]
    assert min(errors) < 1e-3


def test_augment__off_changes_nothing():
    images = torch.rand(4, 3, 8, 4)
    assert torch.equal(augment(images, STILL), images)


def test_augment__seeded_and_different_for_each_image():
    images = torch.rand(1, 3, 16, 8).expand(6, 3, 16, 8)
    torch.manual_seed(3)
    first = augment(images, AugmentationConfig())
    torch.manual_seed(3)
    assert torch.equal(augment(images, AugmentationConfig()), first)
    assert len({tuple(image.flatten().tolist()) for image in first}) == 6


def test_augment__flip_probability_is_kept():
    images = torch.arange(8.0).view(1, 1, 2, 4).expand(400, 3, 2, 4)
    torch.manual_seed(0)
    changed = augment(images, STILL.replace(flip_probability=0.5))
    n_flipped = sum(torch.equal(image, images[0].flip(2)) for image in changed)
    n_same = sum(torch.equal(image, images[0]) for image in changed)
    assert n_flipped + n_same == 400
    assert 150 < n_flipped < 250  # five standard deviations


def test_augment__erasing_sets_one_rectangle_to_the_mean():
    images = torch.ones(50, 3, 32, 16)
    torch.manual_seed(0)
    erased = augment(images, STILL.replace(erasing_probability=1.0)) == 0
    assert images.min() == 1  # the input is not touched
    for image in erased:
        rows, columns = image[0].any(1).sum(), image[0].any(0).sum()
        assert image[0].sum() == rows * columns > 0
        assert image.sum() == 3 * rows * columns
        assert rows * columns <= 0.40 * 32 * 16  # a third, and rounding


def test_augment__erases_what_a_loop_over_the_images_erases():
    images = torch.rand(200, 3, 32, 16) + 1
    torch.manual_seed(4)
    erased = augment(images, STILL.replace(erasing_probability=0.5))
    torch.manual_seed(4)
    torch.rand(200)  # of the flips
    expected = images.clone()
    for index in torch.nonzero(torch.rand(200) < 0.5).flatten().tolist():
        share, shape, top, left = torch.rand(4).tolist()
        area = 32 * 16 * (0.02 + 0.31 * share)  # Zhong et al. 2017: 2 to 33 % of the image,
        aspect = 0.3 ** (1 - 2 * shape)  # sides of 0.3 to 1 / 0.3, uniformly in the logarithm
        rows = min(32, max(1, round((area * aspect) ** 0.5)))
        columns = min(16, max(1, round((area / aspect) ** 0.5)))
        top, left = int(top * (33 - rows)), int(left * (17 - columns))
        expected[index, :, top : top + rows, left : left + columns] = 0
    assert torch.equal(erased, expected)


def test_augment__turns_and_shifts_within_the_settings_both_ways():
    images = transforms.gaussian_blur(torch.rand(40, 3, 32, 16), 5)
    config = AugmentationConfig(rotation_degrees=20, shift_fraction=0.25)
    torch.manual_seed(6)
    found = augment(images, config)
    torch.manual_seed(6)
    torch.rand(40)  # of the flips
    turns, shifts = 2 * torch.rand(40) - 1, 2 * torch.rand(40, 2) - 1
    assert turns.min() < -0.9
    assert turns.max() > 0.9
    for image, changed, turn, shift in zip(images, found, turns, shifts, strict=True):
        expected = warp(image[None], degrees=20 * turn.item(), shift=(0.25 * shift).tolist())[0]
        torch.testing.assert_close(changed, expected)


def test_augment__either_a_turn_or_a_shift_is_enough():
    images = torch.rand(4, 3, 16, 8)
    for change in ({"rotation_degrees": 20}, {"shift_fraction": 0.25}, {"flip_probability": 1}):
        assert not torch.equal(augment(images, STILL.replace(**change)), images)


def test_augment__crops_by_whole_pixels_of_the_mean_colour():
    torch.manual_seed(0)
    images = torch.arange(1.0, 1 + 200 * 6 * 4).view(200, 1, 6, 4).expand(-1, 3, -1, -1)
    config = AugmentationConfig(rotation_degrees=0, shift_fraction=0, crop_padding=2)
    changed = augment(images, config)
    shifts = set()
    for image, new in zip(images, changed, strict=True):
        padded = functional.pad(image, (2, 2, 2, 2))
        crops = {
            (top, left): padded[:, top : top + 6, left : left + 4]
            for top in range(5)
            for left in range(5)
        }
        (found,) = [place for place, crop in crops.items() if torch.equal(crop, new)]
        shifts.add(found)
    assert len(shifts) == 25  # each of them, in 200 draws


def test_augment__a_flip_alone_blurs_nothing():
    torch.manual_seed(0)
    images = torch.rand(50, 3, 6, 4)
    config = AugmentationConfig(rotation_degrees=0, shift_fraction=0, flip_probability=0.5)
    changed = augment(images, config)
    mirrored = [torch.equal(new, old.flip(2)) for new, old in zip(changed, images, strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(changed, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 10 < sum(mirrored) < 40
