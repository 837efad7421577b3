"""What the clustering would answer to candidates, until people have answered enough."""

import numpy as np

from pul.labelling.suggestions.calibration import N_CANDIDATES, Answered, gather
from pul.labelling.suggestions.candidates import compare_all
from pul.labelling.suggestions.index import SuggestionIndex

_N_PEOPLE = 60  # largest bundles that are taken for people
_LEAST = 2  # tracklets of a bundle that has two halves


def rehearse(index: SuggestionIndex) -> Answered:
    """Ask the clustering, which takes a bundle for one person and all other clusters for others.

    Of each of the largest bundles every second tracklet is the person; the likest ones among its
    other half and all other clusters are the candidates. As clusters also part what is one person,
    the answers err towards caution.
    """
    sizes = index.bundles.sizes()
    largest = np.argsort(-sizes, kind="stable")[:_N_PEOPLE]
    answered = []
    for bundle in largest[sizes[largest] >= _LEAST].tolist():
        members = index.bundles.members(bundle)
        person, rest = members[::2], members[1::2]
        mean, highest = compare_all(index, index.tracklets.groups.members_of(person))
        highest[index.by_cluster.members(index.by_cluster.of[members[0]])] = -np.inf
        n_images = index.tracklets.groups.sizes()[person]
        mean[rest], highest[rest] = index.tracklets.compare(person, n_images, rest)
        shown = np.argsort(-(mean + highest), kind="stable")[:N_CANDIDATES]
        shown = shown[np.isfinite(highest[shown])]
        columns = (mean[shown].astype(np.float64), highest[shown].astype(np.float64))
        answered.append(Answered(*columns, np.isin(shown, rest)))
    index.drop_pages()
    return gather(answered)
