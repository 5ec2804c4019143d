"""Holds docs/types.md against MySQL, DuckDB and pyarrow: types and values.

In:  the lake's folder, the document, the sources' settings (JSON: name, then key and value).
Out: one JSON object: cases by name, values that differ, types that differ, columns that the
     document does not have or has twice, rows of it that no column is for.
Never: a verdict. The caller says how much must have been compared.
"""

import argparse
import collections
import json
import os
import pathlib
import sys

import duckdb
import pyarrow
import pyarrow.parquet
import pymysql

from type_values import DEFAULTS, expression, read, sent

DATABASE = "types"
START, END = "<!-- MySQL: begin -->", "<!-- MySQL: end -->"


def main():
    """Compare everything and say what was seen."""
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument("lake", type=pathlib.Path)
    top.add_argument("--count", action="store_true", help="only say how many rows are visible")
    top.add_argument("--doc", type=pathlib.Path)
    top.add_argument("--sources", type=json.loads)
    args = top.parse_args()
    if args.count:
        files = args.lake.rglob("*.parquet")
        print(sum(pyarrow.parquet.read_metadata(file).num_rows for file in files))
        return
    rules = [Rule(line) for line in documented(args.doc)]
    seen = Seen(rules)
    for table, columns in tables().items():
        says = mysql_rows(table, columns)
        for source, settings in args.sources.items():
            compare(args.lake / f"{source}.{DATABASE}.{table}", table, columns, says, source, settings, seen)
    json.dump(seen.to_json(), sys.stdout)
    print()


class Rule:
    """A row of the document: a type, the settings it is for, and how both readers see it."""

    def __init__(self, line):
        cells = [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
        self.type, settings, _, self.duckdb, self.pyarrow = (cell.replace("\\,", ",") for cell in cells)
        self.line, self.used = line.strip(), 0
        pairs = (pair.split("=") for pair in settings.split() if pair != "any")
        self.settings = [(key, value.split("/")) for key, value in pairs]

    def is_for(self, column, settings):
        """Whether it speaks of this column of a source with these settings."""
        setting = {**DEFAULTS, **settings}
        fits = all(setting[key] in values for key, values in self.settings)
        return fits and self.type.lower() == column["type"].lower()


class Seen:
    """What was compared."""

    def __init__(self, rules):
        self.rules = rules
        self.cases = collections.Counter()
        self.values, self.types, self.unruly = [], [], []

    def to_json(self):
        """The numbers, and the first of each kind of trouble."""
        return {
            "cases": self.cases.total(),
            "by_source": self.by(0),
            "rules": len(self.rules),
            "unused": [rule.line for rule in self.rules if not rule.used],
            "values": self.values[:40],
            "values_count": len(self.values),
            "types": self.types[:60],
            "unruly": self.unruly[:60],
        }

    def by(self, part):
        """Cases by one part of their name."""
        counts = collections.Counter()
        for name, count in self.cases.items():
            counts[name[part]] += count
        return counts


def documented(doc):
    """The rows of the document's table for MySQL."""
    text = doc.read_text()
    table = text[text.index(START) : text.index(END)]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return lines[2:]


def connect():
    """A connection to the source, in UTC."""
    connection = pymysql.connect(
        host=os.environ["MYSQL_HOST"],
        port=int(os.environ["MYSQL_PORT"]),
        user=os.environ["MYSQL_USER"],
        password=os.environ["MYSQL_PASSWORD"],
        charset="utf8mb4",
        init_command="SET time_zone = '+00:00'",
    )
    return connection


def tables():
    """All tables with their columns, in order."""
    sql = """SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION"""
    found = {}
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql, [DATABASE])
        for table, name, kind, full, nullable in cursor.fetchall():
            column = {"name": name, "kind": kind, "type": full, "nullable": nullable == "YES"}
            if name != "id":
                found.setdefault(table, []).append(column)
    return found


def mysql_rows(table, columns):
    """What MySQL says of each value, by id."""
    fields = ", ".join(expression(column) for column in columns)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {fields} FROM {DATABASE}.{table}")
        return {row[0]: row[1:] for row in cursor.fetchall()}


def compare(folder, table, columns, says, source, settings, seen):
    """One table as one source sent it."""
    files = sorted(str(path) for path in folder.rglob("*.parquet"))
    if not files:
        return
    names = [column["name"] for column in columns]
    arrow = pyarrow.concat_tables(
        [pyarrow.parquet.ParquetFile(name).read(columns=["id", "_op", *names]) for name in files],
        promote_options="permissive",
    )
    snapshot = {row["id"] for row in arrow.select(["id", "_op"]).to_pylist() if row["_op"] == "r"}
    by_arrow = rows(columns, arrow.to_pylist())
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute(f"CREATE VIEW lake AS SELECT * FROM read_parquet({files!r}, union_by_name = true)")
    described = {name: kind for name, kind, *_ in duck.execute("DESCRIBE lake").fetchall()}
    fields = ", ".join(duck_expression(name, described[name]) for name in names)
    found = duck.execute(f"SELECT id, {fields} FROM lake").fetchall()
    by_duck = rows(columns, [dict(zip(["id", *names], row)) for row in found])
    for column in columns:
        name = column["name"]
        fitting = [rule for rule in seen.rules if rule.is_for(column, settings)]
        types = (described[name], str(arrow.schema.field(name).type))
        if len(fitting) != 1:
            seen.unruly.append(f"{len(fitting)} for {column['type']} from {source}: {types}")
        for rule in fitting:
            rule.used += 1
            if (rule.duckdb, rule.pyarrow) != types:
                seen.types.append(f"{column['type']} from {source}: {types}, not {rule.line}")
    for key, row in says.items():
        if key not in by_arrow and key not in by_duck:
            continue  # Counted by the caller: an errant record.
        for at, column in enumerate(columns):
            expected = sent(column, settings, key in snapshot, row[at])
            readers = {"duckdb": by_duck[key][at], "pyarrow": by_arrow[key][at]}
            seen.cases[source, table, column["name"]] += 1
            if any(value != expected for value in readers.values()):
                case = {"source": source, "column": f"{table}.{column['name']}", "id": key}
                shown = {"mysql": row[at], "expected": expected, **readers}
                seen.values.append(case | {k: v if v is None else v[:100] for k, v in shown.items()})


def rows(columns, found):
    """The values of rows in the one form, by id."""
    result = {}
    for row in found:
        if row["id"] in result:
            raise SystemExit(f"row {row['id']} is there twice")
        result[row["id"]] = [read(column, row[column["name"]]) for column in columns]
    return result


def duck_expression(name, kind):
    """DuckDB's own text, where its types have more than Python's say."""
    texts = ("DATE", "TIME", "TIMESTAMP", "DECIMAL")
    return f'CAST("{name}" AS VARCHAR)' if kind.startswith(texts) else f'"{name}"'


if __name__ == "__main__":
    main()
