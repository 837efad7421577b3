"""The paper, top to bottom: extract, cluster, select, fine-tune, evaluate, and the loop of them."""
