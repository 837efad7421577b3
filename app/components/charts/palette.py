"""Colours for colour-blind readers, on light and dark themes."""

# After Okabe and Ito (2008), lightened or darkened for contrast in both themes.
RUNS = ("#2F7FC1", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
CAMERAS = (*RUNS, "#8C6BB1", "#A6761D", "#66A61E", "#888888", "#E7298A", "#1B9E77")
CLUSTERS = CAMERAS
RELIABLE, OTHER = "#2F7FC1", "#9A9A9A"
COSINE = ("#5B4B9A", "#4C78A8", "#4FA59B", "#A9B84C", "#EDB120")  # from low to high
SPLITS = {"train": "#2F7FC1", "query": "#E69F00", "gallery": "#009E73"}
STEPS = {
    "decode": "#888888",
    "extract": "#56B4E9",
    "cluster": "#E69F00",
    "select": "#F0D060",
    "project": "#CC79A7",
    "initialize": "#8C6BB1",
    "finetune": "#2F7FC1",
    "evaluate": "#009E73",
    "validate": "#7FC9A8",
}
