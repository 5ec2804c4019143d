#!/usr/bin/env bash
# Makes dist/alluvium-connect-<version>.zip, ready for plugin.path: a release library that loads
# wherever glibc is 2.17 or later, whatever this machine's is. Then dist/alluvium, the command line,
# for the same machines.
#
# In:  the package registries (cargo-zigbuild and zig are wheels on PyPI). Out: the zip, checked.
# Linux x86_64 only for now; on another machine the shim's loader names what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${ALLUVIUM_CACHE:-$HOME/.cache/alluvium}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
ZIGBUILD_VERSION=0.24.0
ZIG_VERSION=0.17.1
BASELINE=2.17
target=x86_64-unknown-linux-gnu

main() {
  scripts/install.sh apt
  install_zig
  echo "building the release library for glibc $BASELINE (one unit, fat LTO: about 10 minutes on two cores)"
  PATH="$tools/bin:$PATH" cargo zigbuild --release --locked -p alluvium-bridge \
    --target "$target.$BASELINE"
  local library=$CARGO_TARGET_DIR/$target/release/liballuvium.so
  check_baseline "$library"
  gradle --no-daemon --console=plain -q "-PnativeX86=$library" pluginZip
  # By itself: built together, the library would be linked with what only the command line needs.
  PATH="$tools/bin:$PATH" cargo zigbuild --release --locked -p alluvium-cli \
    --target "$target.$BASELINE"
  local program=$CARGO_TARGET_DIR/$target/release/alluvium
  check_baseline "$program"
  install -m 755 "$program" dist/alluvium
  ls -l dist/*.zip dist/alluvium
}

install_zig() {
  tools=$cache/zig-$ZIG_VERSION-$ZIGBUILD_VERSION
  [ -d "$tools" ] && return
  echo "installing zig $ZIG_VERSION and cargo-zigbuild $ZIGBUILD_VERSION (90 MB to download)"
  # Not made elsewhere and renamed: a venv knows its own path.
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q "ziglang==$ZIG_VERSION" "cargo-zigbuild==$ZIGBUILD_VERSION" || {
    rm -rf "$tools"
    exit 1
  }
}

# The highest version of glibc's symbols that the library asks for.
check_baseline() {
  local needed
  needed=$(readelf --version-info --wide "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1)
  echo "$(basename "$1") needs glibc $needed"
  if [ "$(printf '%s\n' "$needed" "$BASELINE" | sort -V | tail -n 1)" != "$BASELINE" ]; then
    echo "that is above the baseline $BASELINE" >&2
    exit 1
  fi
}

main "$@"
