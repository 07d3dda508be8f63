# SPDX-License-Identifier: Apache-2.0
"""What a client's language cannot say; docs/differences.md tells it to people. Nothing else may differ between clients."""
import re
import struct
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Traits:
    digits: int = 7  # of a second that its times keep
    exact_decimals: bool = True
    keeps_offset: bool = True  # a datetimeoffset keeps its zone, else only the instant
    cannot_write: dict = field(default_factory=dict)  # columns whose ends its parameters cannot carry, and why


PYODBC = {"c_offset": "pyodbc drops the zone of a datetime that it sends",
          "c_time3": "pyodbc sends times in whole seconds", "c_time7": "the same"}

TRAITS = {
    "msodbcsql": Traits(digits=6, cannot_write=PYODBC),
    "freetds-odbc": Traits(digits=6, cannot_write={
        **PYODBC, **{c: "it sends 0001-01-01 as day -1" for c in ("c_date", "c_datetime2_0", "c_datetime2_7")}}),
    "pymssql": Traits(digits=6, cannot_write={"c_datetime2_7": "it writes datetimes as text of three digits"}),
    "pytds": Traits(digits=6),
    "tedious": Traits(digits=7, exact_decimals=False, keeps_offset=False, cannot_write={
        "c_numeric": "a number of JavaScript has 53 bits, and it refuses larger ones",
        "c_small_decimal": "the same", "c_money": "the same"}),
    "jdbc": Traits(cannot_write={"c_offset": "its calendar is Julian before 1582 when it writes an OffsetDateTime"}),
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
    if kind == "real":
        return struct.pack("f", float(got)) == struct.pack("f", float(expected))
    if kind == "float":
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
