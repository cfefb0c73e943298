#!/bin/sh
# mmdebstrap hook: all packages are installed in $1. The locale, files and modes
# that the entrypoint and its users rely on; and nothing of the building machine.
set -eu

chroot "$1" localedef -i en_US -c -f UTF-8 -A /usr/share/locale/locale.alias en_US.UTF-8

# initdb copies this template, so that every new cluster listens on all addresses.
sample=/usr/share/postgresql/postgresql.conf.sample
chroot "$1" dpkg-divert --quiet --add --rename --divert "$sample.dpkg" /usr/share/postgresql/15/postgresql.conf.sample
sed "s/^#listen_addresses = 'localhost'/listen_addresses = '*'/" "$1$sample.dpkg" >"$1$sample"
grep -q "^listen_addresses = '\*'" "$1$sample"
ln -s ../postgresql.conf.sample "$1/usr/share/postgresql/15/postgresql.conf.sample"

mkdir -p "$1/docker-entrypoint-initdb.d"
install -d -o 999 -g 999 -m 1777 "$1/var/lib/postgresql" "$1/var/lib/postgresql/data"
install -d -o 999 -g 999 -m 3777 "$1/run/postgresql"
ln -s docker-ensure-initdb.sh "$1/usr/local/bin/docker-enforce-initdb.sh"
ln -s /usr/sbin/gosu "$1/usr/local/bin/gosu"

# 99mmdebstrap holds the way to the building machine's mirror, proxies included.
rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/run/adduser"
find "$1/etc/apt" -name '*.list' -exec sed -i -E 's|://[^/@]*@|://|' {} +
