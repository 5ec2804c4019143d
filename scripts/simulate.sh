#!/usr/bin/env bash
# Runs seeds of the simulator (rust-core/tests/delivery/simulator).
#
#   scripts/simulate.sh 5000       seeds 0 to 4999
#   scripts/simulate.sh 17..18     seed 17, with its story when it breaks a rule
#   scripts/simulate.sh 0          without end, from a seed that is new each time
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seeds=${1:-10000}
case $seeds in
  *..*) range=$seeds ;;
  0) range=$(date +%s)00000..0 ;;
  *) range=0..$seeds ;;
esac
echo "seeds $range"
ALLUVIUM_SEEDS=$range exec cargo test --locked -p alluvium-core --test delivery -- \
  seeds::rows_are_visible_once --nocapture
