"""Names that files may have on Linux: any bytes but / and zero, at most 255 of them."""

import os

ODD_NAMES = (
    os.fsdecode(b"caf\xe9.png"),  # Latin-1
    os.fsdecode(b"\xff\xfe\x80.png"),  # nothing
    os.fsdecode("写真".encode("shift_jis") + b".png"),
    "two\nlines.png",
    "bell\a and red\x1b[31m.png",
    "tab\tquote\"'`$(id).png",
    "😀👩\u200d👩\u200d👧.png",
    "right to left \u202egnp.png",
    "x" * 251 + ".png",
    "写" * 83 + ".png",
    "-rf.png",
    "--help.png",
    " space before.png",
    "space at the end .png",
    "=1+1.png",
    "file:x.png",
    "root:y.png",
    "%41%zz.png",
    "[b]<i>&amp;.png",
    "a|b;c,d.png",
    "e\u0301.png",  # equal to the next one after NFC
    "\u00e9.png",
    "Same.PNG",  # equal to the next one after case folding
    "same.png",
)
