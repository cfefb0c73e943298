package conformance

import "slices"

// Core is the profile that every pair should pass: what a primary and a
// standby owe their users while nothing breaks. Its last two chapters remove the
// servers and start them again.
func Core() []Check {
	return slices.Concat(
		startupChecks(),
		slotChecks(),
		accessChecks(),
		settingsChecks(),
		standbyChecks(),
		propagationChecks(),
		lagChecks(),
		teardownChecks(),
		recipeChecks(),
	)
}

// Advice is good practice that a recipe for a laptop need not follow.
func Advice() []Check {
	return slices.Concat(accessAdvice(), settingsAdvice(), standbyAdvice())
}

// Faults is the profile of what a pair owes its users when something breaks.
// Its chapters break their servers: each wants a target of its own.
func Faults() []Check {
	return slices.Concat(
		restartChecks(),
		crashChecks(),
		conflictChecks(),
		synchronyChecks(),
		partitionChecks(),
		retentionChecks(),
		failoverChecks(),
		historyChecks(),
	)
}

// All is every check of the suite.
func All() []Check { return slices.Concat(Core(), Advice(), Faults()) }
