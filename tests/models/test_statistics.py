"""Statistics of batch normalisation measured again, and weights averaged over steps."""

import numpy as np
import pytest
import torch

from pul.models.statistics import AveragedNetwork, batch_norms, reestimate
from tests.support.networks import coloured_images, tiny_network


def test_reestimate__statistics_are_the_means_of_the_batches():
    network, (pixels, _) = tiny_network(), coloured_images(2, 8)
    first = next(batch_norms(network))
    first.running_mean.fill_(7)
    images = network.normalize(torch.from_numpy(pixels))
    batches = [images[:8], images[8:]]
    convolution = network.trunk.features[0][0]
    maps = [convolution(batch).detach().double() for batch in batches]
    momentum = first.momentum
    reestimate(network, batches, "float32")
    expected = sum(each.mean(dim=(0, 2, 3)) for each in maps) / 2
    np.testing.assert_allclose(first.running_mean, expected, rtol=1e-4, atol=1e-6)
    variances = sum(each.var(dim=(0, 2, 3)) for each in maps) / 2
    np.testing.assert_allclose(first.running_var, variances, rtol=1e-4)
    assert first.momentum == momentum
    assert not any(module.training for module in network.modules())


def test_averaged_network__is_the_exponential_mean_of_its_steps():
    network = tiny_network()
    weight = next(network.parameters())
    average = AveragedNetwork(network, 0.75)
    start = weight.detach().clone()
    for value in (1.0, 2.0):
        with torch.no_grad():
            weight.fill_(value)
            next(batch_norms(network)).running_mean.fill_(value)
        average.update()
    average.take()
    # The first update copies the network, as nothing was averaged before it.
    assert not torch.equal(weight, start)
    assert weight.unique().tolist() == pytest.approx([0.75 * 1 + 0.25 * 2])
    assert next(batch_norms(network)).running_mean.unique().tolist() == pytest.approx([1.25])
