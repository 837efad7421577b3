"""The file of a start model, without a network: a run is made, and ends where it is read."""

import json
import struct


def hollow_model(name: str = "hollow") -> bytes:
    """Return the bytes of a checkpoint of ours that holds no tensor; each name gives others."""
    header = {"__metadata__": {"pul_network": json.dumps({"backbone": name})}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


HOLLOW_MODEL = hollow_model()
