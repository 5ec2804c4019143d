#!/usr/bin/env bash
# Records/s: rooms alone, and the whole native path on one core. Release build; nothing else should
# run beside it. Figures and how they were taken: docs/performance.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo bench --locked -p alluvium-core --bench parse --bench encode --bench pipeline
