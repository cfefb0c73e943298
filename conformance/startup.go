package conformance

import "slices"

// startupChecks is the chapter "startup": what came up is one primary and its
// standbys, it came up in the right order, and nothing else looks like it.
func startupChecks() []Check {
	return slices.Concat(
		startupIdentityChecks(),
		startupStreamChecks(),
		startupReadinessChecks(),
		startupFileChecks(),
		startupBackupChecks(),
	)
}
