"""Labels as CVAT's XML 1.1: images with boxes or tags whose attributes say who they show."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pul.data.decoding import decode
from pul.data.readers import words
from pul.data.readers.columns import identity_in
from pul.errors import DatasetError
from pul.exchange.labels import Label, Labels, as_role, one_person_each
from pul.exchange.mot import label_tracks
from pul.exchange.snapshot import Person, Shot, Snapshot

_LABEL, _JUNK = "person", "junk"
_ATTRIBUTES = ("identity", "track_id", "role")
_SHAPES = ("box", "tag", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")


def write_cvat(snapshot: Snapshot, path: Path) -> None:
    """Write CVAT for images 1.1: a box around each whole image, with who it shows as attributes.

    Names of files count from the folder that all images of the workspace have in common. Junk is an
    image with the tag `junk`; unsure images are left out.

    Raises:
        ImageError: An image cannot be decoded, so that its size is not known.
    """
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    shots: list[tuple[Shot, Person | None]] = []
    for known in snapshot.people:
        shots += [(shot, known) for shot in known.shots]
    shots += [(shot, None) for shot in snapshot.junk]
    _write_meta(SubElement(root, "meta"), snapshot.workspace, len(shots))
    for number, (shot, person) in enumerate(shots):
        width, height = decode(shot.path).size
        size = {"width": str(width), "height": str(height)}
        name = _printable(snapshot.name_of(shot))
        image = SubElement(root, "image", {"id": str(number), "name": name, **size})
        if person is None:
            SubElement(image, "tag", {"label": _JUNK, "source": "manual"})
        else:
            _write_box(image, person, width, height)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def read_cvat_labels(path: Path) -> Labels:
    """Read labels from CVAT's XML: for images, or for video.

    Of an image, the attributes of its boxes, other shapes and tags say who it shows, or their label
    where it is no class of things. A track of a video is one person.

    Raises:
        DatasetError: It is not CVAT's XML.
    """
    root = _parse(path)
    if root.tag != "annotations":
        raise DatasetError(
            f"{str(path)!r} is XML, but none of CVAT: it begins with <{root.tag}>. Right: what "
            "CVAT exports as 'CVAT for images 1.1' or 'CVAT for video 1.1'."
        )
    if root.find("track") is not None:
        return label_tracks(path, "CVAT for video")
    labels, several = one_person_each(_labels(root, path.name))
    return Labels(tuple(labels), tuple(several), format="CVAT for images")


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree, and refuses what no file of CVAT has."""

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        """Refuse a DOCTYPE: entities can blow a small file up."""
        raise DatasetError(
            f"The XML declares a document type ({name}), as no file of CVAT does. Export it again."
        )


def _parse(path: Path) -> Element:
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        root: Element = ElementTree.parse(path, parser).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        raise DatasetError(
            f"{str(path)!r} cannot be read as XML: {error}. Export it again."
        ) from error
    return root


def _labels(root: Element, file: str) -> Iterator[Label]:
    for image in root.iter("image"):
        name = image.get("name", "")
        shapes = [shape for shape in image if shape.tag in _SHAPES]
        for number, shape in enumerate(shapes, start=1):
            place = f"{file}, image {image.get('id', '?')}, {shape.tag} {number}"
            label = shape.get("label", "")
            said = {each.get("name", ""): (each.text or "").strip() for each in shape}
            if words.is_junk(label):
                yield Label(place, name, "", "junk")
                continue
            identity = identity_in(said)
            if not identity and not words.is_class(label):
                identity = label
            role = as_role(next((v for k, v in said.items() if k.strip().lower() == "role"), ""))
            yield Label(place, name, identity, role if identity else None)


def _write_meta(meta: Element, name: str, n_images: int) -> None:
    task = SubElement(meta, "task")
    for key, text in (("name", name), ("size", str(n_images)), ("mode", "annotation")):
        SubElement(task, key).text = _printable(text)
    labels = SubElement(task, "labels")
    for label, attributes in ((_LABEL, _ATTRIBUTES), (_JUNK, ())):
        each = SubElement(labels, "label")
        SubElement(each, "name").text = label
        SubElement(each, "type").text = "any"
        listed = SubElement(each, "attributes")
        for attribute in attributes:
            described = SubElement(listed, "attribute")
            SubElement(described, "name").text = attribute
            SubElement(described, "mutable").text = "False"
            SubElement(described, "input_type").text = "text"
            SubElement(described, "default_value").text = ""
            SubElement(described, "values").text = ""


def _write_box(image: Element, person: Person, width: int, height: int) -> None:
    corners = {"xtl": 0, "ytl": 0, "xbr": width, "ybr": height}
    edges = {name: f"{edge:.2f}" for name, edge in corners.items()}
    kind = {"label": _LABEL, "source": "manual", "occluded": "0", "z_order": "0"}
    box = SubElement(image, "box", {**kind, **edges})
    for name, text in zip(_ATTRIBUTES, (person.name, str(person.number), person.role), strict=True):
        SubElement(box, "attribute", {"name": name}).text = _printable(text)


def _printable(text: str) -> str:
    """Leave out signs that XML cannot hold."""
    return "".join(
        sign if sign in "\t\n\r" or 0x20 <= ord(sign) < 0xD800 or 0xE000 <= ord(sign) < 0xFFFE
        or ord(sign) > 0xFFFF else "\ufffd"
        for sign in text
    )  # fmt: skip
