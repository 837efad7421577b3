"""The description of every setting, read from where the settings are declared."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from pul.config.base import NotInPaper, Settings, Step, may_be_empty
from pul.config.methods import OneOf

Kind = Literal["choice", "switch", "whole number", "number", "text", "numbers"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as people see it.

    Attributes:
        path: Its dotted name among the settings around it.
        label: What the screen calls it.
        description: What it does.
        kind: What its values are.
        default: Its default.
        minimum, maximum: Bounds of a number; None where it has none.
        is_above, is_below: Whether a value must lie above the minimum and below the maximum, which
            are then no values themselves.
        step: By how much the screen's buttons change a number.
        choices: Values of a choice.
        is_in_paper: Whether the paper has a value for it.
        may_be_empty: Whether it may be without a value.
    """

    path: str
    label: str
    description: str
    kind: Kind
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    is_above: bool = False
    is_below: bool = False
    step: float = 1
    choices: tuple[str, ...] = ()
    is_in_paper: bool = True
    may_be_empty: bool = False

    @property
    def allowed(self) -> str:
        """Return the values that are allowed, for people; "" where any text is."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind == "switch":
            return "true, false"
        above, below = "above " * self.is_above, "below " * self.is_below
        if self.minimum is None:
            return ""
        if self.maximum is None:
            return f"{above}{self.minimum:,}" if above else f"at least {self.minimum:,}"
        return f"{above}{self.minimum:,} to {below}{self.maximum:,}"


def describe(config: type[Settings], prefix: str = "") -> Iterator[Setting]:
    """Yield the description of every setting of a class, those of nested classes included."""
    for name, info in config.model_fields.items():
        path, kind = f"{prefix}{name}", info.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            yield from describe(kind, f"{path}.")
        else:
            yield _describe(path, info)


def _describe(path: str, info: FieldInfo) -> Setting:
    marks = {type(mark): mark for mark in info.metadata}
    above, below = marks.get(Gt), marks.get(Lt)
    least, most = marks.get(Ge), marks.get(Le)
    step = marks.get(Step)
    kind, choices = _kind(info.annotation)
    if methods := marks.get(OneOf):
        kind, choices = "choice", tuple(methods.methods)
    return Setting(
        path=path,
        label=info.title or path,
        description=info.description or "",
        kind=kind,
        default=info.default,
        minimum=above.gt if above else least.ge if least else None,
        maximum=below.lt if below else most.le if most else None,
        is_above=above is not None,
        is_below=below is not None,
        step=step.size if step else 1,
        choices=choices,
        is_in_paper=NotInPaper not in marks,
        may_be_empty=may_be_empty(info),
    )


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind of a type's values, and the choices where they are few."""
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        return "numbers", ()
    known = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    kinds: dict[Any, Kind] = {bool: "switch", int: "whole number", float: "number", str: "text"}
    return next(kinds[one] for one in known if one in kinds), ()
