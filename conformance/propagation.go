package conformance

import "slices"

// propagationChecks is the chapter "propagation": what is committed on the
// primary arrives on its standbys whole, equal and in order, and nothing else does.
func propagationChecks() []Check {
	return slices.Concat(
		beside(
			propagationBulk(), // the longest ones begin first
			propagationToast(),
			propagationIndexes(),
			propagationOrder(),
			propagationDatabases(),
			propagationContent(),
			propagationChanges(),
			propagationTruncate(),
			propagationDefinitions(),
			propagationTypes(),
			propagationSequences(),
			propagationLocal(),
			propagationVisibility(),
			propagationSubtransactions(),
			propagationRoles(),
			propagationExtensions(),
		),
		// VACUUM leaves what somebody else's transaction might still see.
		propagationVacuum(),
	)
}
