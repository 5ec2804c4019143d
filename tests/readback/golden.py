"""Reads the JSON and CSV goldens with DuckDB and pyarrow, and holds them against values by hand.

In:  the folder of the goldens (tests/golden).
Out: one JSON object, how many values each reader gave that were compared; exit code 1 when one is
     not what it must be.
Never: a value taken from the encoder. What stands below is what the tables hold.
"""

import base64
import datetime
import decimal
import json
import math
import pathlib
import struct
import sys

import duckdb
import pyarrow
import pyarrow.csv
import pyarrow.json

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)
D = decimal.Decimal
decimal.getcontext().prec = 80

# Name, DuckDB's type, pyarrow's type. DuckDB has no decimals of more than 38 digits: their text is
# exact. Binary is base64 for both.
COLUMNS = [
    ("bool", "BOOLEAN", pyarrow.bool_()),
    ("int16", "SMALLINT", pyarrow.int16()),
    ("int32", "INTEGER", pyarrow.int32()),
    ("int64", "BIGINT", pyarrow.int64()),
    ("float32", "FLOAT", pyarrow.float32()),
    ("float64", "DOUBLE", pyarrow.float64()),
    ("decimal_7_2", "DECIMAL(7,2)", pyarrow.decimal128(7, 2)),
    ("decimal_18_18", "DECIMAL(18,18)", pyarrow.decimal128(18, 18)),
    ("decimal_38_0", "DECIMAL(38,0)", pyarrow.decimal128(38, 0)),
    ("decimal_65_30", "VARCHAR", pyarrow.decimal256(65, 30)),
    ("text", "VARCHAR", pyarrow.string()),
    ("enum", "VARCHAR", pyarrow.string()),
    ("json", "VARCHAR", pyarrow.string()),
    ("binary", "VARCHAR", pyarrow.string()),
    ("date", "DATE", pyarrow.date32()),
    ("time", "TIME", pyarrow.time64("us")),
    ("duration", "BIGINT", pyarrow.int64()),
    ("datetime", "TIMESTAMP", pyarrow.timestamp("us")),
    ("timestamp", "TIMESTAMPTZ", pyarrow.timestamp("us", "UTC")),
    ('Größe, "cm"', "INTEGER", pyarrow.int32()),
    ("_op", "VARCHAR", pyarrow.string()),
    ("_event_time", "TIMESTAMPTZ", pyarrow.timestamp("us", "UTC")),
    ("_source_ts", "TIMESTAMPTZ", pyarrow.timestamp("us", "UTC")),
    ("_topic", "VARCHAR", pyarrow.string()),
    ("_partition", "INTEGER", pyarrow.int32()),
    ("_offset", "BIGINT", pyarrow.int64()),
    ("_gtid", "VARCHAR", pyarrow.string()),
    ("_server_id", "BIGINT", pyarrow.int64()),
    ("_binlog_file", "VARCHAR", pyarrow.string()),
    ("_binlog_seq", "BIGINT", pyarrow.int64()),
    ("_binlog_pos", "BIGINT", pyarrow.int64()),
    ("_binlog_row", "BIGINT", pyarrow.int64()),
    ("_tx_id", "VARCHAR", pyarrow.string()),
    ("_snapshot", "VARCHAR", pyarrow.string()),
]
NAMES = [name for name, _, _ in COLUMNS]
FLOAT32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def at(year, month, day, *time):
    """A local time."""
    return datetime.datetime(year, month, day, *time)


def row(offset, op, values):
    """A row with its metadata."""
    event_time = (EPOCH + datetime.timedelta(microseconds=1_000_000 - offset)).replace(tzinfo=UTC)
    return [*values, op, event_time, None, "orders_cdc", 3, offset, *[None] * 8]


FIRST, LAST = at(1, 1, 1), at(9999, 12, 31, 23, 59, 59, 999999)
ROWS = [
    row(40, "c", [
        True, -7, 70_000, 5_000_000_000, struct.unpack("<f", struct.pack("<f", 0.1))[0], 0.1,
        D("12.34"), D("0.000000000000000005"), D("42"), D("-1.500000000000000000000000000000"),
        "Kettle", "paid", '{"a":[1,2.50]}', b"\x00\x01\xfa", datetime.date(2026, 3, 1),
        datetime.time(8, 15, 0, 1), -3_020_399_000_000, at(2026, 3, 1, 8, 15, 0, 1),
        at(2026, 3, 1, 8, 15, 0, 123456).replace(tzinfo=UTC), 170,
    ]),
    row(41, "c", [
        False, -(2**15), -(2**31), -(2**63), -FLOAT32_MAX, -sys.float_info.max, D("-99999.99"),
        D("-0.999999999999999999"), D("-" + "9" * 38), D("-" + "9" * 35 + "." + "9" * 30),
        "\x00\x01\x1f\x7f", "a", "null", b"\x00", FIRST.date(), datetime.time(0), -(2**63), FIRST,
        FIRST.replace(tzinfo=UTC), -1,
    ]),
    row(42, "c", [
        True, 2**15 - 1, 2**31 - 1, 2**63 - 1, FLOAT32_MAX, sys.float_info.max, D("99999.99"),
        D("0.999999999999999999"), D("9" * 38), D("9" * 35 + "." + "9" * 30), "Ångström 📏 \u2028",
        "ÿ", "[]", b"\xff\xff\xff\xff", LAST.date(), LAST.time(), 2**63 - 1, LAST,
        LAST.replace(tzinfo=UTC), 0,
    ]),
    row(43, "c", [None] * 20),
    row(44, "c", [
        False, 0, 0, 0, -0.0, 5e-324, D("0.00"), D("0.000000000000000000"), D("0"),
        D("0." + "0" * 30), "", "", "", b"", EPOCH.date(), datetime.time(0), 0, EPOCH,
        EPOCH.replace(tzinfo=UTC), 0,
    ]),
    row(45, "c", [
        True, 1, 1, 2**53 + 1, 1.5, -1e-7, D("-0.01"), D("-0.000000000000000001"), D("1"),
        D("-0." + "0" * 29 + "1"), 'a "quoted" note,\r\nwith\ta tab; and C:\\new', "x,y",
        '{"k": "v, \\"w\\""}', b">>>???", datetime.date(1969, 12, 31), datetime.time(0, 0, 0, 1),
        -1, at(1969, 12, 31, 23, 59, 59, 999999),
        at(1969, 12, 31, 23, 59, 59, 999999).replace(tzinfo=UTC), 1,
    ]),
    row(46, "c", [
        False, 2, 2, -(2**53) - 1, 16777216.0, 1e16, D("1.00"), D("0.000000000000000100"),
        D("-100"), D("0." + "0" * 27 + "100"), "\\N", "# no comment", '""', b"n",
        datetime.date(2024, 2, 29), datetime.time(12), 1, at(2024, 2, 29),
        at(2024, 2, 29).replace(tzinfo=UTC), 2,
    ]),
    row(47, "t", [None] * 20),
]


def main():
    """Reads each golden with each reader."""
    folder = pathlib.Path(sys.argv[1])
    compared = {}
    for name, read in READERS:
        rows = read(folder)
        check(name, rows, ROWS)
        compared[name] = sum(len(row) for row in rows)
    for name, rows in not_finite(folder):
        check(name, rows, [[math.nan, math.inf], [-math.inf, math.nan]])
        compared[name] = sum(len(row) for row in rows)
    json.dump(compared, sys.stdout)
    print()


def check(name, rows, expected):
    """Every value, with its type."""
    if len(rows) != len(expected):
        raise SystemExit(f"{name}: {len(rows)} rows")
    for n, (here, there) in enumerate(zip(rows, expected)):
        if len(here) != len(there):
            raise SystemExit(f"{name}: row {n} has {len(here)} values")
        for column, (value, wanted) in enumerate(zip(here, there)):
            if exact(value) != exact(wanted):
                raise SystemExit(f"{name}: row {n} column {column}: {value!r}, not {wanted!r}")


def exact(value):
    """Type and value: equal decimals of another scale are not equal, nor are 0.0 and -0.0."""
    if isinstance(value, float):
        return "float", "NaN" if math.isnan(value) else struct.pack("<d", value)
    if isinstance(value, decimal.Decimal):
        return "decimal", str(f"{value:f}")
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return "instant", value.astimezone(UTC).isoformat()
    return type(value).__name__, value


def natural(name, value):
    """Values that a reader has no type for: base64, decimals of 65 digits, times of day in JSON."""
    if value is not None and name == "binary":
        return base64.b64decode(value, validate=True)
    if isinstance(value, str) and name == "decimal_65_30":
        return D(value)
    if isinstance(value, str) and name == "time":
        return datetime.time.fromisoformat(value)
    return value


def by_duckdb(sql):
    """Rows of a query."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return [
        [natural(name, value) for name, value in zip(NAMES, row)]
        for row in connection.execute(sql).fetchall()
    ]


def duckdb_columns():
    """The types, as DuckDB's readers take them."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind, _ in COLUMNS) + "}"


def duckdb_json(folder):
    """JSON, each column of its type."""
    return by_duckdb(
        f"SELECT * FROM read_json('{folder}/types.json', format = 'newline_delimited', "
        f"columns = {duckdb_columns()})"
    )


def duckdb_csv(folder, file, options):
    """CSV; a quoted text is never null."""
    return by_duckdb(
        f"SELECT * FROM read_csv('{folder}/{file}', columns = {duckdb_columns()}, quote = '\"', "
        f"escape = '\"', allow_quoted_nulls = false, auto_detect = false, {options})"
    )


def by_pyarrow(table):
    """Rows of a table."""
    columns = [
        [natural(name, value) for value in table.column(name).to_pylist()] for name in NAMES
    ]
    return [list(row) for row in zip(*columns)]


def pyarrow_json(folder):
    """JSON; its JSON reader does not take dates and times of day: they are read as text."""
    texts = ("date", "time")
    fields = [(name, pyarrow.string() if name in texts else kind) for name, _, kind in COLUMNS]
    options = pyarrow.json.ParseOptions(
        explicit_schema=pyarrow.schema(fields), unexpected_field_behavior="error"
    )
    table = pyarrow.json.read_json(folder / "types.json", parse_options=options)
    table = table.select(NAMES)
    at = NAMES.index("date")
    return by_pyarrow(table.set_column(at, "date", table.column(at).cast(pyarrow.date32())))


def pyarrow_csv(folder, file, delimiter, null, names):
    """CSV; a quoted text is never null. Its CSV reader does not take wide decimals: text."""
    kinds = {name: kind for name, _, kind in COLUMNS} | {"decimal_65_30": pyarrow.string()}
    table = pyarrow.csv.read_csv(
        folder / file,
        read_options=pyarrow.csv.ReadOptions(column_names=names),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=kinds,
            null_values=[null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    if table.column_names != NAMES:
        raise SystemExit(f"{file}: columns {table.column_names}")
    return by_pyarrow(table)


def not_finite(folder):
    """NaN and the infinities. In JSON they are text beside numbers, which pyarrow does not take."""
    types = "{'float32': 'FLOAT', 'float64': 'DOUBLE'}"
    connection = duckdb.connect()
    for kind, option in (("json", "columns"), ("csv", "types")):
        file = f"'{folder}/not-finite.{kind}'"
        sql = f"SELECT float32, float64 FROM read_{kind}({file}, {option} = {types})"
        yield f"duckdb not-finite.{kind}", connection.execute(sql).fetchall()
    lines = (folder / "not-finite.json").read_text().splitlines()
    objects = [json.loads(line) for line in lines]
    names = ("float32", "float64")
    yield "json not-finite.json", [[float(each[name]) for name in names] for each in objects]
    options = pyarrow.csv.ConvertOptions(null_values=[""])
    table = pyarrow.csv.read_csv(folder / "not-finite.csv", convert_options=options)
    yield "pyarrow not-finite.csv", list(zip(*(table.column(name).to_pylist() for name in names)))


READERS = [
    ("duckdb types.json", duckdb_json),
    ("pyarrow types.json", pyarrow_json),
    ("duckdb types.csv", lambda folder: duckdb_csv(folder, "types.csv", "header = true")),
    ("pyarrow types.csv", lambda folder: pyarrow_csv(folder, "types.csv", ",", "", None)),
    (
        "duckdb types-no-header.csv",
        lambda folder: duckdb_csv(
            folder, "types-no-header.csv", "header = false, delim = ';', nullstr = '\\N'"
        ),
    ),
    (
        "pyarrow types-no-header.csv",
        lambda folder: pyarrow_csv(folder, "types-no-header.csv", ";", "\\N", NAMES),
    ),
]

if __name__ == "__main__":
    main()
