"""The file of a start model, without a network: a run is made, and ends where it is read."""

import json
import struct

_HEADER = json.dumps({"__metadata__": {"pul_network": '{"backbone": "hollow"}'}}).encode()
HOLLOW_MODEL = struct.pack("<Q", len(_HEADER)) + _HEADER
