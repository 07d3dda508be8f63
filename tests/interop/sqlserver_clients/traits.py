# SPDX-License-Identifier: Apache-2.0
"""What a client's language cannot say. Nothing else may differ between clients."""
import re
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Traits:
    digits: int = 7  # of a second that its times keep
    exact_decimals: bool = True
    keeps_offset: bool = True  # a datetimeoffset keeps its zone, else only the instant
    writes: tuple = ()  # kinds that its typed parameters cannot carry to the ends of the range, each with its reason


TRAITS = {
    "msodbcsql": Traits(digits=6),
    "freetds-odbc": Traits(digits=6),
    "pymssql": Traits(digits=6),
    "pytds": Traits(digits=6),
    "tedious": Traits(digits=7, exact_decimals=False, keeps_offset=False),
    "jdbc": Traits(),
    "go": Traits(),
}

DECIMALS = ("decimal", "numeric", "money", "smallmoney")
TIMES = ("time", "datetime", "datetime2", "smalldatetime", "datetimeoffset")


def normal_time(text, digits):
    """A time without trailing zeros, cut at what the client keeps, seconds always there."""
    head, fraction, zone = re.fullmatch(r"(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", text).groups()
    head = head.replace(" ", "T")
    if re.fullmatch(r"(.*T)?\d\d:\d\d", head):
        head += ":00"  # Java leaves seconds out that are zero
    fraction = (fraction or "")[:digits].rstrip("0")
    zone = "+00:00" if zone == "Z" else zone or ""
    return head + ("." + fraction if fraction else "") + zone


def instant(text):
    """A datetimeoffset as an instant: minutes since year 1 in UTC, and seconds."""
    head, zone = text[:-6], text[-6:]
    date, clock = head.split("T")
    year, month, day = map(int, date.split("-"))
    hour, minute, second = clock.split(":")
    shift = (int(zone[1:3]) * 60 + int(zone[4:])) * (1 if zone[0] == "+" else -1)
    y, m = (year, month) if month > 2 else (year - 1, month + 12)
    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * (m - 3) + 2) // 5 + day
    return days * 1440 + int(hour) * 60 + int(minute) - shift, Decimal(second)


def agree(kind, got, expected, traits):
    """Whether a client read what it should, as far as it can say it."""
    if got is None or expected is None:
        return got is None and expected is None
    if kind in ("real", "float"):
        return float(got) == float(expected)
    if kind in DECIMALS:
        return Decimal(got) == Decimal(expected) if traits.exact_decimals else float(got) == float(expected)
    if kind in TIMES:
        got, expected = normal_time(got, traits.digits), normal_time(expected, traits.digits)
        if kind == "datetimeoffset" and not traits.keeps_offset:
            return instant(got) == instant(expected)
        return got == expected
    if kind == "uniqueidentifier":
        return got.upper() == expected
    return got == expected
