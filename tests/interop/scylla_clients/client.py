# SPDX-License-Identifier: Apache-2.0
"""The Python clients: cassandra-driver (Debian's or PyPI's) and scylla-driver. See README.md for the job."""
import datetime
import decimal
import ipaddress
import json
import ssl
import sys
import uuid

from cassandra import ConsistencyLevel, OperationTimedOut, util
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, EXEC_PROFILE_DEFAULT, ExecutionProfile, NoHostAvailable
from cassandra.policies import RoundRobinPolicy
from cassandra.query import BatchStatement, SimpleStatement, tuple_factory

EPOCH = datetime.datetime(1970, 1, 1)


def to_text(value):
    """A native value in the job's form."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    if isinstance(value, util.Date):
        return (EPOCH + datetime.timedelta(days=value.days_from_epoch)).strftime("%Y-%m-%d")
    if isinstance(value, util.Time):
        return f"{value.hour:02}:{value.minute:02}:{value.second:02}.{value.nanosecond:09}"
    if isinstance(value, util.Duration):
        return f"{value.months}mo{value.days}d{value.nanoseconds}ns"
    if hasattr(value, "_fields"):
        return "<" + ",".join(f"{f}={to_text(getattr(value, f))}" for f in sorted(value._fields)) + ">"
    if isinstance(value, tuple):
        return "(" + ",".join(str(to_text(v)) for v in value) + ")"
    if isinstance(value, (util.OrderedMap, dict)):
        return "{" + ",".join(sorted(f"{to_text(k)}={to_text(v)}" for k, v in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(to_text(v) for v in value) + "]"
    if isinstance(value, (util.SortedSet, set, frozenset)):
        return "[" + ",".join(sorted(to_text(v) for v in value)) + "]"
    return str(value)


def to_native(param):
    kind, text = param["type"], param["value"]
    if text is None:
        return None
    if kind in ("int", "bigint", "smallint", "tinyint", "varint"):
        return int(text)
    if kind in ("double", "float"):
        return float(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind == "boolean":
        return text == "true"
    if kind == "blob":
        return bytes.fromhex(text)
    if kind in ("uuid", "timeuuid"):
        return uuid.UUID(text)
    if kind == "timestamp":
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    if kind == "inet":
        return str(ipaddress.ip_address(text))
    if kind == "map<text,text>":
        return dict(pair.split("=") for pair in text.strip("{}").split(","))
    return text


class Client:
    def __init__(self, job):
        self.job = job
        self.cluster = self.make(job["password"])
        self.session = self.cluster.connect()

    def make(self, password):
        job = self.job
        more = {"compression": "lz4" if job["lz4"] else False}
        if job["user"]:
            more["auth_provider"] = PlainTextAuthProvider(job["user"], password)
        if job["tls"]:
            more["ssl_context"] = ssl.create_default_context(cafile=job["cert"])
            more["ssl_context"].check_hostname = False
        profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), row_factory=tuple_factory,
                                   consistency_level=ConsistencyLevel.ONE, request_timeout=20)
        return Cluster(job["hosts"][:1], port=job["port"], execution_profiles={EXEC_PROFILE_DEFAULT: profile},
                       connect_timeout=20, **more)

    def answer(self, rows):
        return {"columns": list(rows.column_names or []), "rows": [[to_text(v) for v in row] for row in rows]}

    def run(self, step):
        self.session.execute(step["cql"])
        return {}

    def query(self, step):
        return self.answer(self.session.execute(SimpleStatement(step["cql"], fetch_size=step.get("page", 5000))))

    def prepared(self, step):
        statement = self.session.prepare(step["cql"])
        return {"runs": [self.answer(self.session.execute(statement, [to_native(p) for p in params]))
                         for params in step["runs"]]}

    def batch(self, step):
        statement = BatchStatement()
        for cql in step["cqls"]:
            statement.add(SimpleStatement(cql))
        self.session.execute(statement)
        return {}

    def schema(self, step):
        self.cluster.refresh_schema_metadata()
        keyspace = self.cluster.metadata.keyspaces[step["keyspace"]]
        return {"tables": {name: {"partition": [c.name for c in table.partition_key],
                                  "clustering": [c.name for c in table.clustering_key],
                                  "columns": {n: c.cql_type.replace(" ", "") for n, c in table.columns.items()}}
                           for name, table in keyspace.tables.items()
                           if not name.endswith("_scylla_cdc_log")},
                "types": sorted(keyspace.user_types)}

    def protocol(self, step):
        return {"version": self.cluster.protocol_version}

    def hosts(self, step):
        return {"hosts": sorted(h.address for h in self.cluster.metadata.all_hosts())}

    def wrong_password(self, step):
        cluster = self.make("guess")
        try:
            cluster.connect()
        except NoHostAvailable as error:
            return {"refused": "AuthenticationFailed" in repr(error) or "incorrect" in repr(error)}
        finally:
            cluster.shutdown()
        return {"refused": False}


def code_of(error):
    """The protocol's number; drivers turn some into classes without one."""
    from cassandra import AlreadyExists, InvalidRequest, ReadTimeout, Unauthorized, Unavailable, WriteTimeout
    from cassandra.protocol import ErrorMessage, SyntaxException
    known = {SyntaxException: 0x2000, Unauthorized: 0x2100, InvalidRequest: 0x2200, AlreadyExists: 0x2400,
             ReadTimeout: 0x1200, WriteTimeout: 0x1100, Unavailable: 0x1000}
    for kind, code in known.items():
        if isinstance(error, kind):
            return code
    if isinstance(error, ErrorMessage):
        return error.code
    if isinstance(error, OperationTimedOut):
        return "timeout"
    return repr(error)


def main():
    job = json.load(sys.stdin)
    client = Client(job)
    for step in job["steps"]:
        try:
            line = getattr(client, step["op"])(step)
        except Exception as error:  # the test says what it expects
            line = {"error": code_of(error), "text": str(error)[:500]}
        print(json.dumps(line), flush=True)
    client.cluster.shutdown()


if __name__ == "__main__":
    main()
