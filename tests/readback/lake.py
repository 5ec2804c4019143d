"""Reads the lake with code that is not ours, and holds it against Kafka and MySQL.

In:  a table (s3://bucket/path by S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, or a folder).
Out: one JSON object on standard output; exit code 1 when the table cannot be read.
Never: a verdict. The caller says how much must have been compared.
"""

import argparse
import collections
import datetime
import decimal
import io
import itertools
import json
import os
import pathlib
import sys
import tempfile

import duckdb
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import pymysql

import kafka_tool

META = ("_topic", "_partition", "_offset")

# Lines do not say the types of their columns. Those of the table come by --types.
META_TYPES = {
    "_event_time": "TIMESTAMPTZ",
    "_source_ts": "TIMESTAMPTZ",
    "_partition": "INTEGER",
    "_offset": "BIGINT",
    "_server_id": "BIGINT",
    "_binlog_seq": "BIGINT",
    "_binlog_pos": "BIGINT",
    "_binlog_row": "BIGINT",
}
# DuckDB's readers of lines, by the ends of names. Of CSV all is text at first, and what is quoted
# is no null.
LINES = {
    (".json", ".json.gz", ".json.zst"): "read_json('{}', format = 'newline_delimited')",
    (".csv", ".csv.gz", ".csv.zst"): "read_csv('{}', header = true, all_varchar = true, "
    "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false)",
}


def main():
    """Parse the command line and run one sub-command."""
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument("table")
    top.add_argument("--types", default="", help="of a table of lines: COLUMN=TYPE;…, DuckDB's")
    subs = top.add_subparsers(dest="command", required=True)
    kafka = subs.add_parser("kafka", help=compare_kafka.__doc__.splitlines()[0])
    kafka.add_argument("--bootstrap", required=True)
    kafka.add_argument("--topics", required=True, help="comma separated")
    kafka.set_defaults(run=compare_kafka)
    mysql = subs.add_parser("mysql", help=compare_mysql.__doc__.splitlines()[0])
    mysql.add_argument("--topic", required=True)
    mysql.add_argument("--source", required=True, help="database.table")
    mysql.set_defaults(run=compare_mysql)
    query = subs.add_parser("query", help=run_query.__doc__.splitlines()[0])
    query.add_argument("sql", help="DuckDB's; the table is `lake`")
    query.set_defaults(run=run_query)
    head = subs.add_parser("head", help=first_lines.__doc__.splitlines()[0])
    head.add_argument("count", type=int)
    head.set_defaults(run=first_lines)
    args = top.parse_args()
    META_TYPES.update(pair.split("=") for pair in args.types.split(";") if pair)
    json.dump(args.run(args), sys.stdout, default=plain)
    print()


def compare_kafka(args):
    """Full outer join of the lake's positions with those of records that become rows."""
    rows = collections.Counter()
    for _, table in files(args.table, list(META)):
        rows.update(zip(*(table.column(name).to_pylist() for name in META)))
    expected, tombstones = set(), 0
    for topic in args.topics.split(","):
        for record in kafka_tool.read(args.bootstrap, [topic]):
            position = (topic, record["partition"], record["offset"])
            if record.get("value") is None and record.get("value_base64") is None:
                tombstones += 1
            else:
                expected.add(position)
    missing = sorted(expected - rows.keys())
    return {
        "files": len(names(args.table)),
        "rows": sum(rows.values()),
        "records": len(expected) + tombstones,
        "tombstones": tombstones,
        "compared": len(expected & rows.keys()),
        "missing": len(missing),
        "missing_first": missing[:10],
        "unknown": sorted(rows.keys() - expected)[:10],
        "duplicates": sum(n - 1 for n in rows.values()),
        "duplicate_first": sorted(position for position, n in rows.items() if n > 1)[:10],
    }


# The last change of each key, by the order of the binlog; deleted rows are gone.
CURRENT = """
SELECT * EXCLUDE (nth, filename) FROM (
  SELECT *, row_number() OVER (PARTITION BY id
    ORDER BY _binlog_seq DESC, _binlog_pos DESC, _binlog_row DESC, _offset DESC) AS nth
  FROM lake WHERE _topic = ?)
WHERE nth = 1 AND _op <> 'd' ORDER BY id
"""


def compare_mysql(args):
    """The table's state from its changes against MySQL's, by primary key, value by value."""
    with pymysql.connect(
        host=os.environ["MYSQL_HOST"],
        port=int(os.environ["MYSQL_PORT"]),
        user=os.environ["MYSQL_USER"],
        password=os.environ["MYSQL_PASSWORD"],
        charset="utf8mb4",
    ) as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"SELECT * FROM {args.source} ORDER BY id")
        source = {row["id"]: row for row in cursor.fetchall()}
    lake = {row["id"]: row for row in rows_of(args.table, CURRENT, [args.topic])}
    wrong = []
    for key in sorted(source.keys() | lake.keys()):
        here, there = source.get(key), lake.get(key)
        if here is None or there is None:
            wrong.append({"id": key, "mysql": here is not None, "lake": there is not None})
            continue
        for name, value in here.items():
            if comparable(value) != comparable(there[name]):
                wrong.append({"id": key, "column": name, "mysql": value, "lake": there[name]})
    types = {}
    for row in list(lake.values())[:1]:
        types = {name: type(row[name]).__name__ for name in row if not name.startswith("_")}
    return {"compared": len(source.keys() & lake.keys()), "wrong": len(wrong), "wrong_first": wrong[:10], "types": types}


def run_query(args):
    """Rows of a query over the lake."""
    return rows_of(args.table, args.sql, [])


def first_lines(args):
    """The first lines of the first file of lines, uncompressed."""
    system, _ = place(args.table)
    with system.open_input_stream(names(args.table)[0]) as source:
        text = io.TextIOWrapper(source, encoding="utf-8", newline="\n")
        return [line.rstrip("\r\n") for line in itertools.islice(text, args.count)]


def comparable(value):
    """Instants without zone are UTC here; equal decimals have one exact text."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value


def rows_of(table, sql, parameters):
    """Runs DuckDB over the files, read by pyarrow: the DuckDB wheel brings no S3 of its own.

    As in DuckDB's own reader, a column `filename` says where a row lies.
    """
    tables = [
        part.append_column("filename", pyarrow.repeat(name, part.num_rows))
        for name, part in files(table, None)
    ]
    if not tables:
        return []
    lake = pyarrow.concat_tables(tables, promote_options="permissive")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("lake", lake)
    result = connection.execute(sql, parameters)
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row)) for row in result.fetchall()]


def place(table):
    """The file system and the path of a table."""
    if not table.startswith("s3://"):
        return pyarrow.fs.LocalFileSystem(), table.removeprefix("file://")
    scheme, _, endpoint = os.environ["S3_ENDPOINT"].partition("://")
    system = pyarrow.fs.S3FileSystem(
        access_key=os.environ["S3_ACCESS_KEY_ID"],
        secret_key=os.environ["S3_SECRET_ACCESS_KEY"],
        endpoint_override=endpoint,
        scheme=scheme,
        region="us-east-1",
    )
    return system, table.removeprefix("s3://")


def names(table):
    """Every file of the table; one that is no data file is nothing a table may hold."""
    system, path = place(table)
    found = system.get_file_info(pyarrow.fs.FileSelector(path, recursive=True, allow_not_found=True))
    all_names = sorted(info.path for info in found if info.type == pyarrow.fs.FileType.File)
    ends = (".parquet", *(end for ends in LINES for end in ends))
    strangers = [name for name in all_names if not name.endswith(ends)]
    if strangers:
        raise SystemExit(f"not a data file, yet visible in the table: {strangers[:5]}")
    return all_names


def files(table, columns):
    """Name and content of every visible file."""
    system, _ = place(table)
    for name in names(table):
        # Not `read_table`: it would take folder names for columns.
        with system.open_input_file(name) as source:
            if name.endswith(".parquet"):
                yield name, pyarrow.parquet.ParquetFile(source).read(columns=columns)
            else:
                yield name, lines(name, source.read(), columns)


def lines(name, content, columns):
    """A file of lines, its columns cast to their types."""
    end, reader = next((e, reader) for ends, reader in LINES.items() for e in ends if name.endswith(e))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file" + end)
        path.write_bytes(content)
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE file AS SELECT * FROM {reader.format(path)}")
        names_there = [column[0] for column in connection.execute("DESCRIBE file").fetchall()]
        kinds = {column: META_TYPES.get(column) for column in columns or names_there}
        chosen = ", ".join(
            f'CAST("{column}" AS {kind}) AS "{column}"' if kind else f'"{column}"'
            for column, kind in kinds.items()
        )
        return connection.sql(f"SELECT {chosen} FROM file").to_arrow_table()


def plain(value):
    """What JSON does not know."""
    return str(value)


if __name__ == "__main__":
    main()
