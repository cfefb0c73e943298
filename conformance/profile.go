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
