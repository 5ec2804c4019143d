#!/usr/bin/env bash
# Captures tests/fixtures/debezium/{postgres,sqlserver}.builders.jsonl: the types of databases that
# the stack does not have, by Debezium's own schema builders. Needs scripts/install.sh kafka debezium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/versions.env
part() { scripts/install.sh where | sed -n "s|^$1=||p"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jar() { mvn -q -B dependency:copy -Dartifact="$1" -DoutputDirectory="$work/jars"; }
jar "io.debezium:debezium-connector-postgres:$DEBEZIUM_VERSION"
jar "io.debezium:debezium-connector-sqlserver:$DEBEZIUM_VERSION"
jar "com.microsoft.sqlserver:mssql-jdbc:12.10.2.jre11"
path="$work/classes:$work/jars/*:$(part debezium)/debezium-connector-mysql/*:$(part kafka)/*"
javac -d "$work/classes" -cp "$path" tests/schema-builders/dev/alluvium/fixtures/*.java
for database in postgres sqlserver; do
  TZ=UTC java -XX:TieredStopAtLevel=1 -cp "$path" dev.alluvium.fixtures.SchemaBuilders "$database" \
    2>"$work/log" >"$work/out" || { cat "$work/log" >&2; exit 1; }
  cp "$work/out" "tests/fixtures/debezium/$database.builders.jsonl"
  echo "$database: $(wc -l <"$work/out") events, $(wc -c <"$work/out") bytes"
done
