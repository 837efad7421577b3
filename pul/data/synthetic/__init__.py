"""Invented pedestrians: data sets of any size for demos, tests and benchmarks, without a download.

people    who somebody is: body, hair, clothes, bag        clothes   cloth and its patterns
poses     a skeleton that walks, seen from anywhere        painting  shaded tubes and ellipsoids
figure    a posed person; limbs, trunk, heads and luggage say what to paint of them
scenes    empty scenes in perspective                      walkers   people in a scene
cameras   crops, mishaps and sensors                       places    the two places
generate  a whole data set
"""

from pul.data.synthetic.generate import SyntheticConfig, generate_dataset

__all__ = ["SyntheticConfig", "generate_dataset"]
