package conformance

import "slices"

// propagationChecks is the chapter "propagation": what is committed on the
// primary arrives on its standbys whole, equal and in order, and nothing else does.
func propagationChecks() []Check {
	return slices.Concat(
		propagationContent(),
		propagationChanges(),
		propagationTruncate(),
		propagationDefinitions(),
		propagationTypes(),
		propagationToast(),
		propagationSequences(),
		propagationLocal(),
		propagationVisibility(),
		propagationSubtransactions(),
		propagationOrder(),
		propagationBulk(),
		propagationIndexes(),
		propagationVacuum(),
		propagationRoles(),
		propagationDatabases(),
		propagationExtensions(),
	)
}
