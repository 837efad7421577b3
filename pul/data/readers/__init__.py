"""One module for each family of dataset layouts."""

from pul.data.readers.cuhk03 import CUHK03_MAT
from pul.data.readers.folders import FOLDERS
from pul.data.readers.market import CUHK03, DUKE, MARKET
from pul.data.readers.msmt17 import MSMT17
from pul.data.readers.reading import Reader
from pul.data.readers.table import TABLE
from pul.data.readers.viper import VIPER

# In the order in which they are tried. Layouts with names of their own are looked for at lower
# levels too before a folder is read by its levels, which fits nearly anything.
NAMED_LAYOUTS: tuple[Reader, ...] = (CUHK03_MAT, CUHK03, MSMT17, DUKE, MARKET, VIPER, TABLE)
LOOSE_LAYOUT: Reader = FOLDERS
