// Package overlays holds the compose files that are merged over the recipe, for
// programs that import this module and have no copy of them.
package overlays

import "embed"

// Hardened holds hardened.yml, what it mounts, and its example passwords.
// Its paths are relative to the folder of the recipe, beside this one.
//
//go:embed hardened.yml hardened secrets
var Hardened embed.FS
