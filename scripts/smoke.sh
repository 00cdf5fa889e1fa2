#!/usr/bin/env bash
# The README as a new user plays it: the device starts and stops cleanly, the demo runs, the minute by hand works.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cargo build --locked
XDG_STATE_HOME="$dir" timeout --signal=INT 3 cargo run --locked >"$dir/out" 2>"$dir/log" || code=$?
if ! grep -q '^ready serial=' "$dir/out" || [ "${code:-0}" -ne 124 ]; then
    cat "$dir/out" "$dir/log"
    echo "the device did not start or did not stop cleanly (exit ${code:-0})"
    exit 1
fi
cat "$dir/out"
target/debug/dtud demo --seconds 5 >"$dir/demo" 2>>"$dir/log" </dev/null || { cat "$dir/demo" "$dir/log"; exit 1; }
tail -n 3 "$dir/demo"
scripts/minute.py target/debug/dtud
