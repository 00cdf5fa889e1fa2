#!/usr/bin/env bash
# Installs the programs that the device must serve, and runs the tests that drive it with them.
set -euo pipefail
cd "$(dirname "$0")/.."

sudo_or_not() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
packages=(gammu gammu-smsd smstools minicom picocom modemmanager dbus socat iproute2 python3 python3-venv nginx openssl)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    sudo_or_not apt-get update -qq
    sudo_or_not env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
    # Its service is of no use here and must not take a port.
    if [[ " ${missing[*]} " == *" nginx "* ]] && [ -d /run/systemd/system ]; then
        sudo_or_not systemctl disable --now nginx >/dev/null 2>&1 || true
    fi
fi

venv=target/clients-venv
if [ ! -x "$venv/bin/python3" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/python3" -m pip install --quiet --disable-pip-version-check python-gsmmodem-new==0.13.0

# The modem behind ModemManager.
cargo build -p dtu-sim --locked
# Each test waits for its program most of the time.
PATH="$PWD/$venv/bin:$PATH" cargo test -p dtud --features clients --test it --locked -- --test-threads=8 clients:: modem_interface:: "$@"
