// Package docker is the recipe as a value: the two literal files in this
// folder, for programs that import this module and have no copy of them.
// Nothing else belongs here, and the files are not changed for it.
package docker

import "embed"

// Recipe holds docker-compose.yml and the script that it mounts.
//
//go:embed docker-compose.yml 00_init.sql
var Recipe embed.FS
