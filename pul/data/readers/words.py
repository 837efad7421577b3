"""What the name of a folder means, in the languages and by the recorders that people use."""

import re
import unicodedata
from datetime import date
from typing import Literal

from pul.records import Split

SplitWord = Literal["train", "query", "gallery", "validation", "pooled"]

_SPLITS: tuple[tuple[SplitWord, str], ...] = (  # the first that fits: `test_probe` is a query
    ("pooled", "gt"),
    (
        "query",
        r"quer(y|ies)\w*|probes?|anfragen?|consultas?|requetes?|zapros\w*|запрос\w*|проб[аы]|"
        r"查询\w*|查詢\w*|クエリ|쿼리|sorgu|occluded|запит\w*|dotaz\w*|zapytani\w*|lekerdezes|"
        r"interogar\w*|forespørgs\w*|fraga|kysely|zoekvraag|zoekopdracht\w*|ερωτημα\w*|استعلام|"
        r"שאילתה|truy|क्वेरी|ค้นหา|qry|kueri|interogare",
    ),
    (
        "train",
        r"train\w*|trn|entrenamiento|entrainement|apprentissage|addestramento|treino|treinamento|"
        r"обуч\w*|трен\w*|训练\w*|訓練\w*|学習\w*|학습\w*|훈련\w*|egitim|trening\w*|uczenie|traning|træning\w*|"
        r"opplæring|навч\w*|trenov\w*|treningov\w*|antren\w*|tanito|tanulo|koulutus|opetus|opleiding|"
        r"ucz\w*|latih\w*|pelatihan|huan|εκπαιδευση\w*|تدريب|אימון|प्रशिक्षण|ฝึก",
    ),
    (
        "gallery",
        r"galler(y|ies)\w*|test|tests|testing|testset|testdata|galerie|galeria|galleria|galeri|"
        r"pruebas?|prova|teste|тест\w*|галере\w*|测试\w*|測試\w*|图库|画廊|テスト\w*|ギャラリー|"
        r"테스트\w*|갤러리|whole|teszt\w*|testov\w*|testi|uji|pengujian|galerij|galleri|galerija|"
        r"gal|testow\w*|testare|galeria\w*|δοκιμη|τεστ|اختبار|מבחן|בדיקה|kiem|परीक्षण|ทดสอบ",
    ),
    (
        "validation",
        r"val|valid|validation\w*|validierung|validacion|validacao|validazione|dev|eval|"
        r"провер\w*|валид\w*|验证\w*|驗證\w*|検証\w*|검증\w*|dogrulama",
    ),
)
_CAMERA = re.compile(
    r"cams?|cameras?|kameras?|camaras?|telecamera|kam|ipc|ipcam|webcam|cctv|nvr|dvr|ch|chan|"
    r"channel|kanal|canal|canale|views?|ansicht|vue|vista|sensor|камера|кам|канал|摄像头|摄像机|"
    r"攝影機|相机|通道|カメラ|카메라|채널|kanali|kamery|καμερα|كاميرا|מצלמה|कैमरा|กล้อง|camer"
)
_MODALITY = re.compile(r"rgb|visible|vis|color|colour|infrared|ir|nir|lwir|swir|thermal|depth|fir")
_PLACE = re.compile(
    r"entrances?|exits?|entry|lobby|gates?|hall|hallway|corridor|parking|carpark|garage|doors?|"
    r"lift|elevator|stairs?|staircase|stairwell|reception|office|street|roof|yard|courtyard|dock|"
    r"warehouse|cashier|checkout|till|shop|store|platform|escalator|canteen|kitchen|lounge|foyer|"
    r"north|south|east|west|front|back|rear|left|right|side|indoor|outdoor|inside|outside|"
    r"eingang|ausgang|flur|parkplatz|tor|tur|tuer|halle|treppe|aufzug|kasse|hof|buro|buero|lager|"
    r"strasse|rampe|empfang|nord|sud|sued|ost|keller|einfahrt|ausfahrt|vorne|hinten|"
    r"entree|sortie|couloir|porte|escalier|ascenseur|caisse|accueil|rue|quai|bureau|cour|ouest|est|"
    r"entrada|salida|pasillo|aparcamiento|estacionamiento|puerta|escalera|ascensor|caja|recepcion|"
    r"calle|almacen|patio|vestibulo|norte|sur|este|oeste|saida|corredor|estacionamento|"
    r"ingresso|uscita|corridoio|parcheggio|porta|scale|ascensore|cassa|cortile|"
    r"ingang|uitgang|gang|parkeerplaats|deur|wejscie|wyjscie|korytarz|"
    r"giris|cikis|вход|выход|коридор|парковка|лифт|лестница|двор|ворота|холл|"
    r"入口|出口|大厅|大廳|走廊|停车场|停車場|大门|门口|电梯|廊下|駐車場|玄関|입구|출구|복도|주차장"
)
_SIDE = re.compile(
    r"left|right|front|back|rear|frontal|links|rechts|vorne|hinten|linke|rechte|gauche|droite?|avant|"
    r"arriere|izquierd[ao]|derech[ao]|frente|atras|sinistr[ao]|destr[ao]|esquerd[ao]|direit[ao]|"
    r"lev[aoyý]|prav[aoyý]|лев\w+|прав\w+|左|右|左侧|右侧|左側|右側|왼쪽|오른쪽"
)
_OF_SIDE = frozenset(
    {"side", "flank", "view", "seite", "flanke", "flanc", "flanco", "lado", "lato"}
)
_PERSON = re.compile(
    r"persons?|pers|personne|personnes|personen|persona|personas|pessoa|people|pid|ids?|identity|"
    r"identities|identitaet|identite|identidad|subjects?|subj|individuals?|individu|ind|human|uid|"
    r"player|pedestrian|ped|vehicle|veh|animal|челов\w*|персона|лицо|人|人物|行人|人员|사람|kisi|"
    r"osoba|persoon|ατομο|προσωπο|شخص|אדם|איש|व्यक्ति|คน|บุคคล|nguoi|особа|людина|person[ae]|orang|szemely|"
    r"henkilo|osob[ay]|persoana"
)
_TRACKLET = re.compile(r"tracks?|tracklets?|tid|trk|trajectory|spur|piste|трек|轨迹|軌跡|トラック")
_RECORDING = re.compile(
    r"seq|seqs|sequences?|sequenz|secuencia|videos?|vid|clips?|recordings?|rec|aufnahme|scenes?|"
    r"scen|session|episode|file|hour|shot|видео|запись|视频|影片|录像|序列|動画|영상"
)
_PLURALS = (
    ("tracklet", re.compile(r"(track|tracklet|trajectorie|tid|trk)s|spuren|pistes|треки")),
    ("camera", re.compile(r"(cam|camera|kamera|camara|channel)s|kameras|cameras|камеры|каналы")),
    (
        "person",
        re.compile(
            r"(id|pid|identitie|subject|individual|individuo|individu)s|identitaeten|individuen|"
            r"identites|identidades|identita|личности"
        ),
    ),
)
_DAY = re.compile(r"days?|tag|jour|dia|giorno|date|день|天|日")
_CONTAINER = re.compile(
    r"images?|imgs?|pics?|pictures?|photos?|jpe?gs?|pngs?|crops?|cropped|data|dataset|frames?|"
    r"detections?|bilder|fotos?|imagenes|immagini|bbox|boxes|output|outputs|runs?|predict|"
    r"изображения|фото|图片|圖片|图像|画像|写真|이미지"
)
_CLASSES = frozenset(
    # Of COCO and of common detectors of people and vehicles.
    """person persons pedestrian pedestrians people face head body bicycle bike cyclist rider car
    motorcycle motorbike airplane bus train truck van boat trailer tram scooter vehicle bird cat dog
    horse sheep cow elephant bear zebra giraffe backpack umbrella handbag bag tie suitcase frisbee
    skis snowboard kite skateboard surfboard bottle cup fork knife spoon bowl banana apple sandwich
    orange broccoli carrot pizza donut cake chair couch bed toilet tv laptop mouse remote keyboard
    microwave oven toaster sink refrigerator book clock vase scissors toothbrush plate
    helmet""".split()  # noqa: SIM905
) | {
    *("cell phone", "potted plant", "dining table", "teddy bear", "hair drier", "wine glass"),
    *("hot dog", "sports ball", "baseball bat", "baseball glove", "tennis racket", "traffic light"),
    *("fire hydrant", "stop sign", "parking meter", "license plate"),
}
PEOPLE_CLASSES = frozenset(
    {"person", "persons", "pedestrian", "pedestrians", "people", "body", "cyclist", "rider"}
)
_NOBODY = re.compile(
    r"|unknowns?|unk|unbekannt|inconnus?|desconocid[oa]s?|desconhecid[oa]s?|sconosciut[oi]|"
    r"onbekend|nieznan[ey]|неизвестн\w*|未知|不明|알수없음|bilinmeyen|"
    r"none|null|nil|nan|na|n a|nobody|"
    r"no id|noid|unidentified|unlabell?ed|unassigned|undefined|others?|andere|sonstige|autres?|"
    r"otr[oa]s?|altr[aeio]|outr[oa]s|проч\w*|друг(ие|ое)|разн(ое|ые)|остальн\w*|其他|其它|其余|其餘|杂项|"
    r"雜項|その他|기타|misc|miscellaneous|rest|various|varios?|vari[ae]?|sonstiges|verschiedene[sn]?|"
    r"diverse?[nrs]?|divers|overige?|ovrig[ta]?|ovrige|annet|andet|muut|inn[ei]|pozostal[ei]|ostatni|"
    r"egyeb|diger(leri)?|lainnya|khac|αλλα|أخرى|غير معروف|לא ידוע|אחר|"
    r"background|bg|noise|false positives?|fp|unsure|unclear|trash|reject(ed)?|ignored?"
)
_JUNK = re.compile(r"junk|00-1|-1")
_DISTRACTORS = re.compile(r"distractors?")
_IP_ADDRESS = re.compile(r"\d{1,3}([._-])\d{1,3}\1\d{1,3}\1\d{1,3}(?!\d)", re.ASCII)
_YEAR_FIRST = re.compile(r"((?:19|20)\d\d)[-_. ]?(\d\d)[-_. ]?(\d\d)(?!\d{1,3}$)", re.ASCII)
_DAY_FIRST = re.compile(r"(\d\d)[-_. ](\d\d)[-_. ]((?:19|20)\d\d)", re.ASCII)
# 2024年5月3日; 2024-5-3; 3.5.2024; 2024-05; 3 May 2024, May 3rd, 03-Mai-2024
_YEAR_SIGN = re.compile(
    r"((?:19|20)\d\d)\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?", re.A
)
_LOOSE_YEAR_FIRST = re.compile(r"((?:19|20)\d\d)[-_./ ](\d{1,2})[-_./ ](\d{1,2})(?!\d)", re.ASCII)
_LOOSE_DAY_FIRST = re.compile(r"(\d{1,2})[-_./ ](\d{1,2})[-_./ ]((?:19|20)\d\d)(?!\d)", re.ASCII)
_MONTH_OF_YEAR = re.compile(r"(?:19|20)\d\d[-_.](?:0[1-9]|1[0-2])", re.ASCII)
_MONTH = re.compile(
    r"jan(uary|uar|vier|eiro)?|ene(ro)?|gen(naio)?|feb(ruary|ruar|braio|rero)?|fev(rier|ereiro)?|"
    r"mar(ch|s|zo|co)?|marz|maerz|apr(il|ile)?|abr(il)?|avr(il)?|may|mai|mayo|maggio|maio|mei|"
    r"jun(e|i|io|ho)?|juin|giugno|jul(y|i|io|ho)?|juil(let)?|luglio|aug(ust)?|ago(sto)?|aout|"
    r"sep(t|tember|tiembre|tembre)?|set(tembre|embro)?|o[ck]t(ober|obre|ubre)?|out(ubro)?|"
    r"ottobre|nov(ember|embre|iembre|embro)?|de[cz](ember|embre|embro)?|dic(iembre|embre)?|"
    r"января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
)
_LONGEST_SHORT = 4  # letters of `sept`
_WEEKDAY = re.compile(
    r"(mon|tues|wednes|thurs|fri|satur|sun)day|(mon|diens|donners|frei|sams|sonn)tag|mittwoch|"
    r"sonnabend|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miercoles|jueves|"
    r"viernes|sabado|domingo|lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica|"
    r"(segunda|terca|quarta|quinta|sexta)feira|понедельник|вторник|среда|четверг|пятница|суббота|"
    r"воскресенье|(星期|周)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일"
)
_CLOCK = re.compile(
    r"([01]?\d|2[0-3])h([0-5]\d)?|([01]\d|2[0-3])[-_:]([0-5]\d)([-_:][0-5]\d)?", re.A
)


# Marks that are part of a word and that \w leaves out: of Hebrew, Arabic, Devanagari and Thai.
_MARKS = "\u0591-\u05c7\u064b-\u0655\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_TOKEN = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*|\d+")
_EPOCH = re.compile(r"1\d{9}(\d{3})?", re.ASCII)  # seconds or milliseconds, of 2001 to 2033
_YEAR = re.compile(r"(?:19|20)\d\d", re.ASCII)


def fold(name: str) -> str:
    """Return a name in lower case, Latin and Greek without accents: `Caméra` is `camera`.

    Elsewhere a mark makes another letter: й is no и, and ギ no キ.
    """
    split_words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)  # TrainSet
    bare, has_accents = "", False
    for sign in unicodedata.normalize("NFKD", split_words):
        if not unicodedata.combining(sign):
            has_accents = unicodedata.name(sign, "").startswith(("LATIN", "GREEK"))
            bare += sign
        elif not has_accents:
            bare += sign
    return unicodedata.normalize("NFC", bare).lower().replace("ß", "ss").strip()


def tokens(name: str) -> list[str]:
    """Return the words and numbers of a name: `bounding_box_train` is bounding, box and train."""
    return _TOKEN.findall(fold(name))


def split_word(name: str, *, validates: bool = True) -> SplitWord | None:
    """Return which split a folder is named after; None where it is named after none.

    `val-set-query` is validation, as people train on it where there are others to ask for;
    otherwise `validates=False` says what it is.
    """
    words = [word for word in tokens(name) if not word.isdigit()]
    for split, pattern in _SPLITS:
        if any(re.fullmatch(pattern, word) for word in words):
            is_of_validation = split in ("query", "gallery") and _is_of_validation(words)
            return "validation" if validates and is_of_validation else split
    return None


def _is_of_validation(words: list[str]) -> bool:
    pattern = dict(_SPLITS)["validation"]
    return not {"eval", "test"} & set(words) and any(re.fullmatch(pattern, word) for word in words)


def to_split(word: SplitWord) -> Split:
    """Return the split that images of a folder go to; validation people are there to train."""
    return word if word in ("query", "gallery") else "train"


def is_camera(name: str) -> bool:
    """Whether a folder is named as a camera, a channel of a recorder or a place."""
    words = tokens(name)
    if _IP_ADDRESS.search(name) or re.fullmatch(r"[cd]0*\d{1,3}", fold(name)):
        return True
    return any(_CAMERA.fullmatch(word) or _PLACE.fullmatch(word) for word in words)


def is_side(name: str) -> bool:
    """Whether a folder is named as a side of what it shows: `left`, `right flank`."""
    words = [word for word in tokens(name) if word not in _OF_SIDE]
    return len(words) == 1 and _SIDE.fullmatch(words[0]) is not None


def is_modality(name: str) -> bool:
    """Whether a folder is named as a kind of sensor."""
    return any(_MODALITY.fullmatch(word) for word in tokens(name))


def is_numbered_person(name: str) -> bool:
    """Whether a folder is named as a person with a number: `person_0001`, `ID12`."""
    words = tokens(name)
    return any(word.isdigit() for word in words) and any(_PERSON.fullmatch(word) for word in words)


def is_person_and_number(name: str) -> bool:
    """Whether a name is nothing but a word for a person and a number: `person_0001`."""
    words = tokens(name)
    return len(words) == 2 and bool(_PERSON.fullmatch(words[0])) and words[1].isdigit()


def is_tracklet(name: str) -> bool:
    """Whether a folder is named as a tracklet."""
    return any(_TRACKLET.fullmatch(word) for word in tokens(name))


def is_recording(name: str) -> bool:
    """Whether a folder is named as a recording, which may show many people."""
    return any(_RECORDING.fullmatch(word) for word in tokens(name))


def is_date(name: str) -> bool:
    """Whether a folder is named as a day, a month, a time of day or a moment."""
    words = tokens(name)
    if _EPOCH.fullmatch(name):
        return True
    if _CLOCK.fullmatch(fold(name)) or (len(words) == 2 and _DAY.fullmatch(words[0])):
        return True
    if _WEEKDAY.fullmatch("".join(words)) or _MONTH_OF_YEAR.fullmatch(name):
        return True
    return _is_day(*_day_of(name)) or _names_a_day(words)


def has_date(name: str) -> bool:
    """Whether a name has a day in it, as a recorder writes it: `IPC01_20240503`."""
    starts = (found.start() for found in re.finditer(r"(?<!\d)\d", name, re.ASCII))
    return is_date(name) or any(_is_day(*_day_of(name[start:])) for start in starts)


def is_year(name: str) -> bool:
    """Whether a folder may be a year: 1900 to 2099."""
    return _YEAR.fullmatch(name) is not None


def is_month_number(name: str) -> bool:
    """Whether a folder may be a month: 1 to 12, or 01 to 12."""
    return re.fullmatch(r"0?[1-9]|1[0-2]", name, re.ASCII) is not None


def is_day_number(name: str) -> bool:
    """Whether a folder may be a day of a month: 1 to 31, or 01 to 31."""
    return re.fullmatch(r"0?[1-9]|[12]\d|3[01]", name, re.ASCII) is not None


def is_clock_number(name: str) -> bool:
    """Whether a folder may be an hour: 00 to 23, as recorders number them."""
    return re.fullmatch(r"[01]\d|2[0-3]", name, re.ASCII) is not None


def _day_of(name: str) -> tuple[str, ...]:
    """Return year, month and day that a name begins with; () for none."""
    plain = unicodedata.normalize("NFKC", name).strip()
    for pattern in (_YEAR_FIRST, _YEAR_SIGN, _LOOSE_YEAR_FIRST):
        if found := pattern.match(plain):
            return found.groups()
    for pattern in (_DAY_FIRST, _LOOSE_DAY_FIRST):
        if found := pattern.match(plain):
            return found.groups()[::-1]
    return ()


def _is_day(year: str = "", month: str = "", day: str = "") -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _names_a_day(words: list[str]) -> bool:
    """Whether words are a day and a month by its name; a short one (`set1`) with a year alone."""
    left = [word for word in words if word not in ("st", "nd", "rd", "th", "de", "of")]
    numbers = [int(word) for word in left if word.isdigit()]
    months = [word for word in left if _MONTH.fullmatch(word)]
    if len(months) != 1 or len(numbers) + 1 != len(left):
        return False
    days = [number for number in numbers if 1 <= number <= 31]
    years = [number for number in numbers if 1900 <= number <= 2099]
    is_clear = len(years) == 1 or len(months[0]) > _LONGEST_SHORT
    return is_clear and len(days) <= 1 and len(numbers) == len(days) + len(years) > 0


def holds(name: str) -> str:
    """Return what a folder says that it holds: `tracks` tracklets, `ids` people, `cameras`."""
    if any(word.isdigit() for word in tokens(name)):
        return ""
    plain = "".join(tokens(name))
    return next((role for role, pattern in _PLURALS if pattern.fullmatch(plain)), "")


def is_container(name: str) -> bool:
    """Whether a folder is named as one that merely holds images."""
    words = [word for word in tokens(name) if not word.isdigit()]
    return bool(words) and all(_CONTAINER.fullmatch(word) for word in words)


def is_class(name: str) -> bool:
    """Whether a folder is named as a class of a detector: `person`, `backpack`."""
    return " ".join(tokens(name)) in _CLASSES


def is_nobody(name: str) -> bool:
    """Whether the name of a person means that nobody knows who it is: `unknown`, `other`, -2."""
    if re.fullmatch(r"-\d+", name.strip()) and not is_junk(name):
        return True
    plain = " ".join(re.findall(r"[^\W_]+", fold(name)))
    return _NOBODY.fullmatch(plain) is not None


def is_junk(name: str) -> bool:
    """Whether the name of a person means an image of no use: `junk`, -1."""
    return _JUNK.fullmatch(fold(name)) is not None


def is_distractor(name: str) -> bool:
    """Whether the name of a person means people who are nobody's match."""
    return _DISTRACTORS.fullmatch(fold(name)) is not None
