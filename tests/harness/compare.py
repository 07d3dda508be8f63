# SPDX-License-Identifier: Apache-2.0
"""Compare tables of SQL Server with tables of PostgreSQL, row by row and column by column."""
import dataclasses
import datetime
import decimal


@dataclasses.dataclass
class Difference:
    table: str
    source_rows: int = 0
    target_rows: int = 0
    marked_deleted: int = 0
    wrongly_deleted: int = 0  # marked deleted in the target, alive in the source
    differing: int = 0
    examples: list = dataclasses.field(default_factory=list)

    def add(self, key, source, target):
        self.differing += 1
        if len(self.examples) < 5:
            self.examples.append(f"{self.table} {key}: source {source}, target {target}")


def plain(value):
    """Both drivers' values in one form."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.timezone.utc)
    return value


def rows_by_key(cursor, keys):
    names = [d[0] for d in cursor.description]
    at = [names.index(k) for k in keys]
    return {tuple(plain(row[i]) for i in at): tuple(plain(v) for v in row) for row in cursor}


def compare(source, target, table, columns, keys=("id",), source_table=None, deleted_column="__deleted"):
    """source: pyodbc connection; target: psycopg2 connection. All rows are read; meant for tests and the demo."""
    result = Difference(table)
    listed = ", ".join(columns)
    s = source.cursor()
    s.execute(f"SELECT {listed} FROM {source_table or 'dbo.' + table}")
    left = rows_by_key(s, keys)
    with target.cursor() as t:
        t.execute("SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
                  (table, deleted_column))
        soft = t.fetchone() is not None
        quoted = ", ".join(f'"{c}"' for c in columns)
        t.execute(f'SELECT {quoted} FROM "{table}"' + (f" WHERE {deleted_column} IS DISTINCT FROM 'true'" if soft else ""))
        right = rows_by_key(t, keys)
        if soft:
            t.execute(f'SELECT {", ".join(keys)} FROM "{table}" WHERE {deleted_column} = %s', ("true",))
            gone = {tuple(plain(v) for v in row) for row in t}
            result.marked_deleted = len(gone)
            result.wrongly_deleted = len(gone & left.keys())
    result.source_rows, result.target_rows = len(left), len(right)
    for key in left.keys() | right.keys():
        if left.get(key) != right.get(key):
            result.add(key, left.get(key), right.get(key))
    return result
