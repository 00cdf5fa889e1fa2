#!/usr/bin/env bash
# Builds the Debian package: target/debian/dtud_*.deb. Needs cargo-deb (cargo install cargo-deb --locked).
# scripts/package.sh [VERSION]  the version of the package, where it is not the workspace's
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p dtud -p dtuctl
made=target/package
rm -rf "$made"
mkdir -p "$made/man" "$made/completions"
for program in dtud dtuctl; do
    "target/release/$program" man "$made/man"
    "target/release/$program" completions bash >"$made/completions/$program.bash"
    "target/release/$program" completions zsh >"$made/completions/_$program"
    "target/release/$program" completions fish >"$made/completions/$program.fish"
done
cargo deb --quiet --no-build --locked -p dtud ${1:+--deb-version "$1"}
