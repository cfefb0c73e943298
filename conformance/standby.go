package conformance

// standbyChecks is the chapter "standby": what a hot standby refuses, with
// which SQLSTATE, and what it must still do.
func standbyChecks() []Check {
	return onEach(
		// Replay that one check pauses is nothing that another may wait for.
		standbyRecoveryChecks(),
		beside(
			standbyAllowedChecks(),
			standbyChangeChecks(),
			standbyDefinitionChecks(),
			standbyLockChecks(),
			standbyTransactionChecks(),
			standbyFunctionChecks(),
			standbySessionChecks(),
			standbyProtectionChecks(),
			standbyExecutionChecks(),
		),
		// What others remove meanwhile would be a conflict with its snapshot.
		standbySnapshotChecks(),
	)
}

// Sources of most obligations of the chapter.
const (
	hotStandby     = `PostgreSQL documentation, "Hot Standby", "User's Overview"`
	administrators = `PostgreSQL documentation, "Hot Standby", "Administrator's Overview"`
)
