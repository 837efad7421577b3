# ruff: noqa: E501 - programs as text
"""What `benchmarks.label_tools` runs in the environment of the other tools, one program each.

A program gets on its standard input where our exports are, a folder to write to, and the images of
each person; its last line of output is JSON: whom it read in our exports, as pairs of image and
person, and the files it wrote.
"""

_BEGIN = """
import json, sys
from pathlib import Path
told = json.load(sys.stdin)
out, folder, people = Path(told["out"]), Path(told["folder"]), told["people"]
exports, images = out / "exports", out / "images"
shown = {image: name for name, listed in people.items() for image in listed}
numbers = {name: number for number, name in enumerate(people, start=1)}
read, written = {}, []
def listed(sequence):
    import csv
    with (exports / "mot" / sequence / "frames.csv").open(encoding="utf-8-sig", newline="") as file:
        return {int(row["frame"]): row["path"] for row in csv.DictReader(file)}
"""
_END = """
print(json.dumps({"read": read, "written": written}))
"""

_PYCOCOTOOLS = """
from pycocotools.coco import COCO
coco = COCO(str(exports / "coco.json"))
read["coco"] = [[coco.loadImgs([a["image_id"]])[0]["file_name"], a["track_id"]]
                for a in coco.loadAnns(coco.getAnnIds())]
result = coco.loadRes([{"image_id": a["image_id"], "category_id": 1, "bbox": a["bbox"], "score": 1.0,
                        "track_id": a["track_id"]} for a in coco.dataset["annotations"]])
(folder / "results.json").write_text(json.dumps(result.dataset))
written.append("results.json")
"""

_MOTMETRICS = """
import motmetrics
pairs = []
for truth in sorted((exports / "mot").glob("*/gt/gt.txt")):
    frames = listed(truth.parent.parent.name)
    if truth.stat().st_size:
        rows = motmetrics.io.loadtxt(str(truth), fmt="mot16", min_confidence=1)
        assert (rows[["X", "Y"]] == 0).all().all()  # a whole image begins at its edge
        pairs += [[frames[frame], track] for frame, track in rows.index]
read["mot"] = pairs
"""

_DATUMARO = """
import shutil
import datumaro as dm
from datumaro.components.annotation import Bbox
def load(source, format, key):
    data = dm.Dataset.import_from(str(source), format)
    return data, [[item.id, a.attributes[key]] for item in data
                  for a in item.annotations if key in a.attributes]
for format, file, images_in in (("coco_instances", "annotations/instances_default.json", "images/default"),
                                ("cvat", "annotations.xml", "images")):
    place = folder / "ours" / format
    (place / file).parent.mkdir(parents=True)
    shutil.copy(exports / ("coco.json" if file.endswith("json") else "cvat.xml"), place / file)
    shutil.copytree(images, place / images_in)
    data, read[format] = load(place, format, "identity")
    data.export(str(folder / format), format, save_media=False)
    written.append(format)
market = dm.Dataset.import_from(str(exports / "market1501"), "market1501")
by_number = {}
for item in market:
    by_number.setdefault(item.attributes["person_id"], []).append(item.id)
assert sorted(len(ids) for person, ids in by_number.items() if int(person) > 0) == sorted(
    map(len, people.values()))
pairs = []
for sequence in sorted((exports / "mot").iterdir()):
    frames = listed(sequence.name)
    _, tracks = load(sequence, "mot_seq", "track_id")
    pairs += [[frames[int(frame)], track] for frame, track in tracks]
read["mot"] = pairs
items = [dm.DatasetItem(id=str(Path(image).relative_to(images).with_suffix("")),
                        media=dm.Image.from_file(path=image),
                        annotations=[Bbox(0, 0, 9, 9, label=0,
                                          attributes={"track_id": numbers[name], "identity": name})])
         for image, name in shown.items()]
mine = dm.Dataset.from_iterable(items, categories=["person"])
for format in ("coco_instances", "cvat"):
    options = {"allow_undeclared_attrs": True} if format == "cvat" else {}
    mine.export(str(folder / f"new-{format}"), format, save_media=False, **options)
    written.append(f"new-{format}")
frames = [dm.DatasetItem(id=str(number), attributes={"frame": number}, media=dm.Image.from_file(path=image),
                         annotations=[Bbox(0, 0, 9, 9, label=0, attributes={"track_id": numbers[name]})])
          for image, name in shown.items() for number in [int(Path(image).stem.split("_")[1])]]
dm.Dataset.from_iterable(frames, categories=["person"]).export(str(folder / "mot"), "mot_seq_gt", save_media=False)
written.append("mot")
"""

_LABEL_STUDIO = '''
CONFIG = """<View><Image name="image" value="$image"/>
<TextArea name="identity" toName="image" maxSubmissions="1"/>
<Choices name="role" toName="image"><Choice value="training"/><Choice value="validation"/>
<Choice value="junk"/><Choice value="unsure"/></Choices></View>"""
from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface
interface = LabelInterface(CONFIG)
tasks = json.loads((exports / "label-studio.json").read_text(encoding="utf-8"))
assert all(interface.validate_annotation(a) for task in tasks for a in task["annotations"])
converter = Converter(CONFIG, str(folder), download_resources=False)
converter.convert_to_json_min(str(exports / "label-studio.json"), str(folder / "min"), is_dir=False)
rows = json.loads(next((folder / "min").glob("*.json")).read_text(encoding="utf-8"))
read["label-studio"] = [[row["image"], row["identity"]] for row in rows if row.get("identity")]
converter.convert_to_csv(str(exports / "label-studio.json"), str(folder / "csv"), is_dir=False, sep=",")
written += [str(path.relative_to(folder)) for kind in ("min", "csv")
            for path in (folder / kind).iterdir()]
'''

_FIFTYONE = """
import fiftyone as fo
import fiftyone.utils.coco as coco
import fiftyone.utils.cvat as cvat
import fiftyone.utils.data as data
def collect(importer):
    found = []
    for path, _, label in importer:
        boxes = label.get("detections") if isinstance(label, dict) else label
        found += [[path, box["identity"]] for box in (boxes.detections if boxes else [])]
    return found
with coco.COCODetectionDatasetImporter(data_path=str(images), labels_path=str(exports / "coco.json"),
                                       extra_attrs=True) as importer:
    read["coco"] = collect(importer)
with cvat.CVATImageDatasetImporter(data_path=str(images),
                                   labels_path=str(exports / "cvat.xml")) as importer:
    read["cvat"] = collect(importer)
def box(name):
    return fo.Detections(detections=[fo.Detection(label="person", bounding_box=[0, 0, 1, 1],
                                                  track_id=numbers[name])])
exporters = {
    "classes.json": (data.FiftyOneImageClassificationDatasetExporter, {},
                     lambda name: fo.Classification(label=name)),
    "boxes.json": (data.FiftyOneImageDetectionDatasetExporter, {}, box),
    "coco.json": (coco.COCODetectionDatasetExporter, {"extra_attrs": True}, box),
    "cvat.xml": (cvat.CVATImageDatasetExporter, {}, box),
}
for file, (exporter, options, label) in exporters.items():
    with exporter(labels_path=str(folder / file), export_media=False, **options) as opened:
        for image, name in shown.items():
            opened.export_sample(image, label(name), metadata=fo.ImageMetadata.build_for(image))
    written.append(file)
samples = [fo.Sample(filepath=image, identity=fo.Classification(label=name)) for image, name in shown.items()]
(folder / "samples.json").write_text(json.dumps({"samples": [s.to_dict() for s in samples]}))
samples = [fo.Sample(filepath=image, found=box(name)) for image, name in shown.items()]
(folder / "boxed.json").write_text(json.dumps([s.to_dict() for s in samples]))
written += ["samples.json", "boxed.json"]
"""

PROGRAMS = {
    name: _BEGIN + program + _END
    for name, program in {
        "pycocotools": _PYCOCOTOOLS,
        "motmetrics": _MOTMETRICS,
        "datumaro": _DATUMARO,
        "label-studio": _LABEL_STUDIO,
        "fiftyone": _FIFTYONE,
    }.items()
}
