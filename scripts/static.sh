#!/usr/bin/env bash
# Builds dtud and dtuctl without a C library of the system: scripts/static.sh [TARGET]...
# Needs musl-gcc (x86_64) or aarch64-linux-gnu-gcc: C code of the TLS library is compiled, and linked by rust-lld.
set -euo pipefail
cd "$(dirname "$0")/.."
for target in "${@:-x86_64-unknown-linux-musl}"; do
    case $target in
    x86_64-unknown-linux-musl) compiler=musl-gcc ;;
    aarch64-unknown-linux-musl) compiler=aarch64-linux-gnu-gcc ;;
    *)
        echo "static.sh: $target: there are x86_64-unknown-linux-musl and aarch64-unknown-linux-musl" >&2
        exit 2
        ;;
    esac
    rustup target add "$target" >/dev/null
    name=${target//-/_}
    env "CC_$name=$compiler" "CARGO_TARGET_$(tr '[:lower:]' '[:upper:]' <<<"$name")_LINKER=rust-lld" \
        cargo build --release --locked -p dtud -p dtuctl --target "$target"
    for program in dtud dtuctl; do
        file -b "target/$target/release/$program" | grep -Eq 'static(ally|-pie) linked' ||
            { echo "static.sh: $program of $target is not static" >&2; exit 1; }
    done
done
