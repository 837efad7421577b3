"""The addresses of the pages, by the key under which the code knows them."""

PATHS = {
    "workspace": "",  # the first page
    "clusters": "clusters",
    "label": "label",
    "map": "map",
    "identities": "identities",
    "rounds": "train",
    "experiments": "experiments",
    "retrieval": "retrieval",
    "export": "finish",
}
OLD_PATHS = {"rounds": "rounds", "export": "export"}  # of links that were shared before
