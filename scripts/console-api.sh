#!/usr/bin/env bash
# The console's API against its description: schemathesis (PyPI) sends what openapi.json allows, and what it does not, to a
# `dtud` with a console. Left out are the stream, which has no end, and what restarts the device; and whether all is taken
# that the description allows, and nothing else: what a setting may be, the device decides.
# `scripts/console-api.sh target/release/dtud` takes another binary.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
dtud=$(realpath "${1:-target/debug/dtud}")
tools=$(realpath -m "${CONSOLE_API_TOOLS:-target/console-api}")
[ -x "$dtud" ] || cargo build -p dtud --locked
sudo_or_not() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
command -v tshark >/dev/null || missing+=(tshark)
if [ ${#missing[@]} -gt 0 ]; then
    sudo_or_not apt-get update -qq
    # It asks whether others than root may capture, which nobody does here.
    sudo_or_not env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -x "$tools/bin/schemathesis" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet 'schemathesis>=4,<5'
fi
work=$(mktemp -d)
"$dtud" --serial "pty:$work/line" --state "$work/state" --modem sim --setup-window 0 --console 127.0.0.1:0 \
    >"$work/out" 2>"$work/err" &
device=$!
trap 'kill "$device" 2>/dev/null || true; wait "$device" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    grep -q '^ready ' "$work/out" && break
    sleep 0.1
done
url=$(sed -n 's/^ready .*console=\(http[^ ]*[^ /]\)\/\{0,1\}$/\1/p;s/^ready .*console=\(http[^ ]*\) .*/\1/p' "$work/out" | head -1)
url=${url%/}
[ -n "$url" ] || { cat "$work/out" "$work/err"; exit 1; }
# It leaves its notes where it runs.
cd "$work"
csrf=$(curl -sf "$url/api/session" | python3 -c 'import json, sys; print(json.load(sys.stdin)["csrf"])')
"$tools/bin/schemathesis" run "$url/api/openapi.json" --url "$url" -H "X-CSRF: $csrf" \
    --exclude-path /api/events --exclude-path /api/restart --exclude-path /api/factory \
    --phases coverage,fuzzing --max-examples "${EXAMPLES:-25}" \
    --exclude-checks positive_data_acceptance,negative_data_rejection --suppress-health-check all
curl -sf "$url/healthz"
# What it does at its borders: behind nginx, with guesses of other users, with readers that are gone, at its end. What it
# exports a real tshark reads.
"$root/scripts/console-access.py" "$dtud"
