"""The result of a check of a machine or of a workspace."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        level: `ok`, `warning` (it works with limits) or `error` (it does not work).
        subject: What was checked.
        message: What was found and, if something is wrong, how to fix it.
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
