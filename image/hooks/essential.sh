#!/bin/sh
# mmdebstrap hook: the base system is installed in $1, the packages of
# packages.txt are not. What their installation must find there already.
set -eu

# The official image's ids; postgresql-common would take other ones. "!" locks
# the password, the passwd package moves it to the shadow file.
echo 'postgres:x:999:' >>"$1/etc/group"
echo 'postgres:!:999:999::/var/lib/postgresql:/bin/bash' >>"$1/etc/passwd"

# Clusters are made by the entrypoint, not at installation.
mkdir -p "$1/etc/postgresql-common"
echo 'create_main_cluster = false' >"$1/etc/postgresql-common/createcluster.conf"
