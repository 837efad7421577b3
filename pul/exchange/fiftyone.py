"""Labels as FiftyOne writes them: samples with fields, or one list of labels by file name."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pul.data.readers import words
from pul.data.readers.columns import as_text, identity_in, pick
from pul.errors import DatasetError
from pul.exchange.labels import Label, Labels, Problem, one_person_each

_DETECTIONS = "Detections"
_CLASSIFICATIONS = ("Classification", "Classifications")
_OWN = ("label", "confidence", "bounding_box", "mask", "tags", "_cls", "_id", "id")


def is_fiftyone(content: object) -> bool:
    """Whether parsed JSON is one of FiftyOne's: a data set, samples, or labels by file name."""
    if isinstance(content, list):
        return bool(content) and isinstance(content[0], dict) and "filepath" in content[0]
    if not isinstance(content, dict):
        return False
    is_labels = isinstance(content.get("labels"), dict) and "classes" in content
    return is_labels or isinstance(content.get("samples"), list) or "filepath" in content


def read_fiftyone(content: Any, path: Path) -> Labels:
    """Read labels from FiftyOne's JSON.

    Of a sample, a field called identity, pid or the like counts, whether a text, a number or a
    classification; else what its detections carry; else its only classification.

    Args:
        content: The parsed JSON: `samples.json` of a FiftyOneDataset, what `to_dict` of a sample or
            a data set gives, or `labels.json` of FiftyOneImageClassificationDataset or
            FiftyOneImageDetectionDataset.
        path: The file, for messages.

    Raises:
        DatasetError: Several fields may be the identity.
    """
    if isinstance(content, dict) and "labels" in content:
        found = _by_name(content["labels"], content.get("classes"), path.name)
    else:
        samples = content if isinstance(content, list) else content.get("samples", [content])
        found = _by_sample([each for each in samples if isinstance(each, dict)], path)
    labels, several = one_person_each(label for label in found if isinstance(label, Label))
    nobody = [each for each in found if isinstance(each, Problem)]
    return Labels(tuple(labels), tuple(several), tuple(nobody), format="FiftyOne")


def _by_name(
    labels: Mapping[str, Any], classes: Sequence[str] | None, file: str
) -> list[Label | Problem]:
    found: list[Label | Problem] = []
    for name, value in labels.items():
        texts = [_one(each, classes) for each in (value if isinstance(value, list) else [value])]
        place = f"{file}, {name}"
        found += [Label(place, name, text) for text in dict.fromkeys(filter(None, texts))]
        found += [] if any(texts) else [Problem(place, "names nobody")]
    return found


def _one(value: Any, classes: Sequence[str] | None) -> str:
    """Return whom one label of a file names: an index of the classes, a text, or an object."""
    if isinstance(value, dict):
        identity = _carried(value)
        label = _one(value.get("label"), classes)
        return identity or ("" if words.is_class(label) else label)
    is_index = isinstance(value, int) and not isinstance(value, bool)
    if is_index and classes is not None and 0 <= value < len(classes):
        return str(classes[value])
    return as_text(value)


def _by_sample(samples: Sequence[Mapping[str, Any]], path: Path) -> list[Label | Problem]:
    field = _field(samples, path)
    found: list[Label | Problem] = []
    for number, sample in enumerate(samples, start=1):
        image, place = as_text(sample.get("filepath")), f"{path.name}, sample {number}"
        texts = _in_field(sample.get(field)) if field else []
        if not image:
            found.append(Problem(place, "has no filepath"))
        else:
            found += [Label(place, image, text) for text in dict.fromkeys(texts)]
            found += [] if texts else [Problem(place, "names nobody")]
    return found


def _field(samples: Sequence[Mapping[str, Any]], path: Path) -> str:
    """Choose the field that says who a sample shows."""
    fields = Counter(n for s in samples for n, value in s.items() if value is not None)
    named = pick((name for name in fields if name != "filepath"), "pid")
    if named is not None:
        return named
    kinds = {
        name: {str(s[name].get("_cls", "")) for s in samples if isinstance(s.get(name), dict)}
        for name in fields
    }
    carried = [
        n for n in kinds if _DETECTIONS in kinds[n] and any(_in_field(s.get(n)) for s in samples)
    ]
    classified = [name for name, found in kinds.items() if found & set(_CLASSIFICATIONS)]
    choices = carried or classified
    if len(choices) > 1:
        raise DatasetError(
            f"{str(path)!r} has several fields that may say who is who: {', '.join(choices)}. Call "
            "the right one identity (dataset.rename_sample_field) and export it again."
        )
    return choices[0] if choices else ""


def _in_field(value: Any) -> list[str]:
    """Return whom the value of a field names."""
    if not isinstance(value, dict):
        text = as_text(value)
        return [text] if text else []
    inner = value.get("detections", value.get("classifications"))
    if isinstance(inner, list):
        return [text for each in inner for text in _in_field(each)]
    carried = _carried(value)
    label = as_text(value.get("label"))
    return [carried] if carried else [] if words.is_class(label) or not label else [label]


def _carried(value: Mapping[str, Any]) -> str:
    """Return the identity that a label has beside its class: an attribute, or `index`."""
    attributes = value.get("attributes")
    own = {name: each for name, each in value.items() if name not in _OWN}
    if isinstance(attributes, dict):  # old versions wrap each in an object
        plain = {n: a.get("value") if isinstance(a, dict) else a for n, a in attributes.items()}
        own |= plain
    index = as_text(own.pop("index", ""))
    return identity_in(own) or (index if re.fullmatch(r"\d+", index) else "")
