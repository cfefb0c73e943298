#!/bin/sh
# mmdebstrap hook on the empty root file system $1: the merged /usr of bookworm,
# and what apt and dpkg must know before the first package.
set -eu

# bin, sbin and lib are links into /usr from the start. The package that would
# convert them afterwards is kept out; usr-is-merged takes its place.
for name in bin sbin lib lib64; do
	mkdir -p "$1/usr/$name"
	ln -s "usr/$name" "$1/$name"
done
cat >"$1/etc/apt/preferences.d/no-usrmerge" <<'END'
Package: usrmerge
Pin: release *
Pin-Priority: -1
END

echo 'Acquire::Languages "none";' >"$1/etc/apt/apt.conf.d/no-languages"

# Like Debian's slim images: no manual pages, translations or documentation,
# the copyright files excepted. The sync of each file is for real machines.
mkdir -p "$1/etc/dpkg/dpkg.cfg.d"
cat >"$1/etc/dpkg/dpkg.cfg.d/slim" <<'END'
path-exclude=/usr/share/man/*
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
force-unsafe-io
force-confold
END
