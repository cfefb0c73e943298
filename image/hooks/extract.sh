#!/bin/sh
# mmdebstrap hook: the base packages are unpacked in $1, but not yet by dpkg.
# dpkg unpacks them again, then by the rules of setup.sh.
set -eu
rm -rf "$1/usr/share/man" "$1/usr/share/doc" "$1/usr/share/locale"
