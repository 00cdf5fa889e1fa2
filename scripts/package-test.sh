#!/usr/bin/env bash
# Installs, upgrades, removes and purges the Debian package on this machine (as root), and looks what is there each time.
# Frames that wait on the disk must be there behind an upgrade. Installs cargo-deb where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
fail() { echo "package: $*" >&2; exit 1; }
has() { [ -e "$1" ] || fail "$1 is missing"; }
gone() { [ ! -e "$1" ] || fail "$1 is still there"; }

command -v cargo-deb >/dev/null || cargo install cargo-deb --locked --version '^3'
rm -f target/debian/dtud_*.deb
scripts/package.sh 0.0.1-1
mv target/debian/dtud_0.0.1-1_*.deb target/older.deb
scripts/package.sh
newer=$(ls target/debian/dtud_*.deb)
trap 'as_root dpkg --purge dtud >/dev/null 2>&1 || true' EXIT

echo "- install"
as_root dpkg -i target/older.deb >/dev/null
dtud --version
dtuctl --version
for file in /usr/lib/systemd/system/dtud.service /usr/lib/udev/rules.d/60-dtud-leds.rules /etc/dtud.toml \
    /usr/share/man/man1/dtud.1.gz /usr/share/man/man1/dtuctl-apply.1.gz /usr/share/doc/dtud/docs/settings.md \
    /usr/share/bash-completion/completions/dtuctl.bash /usr/share/zsh/vendor-completions/_dtud \
    /usr/share/fish/vendor_completions.d/dtud.fish; do
    has "$file"
done
[ "$(stat -c %G:%a /etc/dtud.toml)" = dialout:640 ] || fail "/etc/dtud.toml is $(stat -c %G:%a /etc/dtud.toml)"
dtud check-settings /etc/dtud.toml
systemd-analyze verify /usr/lib/systemd/system/dtud.service
score=$(systemd-analyze security --offline=true /usr/lib/systemd/system/dtud.service | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
awk -v score="$score" 'BEGIN { exit !(score > 0 && score <= 2.5) }' || fail "systemd gives $score, more than 2.5"
[ "$(stat -c %s /usr/bin/dtud)" -le $((10 << 20)) ] || fail "dtud has $(stat -c %s /usr/bin/dtud) bytes, more than 10 MiB"
if as_root systemctl is-enabled --quiet dtud 2>/dev/null; then fail "enabled by the installation"; fi

echo "- upgrade: what waits, what is enabled and what was edited stays"
state=/var/lib/private/dtud
as_root mkdir -p "$state"
as_root ln -sfn private/dtud /var/lib/dtud
echo '[link]
spool = "disk"
[device]
setup_window = 0' | as_root tee -a /etc/dtud.toml >/dev/null
as_root systemctl enable dtud 2>/dev/null
as_root scripts/upgrade.py before "$state"
as_root dpkg -i "$newer" >/dev/null
grep -q 'spool = "disk"' /etc/dtud.toml || fail "the edited settings file was written over"
as_root systemctl is-enabled --quiet dtud || fail "no longer enabled behind the upgrade"
as_root scripts/upgrade.py after "$state"

echo "- remove, purge"
as_root dpkg --remove dtud >/dev/null
gone /usr/bin/dtud
has /etc/dtud.toml
has "$state/parameters"
as_root dpkg --purge dtud >/dev/null
for file in /etc/dtud.toml "$state" /var/lib/dtud /usr/share/doc/dtud; do gone "$file"; done
trap - EXIT
echo "package: installed, upgraded, removed, purged"
