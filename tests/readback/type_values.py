"""What MySQL says, and what a reader of the lake reads, brought to one form.

In:  a column as `information_schema` describes it, the settings of the source, a value.
Out: text, or None for a null. Two values are equal when their texts are.
Never: a value rounded to make it equal. What the source itself makes of a value is said here by
     name (`sent`), and in docs/types.md.
"""

import base64
import datetime
import decimal
import json
import struct

DEFAULTS = {
    "decimal.handling.mode": "precise",
    "time.precision.mode": "adaptive_time_microseconds",
    "bigint.unsigned.handling.mode": "long",
    "binary.handling.mode": "bytes",
}
GEOMETRIES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geomcollection",
}
BINARIES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
# What 64 bits of nanoseconds hold.
NANOS = ("1677-09-21 00:12:43.145225", "2262-04-11 23:47:16.854775")
# More digits than any number here has: nothing is rounded.
decimal.getcontext().prec = 2_000


def expression(column):
    """The SQL expression whose text says a value exactly."""
    name, kind = f"`{column['name']}`", column["kind"]
    if kind in GEOMETRIES:
        return f"CONCAT(ST_SRID({name}), ':', HEX(ST_AsWKB({name}, 'axis-order=long-lat')))"
    if kind in BINARIES or kind == "vector":
        return f"HEX({name})"
    if kind in TEXTS:
        return f"HEX(CONVERT({name} USING utf8mb4))"
    if kind == "bit":
        return f"CAST(CAST({name} AS UNSIGNED) AS CHAR)"
    # MySQL's text of a FLOAT has six digits, that of a DOUBLE all.
    if kind == "float":
        return f"CONCAT(CAST({name} AS CHAR), ' ', CAST({name} AS DOUBLE))"
    return f"CAST({name} AS CHAR)"


def sent(column, settings, snapshot, text):
    """What a reader must find where MySQL says `text`; `snapshot` = the row was read by one."""
    kind = column["kind"]
    setting = {**DEFAULTS, **settings}.get
    if text is None:
        return None
    if kind == "decimal":
        return number(float(text)) if setting("decimal.handling.mode") == "double" else text
    if column["type"] == "bigint unsigned" and setting("bigint.unsigned.handling.mode") == "long":
        return str(int(text) - (1 << 64) if int(text) >= 1 << 63 else int(text))
    if kind == "float":
        # A snapshot reads MySQL's text.
        return number(float(text.split()[0 if snapshot else 1]), True)
    if kind == "double":
        return number(float(text))
    if kind == "year" and text == "0000":
        return "2000" if snapshot else "1900"
    if kind in BINARIES:
        return binary(bytes.fromhex(text), setting("binary.handling.mode"))
    if kind in TEXTS:
        value = bytes.fromhex(text).decode()
        return value if kind != "enum" or snapshot else value.replace(",", "\\,")
    if kind == "json":
        return canonical_json(text)
    if kind in ("date", "datetime", "timestamp") and text.startswith("0000-00-00"):
        return None if column["nullable"] else {"date": "1970-01-01"}.get(kind, "1970-01-01 00:00:00")
    if kind == "datetime":
        return local_time(text, setting("time.precision.mode"), snapshot)
    if kind == "timestamp":
        return without_zeros(text)
    if kind == "time":
        return time_of_day(text, setting("time.precision.mode"))
    return text


def local_time(text, mode, snapshot):
    """A DATETIME: milliseconds alone in one mode, a range of 584 years in another.

    Ten days that Java's own calendar does not have a snapshot reads as ten days later.
    """
    if snapshot and "1582-10-05" <= text[:10] <= "1582-10-14":
        text = f"{text[:8]}{int(text[8:10]) + 10}{text[10:]}"
    if mode == "nanoseconds" and not NANOS[0] <= text <= NANOS[1]:
        return None
    return without_zeros(text[:23] if mode == "connect" else text)


def time_of_day(text, mode):
    """A TIME. Of one that is no time of day no row may come, but where the source loses it."""
    if text.startswith("-") or text >= "24" or len(text.split(":")[0]) > 2:
        whole_day = text.startswith("24:00:00")
        if mode == "isostring":
            return "00:00:00" if whole_day else None
        if mode == "connect" and not whole_day:
            return None
        raise ValueError(f"a row came of {text}")
    return without_zeros(text[:12] if mode == "connect" else text)


def binary(value, mode):
    """Bytes as `binary.handling.mode` has them."""
    match mode:
        case "base64":
            return base64.b64encode(value).decode()
        case "base64-url-safe":
            return base64.urlsafe_b64encode(value).decode()
        case "hex":
            return value.hex()
    return value.hex().upper()


def read(column, value):
    """The form of what DuckDB or pyarrow reads."""
    kind = column["kind"]
    match value:
        case None:
            return None
        case bool():
            return str(int(value))
        case float():
            return number(value, kind == "float")
        case decimal.Decimal():
            return format(value, "f")
        case bytes() if kind == "bit":
            return str(int.from_bytes(value, "little"))
        case bytes() if kind in GEOMETRIES:
            return geometry(value)
        case bytes():
            return value.hex().upper()
        case datetime.datetime() | datetime.date() | datetime.time():
            return instant(value)
        case str() if kind == "json":
            return canonical_json(value)
        case str() if kind == "vector":
            return b"".join(struct.pack("<f", item) for item in json.loads(value)).hex().upper()
        case str() if kind == "decimal":
            # DuckDB leaves out a zero before the point.
            sign, digits = ("-", value[1:]) if value.startswith("-") else ("", value)
            return f"{sign}0{digits}" if digits.startswith(".") else value
        case str() if kind in ("time", "datetime", "timestamp"):
            return without_zeros(value.removesuffix("+00"))
    return str(value)


def number(value, narrow=False):
    """A float by its bits: zero has a sign."""
    return struct.pack(">f" if narrow else ">d", value).hex()


def instant(value):
    """A date or time of Python as MySQL writes it."""
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset()
        return without_zeros(str((value - offset if offset else value).replace(tzinfo=None)))
    return without_zeros(str(value))


def without_zeros(text):
    """Without the zeros at the end of a fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_json(text):
    """A document with its numbers by value; the order of keys is MySQL's."""
    numbers = {"parse_float": exactly, "parse_int": exactly}
    return json.dumps(json.loads(text, **numbers), ensure_ascii=False)


def exactly(text):
    """A JSON number by its value: an integer of 64 bits, or else a double."""
    value = decimal.Decimal(text)
    whole = value == value.to_integral_value() and abs(value) < 1 << 64
    return f"number {int(value) if whole else float(value)!r}"


def geometry(value):
    """Extended WKB as `SRID:WKB`."""
    order = "little" if value[0] == 1 else "big"
    kind, rest, srid = int.from_bytes(value[1:5], order), value[5:], 0
    if kind & 0x20000000:
        srid, rest = int.from_bytes(rest[:4], order), rest[4:]
        kind &= ~0x20000000
    return f"{srid}:{(value[:1] + kind.to_bytes(4, order) + rest).hex().upper()}"
