"""The addresses and the names of the pages, by the key under which the code knows them."""

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
TITLES = {  # of the pages, in the navigation, as headings and as steps of the way
    "workspace": "Images",
    "clusters": "Clusters",
    "label": "Label",
    "map": "Map",
    "identities": "Identities",
    "rounds": "Train",
    "retrieval": "Retrieval",
    "experiments": "Experiments",
    "export": "Finish",
}
