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

// headlines are the faults of Usual: of every chapter what its name stands
// for, if it takes seconds. The history of a cluster takes longer.
var headlines = []string{ //nolint:gochecknoglobals // a constant list
	"restart/standby-comes-back", "restart/policy",
	"crash/sender-kill",
	"conflict/snapshot", "conflict/feedback-works",
	"synchrony/commit-waits-for-standby",
	"partition/heals",
	"retention/is-bounded",
	"failover/promotes", "failover/new-timeline", "failover/sequences-never-repeat", "failover/unlogged-empty",
}

// Usual is a verdict in about a minute: the core, and those faults that take
// seconds. They can all run on one target.
func Usual() []Check {
	brief := slices.DeleteFunc(Faults(), func(check Check) bool { return !slices.Contains(headlines, check.ID) })
	return slices.Concat(Core(), brief)
}

// All is every check of the suite.
func All() []Check { return slices.Concat(Core(), Advice(), Faults()) }
