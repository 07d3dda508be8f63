# SPDX-License-Identifier: Apache-2.0
"""A column of every type, with the ends of its range as literals and as every client should read them."""
from dataclasses import dataclass, field


@dataclass
class Column:
    name: str
    type: str  # as declared
    low: tuple  # literal, text
    high: tuple
    facets: dict = field(default_factory=dict)  # what a typed parameter needs beside its value

    @property
    def kind(self):
        return self.type.split("(")[0]


def same(literal):
    return literal, literal


LONG_TEXT = "Grüße, мир, 世界 😀! " * 500

COLUMNS = [
    Column("c_bit", "bit", same("0"), same("1")),
    Column("c_tinyint", "tinyint", same("0"), same("255")),
    Column("c_smallint", "smallint", same("-32768"), same("32767")),
    Column("c_int", "int", same("-2147483648"), same("2147483647")),
    Column("c_bigint", "bigint", same("-9223372036854775808"), same("9223372036854775807")),
    Column("c_real", "real", ("-1.5E0", "-1.5"), ("3.25E20", "3.25e+20")),
    Column("c_float", "float", ("-1.7976931348623157E308", "-1.7976931348623157e+308"),
           ("2.2250738585072014E-308", "2.2250738585072014e-308")),
    Column("c_decimal", "decimal(10,2)", same("-99999999.99"), same("99999999.99"), {"precision": 10, "scale": 2}),
    Column("c_numeric", "numeric(38,0)", same("-99999999999999999999999999999999999999"),
           same("99999999999999999999999999999999999999"), {"precision": 38, "scale": 0}),
    Column("c_small_decimal", "decimal(38,38)", same("0.00000000000000000000000000000000000001"),
           same("0.99999999999999999999999999999999999999"), {"precision": 38, "scale": 38}),
    Column("c_smallmoney", "smallmoney", same("-214748.3648"), same("214748.3647")),
    Column("c_money", "money", same("-922337203685477.5808"), same("922337203685477.5807")),
    Column("c_char", "char(5)", ("''", "     "), ("'héllo'", "héllo")),
    Column("c_varchar", "varchar(10)", ("''", ""), ("'10 € ‰ ÿ'", "10 € ‰ ÿ")),
    Column("c_varchar_max", "varchar(max)", ("''", ""), (f"REPLICATE(CAST('x' AS varchar(max)), 20000)", "x" * 20000)),
    Column("c_text", "text", ("''", ""), ("'old text é'", "old text é")),
    Column("c_nchar", "nchar(4)", ("N''", "    "), ("N'世界😀'", "世界😀")),
    Column("c_nvarchar", "nvarchar(20)", ("N''", ""), ("N'мир 世界 😀'", "мир 世界 😀")),
    Column("c_nvarchar_max", "nvarchar(max)", ("N''", ""), (f"N'{LONG_TEXT}'", LONG_TEXT)),
    Column("c_ntext", "ntext", ("N''", ""), ("N'old мир'", "old мир")),
    Column("c_binary", "binary(4)", ("0x", "00000000"), ("0xDEADBEEF", "DEADBEEF")),
    Column("c_varbinary", "varbinary(8)", ("0x", ""), ("0x00FF00FF00FF00FF", "00FF00FF00FF00FF")),
    Column("c_varbinary_max", "varbinary(max)", ("0x", ""), ("0x" + "0123456789ABCDEF" * 1200, "0123456789ABCDEF" * 1200)),
    Column("c_image", "image", ("0x", ""), ("0xFFEEDD", "FFEEDD")),
    Column("c_guid", "uniqueidentifier", ("'00000000-0000-0000-0000-000000000000'",
                                          "00000000-0000-0000-0000-000000000000"),
           ("'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6F9619FF-8B86-D011-B42D-00C04FC964FF")),
    Column("c_date", "date", ("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")),
    Column("c_time0", "time(0)", ("'00:00:00'", "00:00:00"), ("'23:59:59'", "23:59:59"), {"scale": 0}),
    Column("c_time3", "time(3)", ("'00:00:00.001'", "00:00:00.001"), ("'23:59:59.999'", "23:59:59.999"), {"scale": 3}),
    Column("c_time7", "time(7)", ("'00:00:00.0000001'", "00:00:00.0000001"),
           ("'23:59:59.9999999'", "23:59:59.9999999"), {"scale": 7}),
    Column("c_datetime2_0", "datetime2(0)", ("'0001-01-01T00:00:00'", "0001-01-01T00:00:00"),
           ("'9999-12-31T23:59:59'", "9999-12-31T23:59:59"), {"scale": 0}),
    Column("c_datetime2_3", "datetime2(3)", ("'1969-12-31T23:59:59.999'", "1969-12-31T23:59:59.999"),
           ("'9999-12-31T23:59:59.999'", "9999-12-31T23:59:59.999"), {"scale": 3}),
    Column("c_datetime2_7", "datetime2(7)", ("'0001-01-01T00:00:00.0000001'", "0001-01-01T00:00:00.0000001"),
           ("'9999-12-31T23:59:59.9999999'", "9999-12-31T23:59:59.9999999"), {"scale": 7}),
    Column("c_offset", "datetimeoffset(7)", ("'0001-01-02T00:00:00.0000001 +14:00'", "0001-01-02T00:00:00.0000001+14:00"),
           ("'9999-12-30T23:59:59.1234567 -14:00'", "9999-12-30T23:59:59.1234567-14:00"), {"scale": 7}),
    Column("c_datetime", "datetime", ("'1753-01-01T00:00:00'", "1753-01-01T00:00:00"),
           ("'9999-12-31T23:59:59.997'", "9999-12-31T23:59:59.997")),
    Column("c_smalldatetime", "smalldatetime", ("'1900-01-01T00:00:00'", "1900-01-01T00:00:00"),
           ("'2079-06-06T23:59:00'", "2079-06-06T23:59:00")),
    Column("c_xml", "xml", ("'<a/>'", "<a/>"), ("N'<a b=\"1\">мир</a>'", "<a b=\"1\">мир</a>")),
]


def column_list():
    return ", ".join(c.name for c in COLUMNS)


def table(name, key="id int NOT NULL PRIMARY KEY"):
    body = ",\n  ".join(f"{c.name} {c.type} NULL" for c in COLUMNS)
    return f"CREATE TABLE {name} (\n  {key},\n  {body})"
