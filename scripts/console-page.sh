#!/usr/bin/env bash
# The page of the console: types, rules, its pure modules, and the whole of it in a headless Chromium. Installs what it
# needs; nothing of that becomes part of the program. `scripts/console-page.sh unit` runs one step.
set -euo pipefail
cd "$(dirname "$0")/../crates/dtu-console/tests/page"

sudo_or_not() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs npm)
# Without it Chinese is boxes, and boxes have other widths.
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
if [ ${#missing[@]} -gt 0 ]; then
    sudo_or_not apt-get update -qq
    sudo_or_not apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund --silent
fi

for step in "${@:-types lint unit browser}"; do
    for name in $step; do
        printf '\n-- page: %s\n' "$name"
        npm run --silent "$name"
    done
done
