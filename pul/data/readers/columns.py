"""What the columns of a table, or the fields of an annotation, are called in this field."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from pul.data.readers import words
from pul.data.readers.listing import suffix_reason
from pul.data.readers.table_files import Table

Kind = Literal[
    "path",
    "pid",
    "camid",
    "split",
    "tracklet",
    "frame",
    "date",
    "video",
    "bbox",
    "orientation",
    "role",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Without case, accents and signs between words; the best first.
_NAMES: dict[Kind, str] = {
    "path": """path imgpath imagepath filepath fullpath relativepath relpath absolutepath
            abspath imagefilepath croppath cropfile filename imagefilename imgfilename imagename
            imgname file imagefile imgfile image img crop photo picture uri url imageurl src source
            pfad dateipfad bildpfad datei dateiname bild bildname chemin fichier nomfichier ruta
            archivo imagen caminho arquivo imagem percorso immagine sciezka plik obraz путь файл
            изображение 路径 文件 文件名 图片 图像 パス ファイル ファイル名 画像 경로 파일
            이미지""",
    "pid": """pid personid identity identityid identityname personname person reid reidid
            subjectid subject individualid individual individualname vehicleid vehicle globalid gid
            gtid trueid animalid animal playerid player pedestrianid identidad identite identitat
            individuum individuo individu tier tierid animale fahrzeug fahrzeugid vehiculo vehicule
            veicolo licenseplate numberplate kennzeichen особь животное 个体 動物 個体 개체
            personennummer personne persona pessoa osoba человек личность 身份 人员 人物 人物id
            사람 人物番号""",
    "camid": """camid cameraid cam camera camno camnr camnumber cameranumber camidx cameraidx
            cameraname camname channel channelid kamera kameraid kameranummer camara camaraid
            cameranr telecamera камера канал 摄像头 相机 摄像机 通道 カメラ 카메라""",
    "split": """split subset set partition datasplit splitname phase aufteilung particion
            sousensemble teilmenge conjunto subconjunto jeu partizione sottoinsieme podzbior
            выборка 划分 数据集划分 分割 분할""",
    "tracklet": """tracklet trackletid track trackid trackno trackno tracknr tracknumber spur
            spurid piste trayectoria traccia трек 轨迹 軌跡 トラック 트랙""",
    "frame": """frame frameid frameno framenr framenumber frameindex frameidx framenum bildnummer
            fotograma trame кадр 帧 フレーム 프레임""",
    "date": "date day datum fecha jour data giorno дата 日期",
    "video": "video videoid videoname clip clipid recording session sequence sequenceid seq",
    "bbox": "bbox box boundingbox bboxxywh bboxxyxy boxxywh boxxyxy",
    "orientation": """side orientation viewpoint view flank position seite flanke ausrichtung lado
            flanco orientacion cote flanc lato orientamento strona сторона 侧面 方向 側 방향""",
    "role": "role",
}
# Names that mean people in one table and something else in the next: the values decide.
_PERHAPS_PID = ("id", "name", "label", "class", "target")


def plain(name: str) -> str:
    """Return a name without case, accents, blanks and signs: `Img_Path` is `imgpath`."""
    return "".join(re.findall(r"[^\W_]+", words.fold(name)))


def find_columns(table: Table) -> tuple[dict[Kind, str], tuple[str, ...]]:
    """Tell what each column of a table means, by its name, and where need be by its values.

    Returns:
        The column of each kind that there is, and remarks for people.
    """
    found = {kind: name for kind in KINDS if (name := pick(table.columns, kind)) is not None}
    by_plain = {plain(name): name for name in table.columns}
    notes: list[str] = []
    if "path" not in found and "name" in by_plain and _are_files(_values(table, by_plain["name"])):
        found["path"] = by_plain["name"]
    if "pid" not in found:
        for perhaps in (by_plain[name] for name in _PERHAPS_PID if name in by_plain):
            reason = _why_no_people(perhaps, _values(table, perhaps))
            if perhaps not in found.values() and not reason:
                found["pid"] = perhaps
                break
            if perhaps not in found.values():
                notes.append(
                    f"The column {perhaps!r} is not taken for people: {reason}. If it names "
                    "people, call it pid."
                )
    return found, (*_meaning_notes(table, found), *notes)


def pick(names: Iterable[str], kind: Kind) -> str | None:
    """Return which of some names is the best of a kind; None where none is."""
    by_plain = {plain(name): name for name in names}
    return next((by_plain[name] for name in _NAMES[kind].split() if name in by_plain), None)


def identity_in(fields: Mapping[str, object]) -> str:
    """Return what the fields of an annotation say of the person; "" where they say nothing.

    A field of identities goes before one of tracks, in which -1 is no track; both go before `id` or
    `name`, which many things have.
    """
    said = {name: text for name, value in fields.items() if (text := as_text(value))}
    identity = pick(said, "pid")
    if identity is not None:
        return said[identity]
    by_plain = {plain(name): text for name, text in said.items()}
    track = pick(said, "tracklet")
    number = by_plain.get("instanceid", "") if track is None else said[track]
    if number:
        return "" if number == "-1" else number
    return by_plain.get("id") or by_plain.get("name") or ""


def as_text(value: object) -> str:
    """Return a number or a text as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value).strip()


def _values(table: Table, column: str) -> list[str]:
    return [row.cells[column] for row in table.rows if row.cells[column]]


def _are_files(values: list[str]) -> bool:
    return bool(values) and all(suffix_reason(value) is None for value in values)


def _why_no_people(column: str, values: list[str]) -> str:
    if not values:
        return "it is empty"
    if _are_files(values):
        return "it names files"
    if plain(column) == "id" and len(set(values)) == len(values):
        return "each of its values is there once, so that it numbers the rows"
    if all(map(words.is_class, set(values))):
        return f"{values[0]!r} is a class of things"
    return ""


def _meaning_notes(table: Table, found: Mapping[Kind, str]) -> list[str]:
    other = [f"{kind} from {name!r}" for kind, name in found.items() if plain(name) != kind]
    unused = [name for name in table.columns if name not in found.values()]
    if not other:
        return []
    left = f" Not used: {', '.join(unused)}." if unused else ""
    return [f"Columns: {', '.join(other)}.{left} Rename a column to choose another."]
