# SPDX-License-Identifier: Apache-2.0
"""The Python clients: pyodbc over Microsoft's driver or FreeTDS's, pymssql, python-tds. See README.md for the job."""
import datetime
import decimal
import json
import re
import sys
import uuid


BINARIES = ("binary", "varbinary", "image")


def to_text(value):
    """A native value in the job's form."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex().upper()
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return str(value)


def to_native(client, param):
    """A job's parameter as this language's own type."""
    kind, text = param["type"], param["value"]
    if text is None:
        return client.null(kind) if hasattr(client, "null") else None
    if kind == "bit":
        return text == "1"
    if kind in ("tinyint", "smallint", "int", "bigint"):
        return int(text)
    if kind in ("real", "float"):
        return float(text)
    if kind in ("decimal", "numeric", "money", "smallmoney"):
        return decimal.Decimal(text)
    if kind in BINARIES:
        return bytes.fromhex(text)
    if kind == "uniqueidentifier":
        return uuid.UUID(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind == "time":
        return datetime.time.fromisoformat(six_digits(text))
    if kind in ("datetime", "smalldatetime", "datetime2", "datetimeoffset"):
        return datetime.datetime.fromisoformat(six_digits(text))
    return text


def six_digits(text):
    return re.sub(r"\.(\d{1,7})", lambda m: "." + m.group(1)[:6].ljust(6, "0"), text)


class Odbc:
    mark = "?"

    def __init__(self, job, password):
        import pyodbc
        pyodbc.pooling = False
        self.error = pyodbc.Error
        if job["driver"] == "msodbcsql":
            text = (f"Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:{job['host']},{job['port']};"
                    f"Encrypt={'yes' if job['encrypt'] else 'no'};TrustServerCertificate=yes;ConnectRetryCount=0")
        else:
            text = (f"Driver={{FreeTDS}};Server={job['host']};Port={job['port']};TDS_Version=7.4;ClientCharset=UTF-8;"
                    f"Encryption={'require' if job['encrypt'] else 'off'}")
        self.connection = pyodbc.connect(f"{text};UID={job['user']};PWD={password};Database=master", autocommit=True,
                                         timeout=20)
        self.connection.add_output_converter(-155, offset_value)
        self.connection.add_output_converter(-151, bytes)  # SQL_SS_UDT, which pyodbc leaves to its users

    def number(self, error):
        found = re.search(r"\((\d+)\) \(SQL", str(error))
        return int(found.group(1)) if found else str(error)

    def begin(self):
        self.connection.autocommit = False

    def end(self, how):
        getattr(self.connection, how)()
        self.connection.autocommit = True

    def execute(self, cursor, sql, params):
        cursor.execute(sql, *params)

    def null(self, kind):
        import pyodbc
        return pyodbc.BinaryNull if kind in BINARIES else None


def offset_value(raw):
    """SQL_SS_TIMESTAMPOFFSET: year, month, day, hour, minute, second, nanoseconds, zone hour, zone minute."""
    import struct
    year, month, day, hour, minute, second, ns, zh, zm = struct.unpack("<6hI2h", raw)
    zone = datetime.timezone(datetime.timedelta(hours=zh, minutes=zm))
    return datetime.datetime(year, month, day, hour, minute, second, ns // 1000, zone)


class Pymssql:
    mark = "%s"

    def __init__(self, job, password):
        import pymssql
        self.error = pymssql.Error
        self.connection = pymssql.connect(
            server=job["host"], port=str(job["port"]), user=job["user"], password=password, database="master",
            tds_version="7.4", charset="UTF-8", autocommit=True, login_timeout=20,
            encryption="require" if job["encrypt"] else "off")

    def number(self, error):
        argument = error.args[0]
        return argument[0] if isinstance(argument, tuple) else argument

    def begin(self):
        self.connection.autocommit(False)

    def end(self, how):
        getattr(self.connection, how)()
        self.connection.autocommit(True)

    def execute(self, cursor, sql, params):
        params = tuple(bytearray(p) if isinstance(p, bytes) else p for p in params)  # bytes would be a text literal
        cursor.execute(sql, params or None)


class Pytds:
    mark = "%s"

    def __init__(self, job, password):
        import pytds
        self.error = pytds.Error
        self.connection = pytds.connect(
            dsn=job["host"], port=job["port"], user=job["user"], password=password, database="master",
            autocommit=True, login_timeout=20, cafile=job["cert"] if job["encrypt"] else None, validate_host=False,
            use_tz=None)

    def number(self, error):
        return error.number if hasattr(error, "number") else int(re.search(r"\d+", str(error)).group())

    def begin(self):
        self.connection.autocommit = False

    def end(self, how):
        getattr(self.connection, how)()
        self.connection.autocommit = True

    def execute(self, cursor, sql, params):
        import pytds
        params = tuple(pytds.Binary(p) if isinstance(p, bytes) else p for p in params)
        cursor.execute(sql, params) if params else cursor.execute(sql)


DRIVERS = {"msodbcsql": Odbc, "freetds-odbc": Odbc, "pymssql": Pymssql, "pytds": Pytds}


class Player:
    def __init__(self, job):
        self.job = job
        self.client = DRIVERS[job["driver"]](job, job["password"])
        self.cursor = self.client.connection.cursor()

    def run(self, sql, params=()):
        """Every result set of a statement; an error ends them."""
        results = []
        try:
            self.client.execute(self.cursor, sql, params)
            while True:
                if self.cursor.description:
                    results.append({"columns": [d[0] for d in self.cursor.description],
                                    "rows": [[to_text(v) for v in row] for row in self.cursor.fetchall()]})
                if not self.cursor.nextset():
                    return {"results": results}
        except self.client.error as error:
            return {"results": results, "error": self.client.number(error)}

    def place_marks(self, sql, n):
        for i in range(n):
            sql = sql.replace("{%d}" % i, self.client.mark)
        return sql

    def batch(self, step):
        return self.run(step["sql"])

    def query(self, step):
        return self.run(self.place_marks(step["sql"], len(step["params"])), [to_native(self.client, p) for p in step["params"]])

    def prepared(self, step):
        sql = self.place_marks(step["sql"], len(step["runs"][0]))
        return {"runs": [self.run(sql, [to_native(self.client, p) for p in run])["results"] for run in step["runs"]]}

    def begin(self, _):
        self.client.begin()
        return {}

    def commit(self, _):
        self.client.end("commit")
        return {}

    def rollback(self, _):
        self.client.end("rollback")
        return {}

    def cancelled(self, step):
        """Give up after a second: an attention goes to the server."""
        self.client.connection.timeout = 1  # of cursors made from now on
        self.cursor = self.client.connection.cursor()
        line = self.run(step["sql"])
        self.client.connection.timeout = 0
        self.cursor = self.client.connection.cursor()
        return {"cancelled": "error" in line}

    def wrong_password(self, _):
        try:
            DRIVERS[self.job["driver"]](self.job, "not the password")
        except self.client.error as error:
            return {"error": self.client.number(error)}
        return {"error": None}


def main():
    job = json.load(sys.stdin)
    player = Player(job)
    for step in job["steps"]:
        print(json.dumps(getattr(player, step["op"])(step)), flush=True)


if __name__ == "__main__":
    main()
