package conformance

import (
	"slices"
	"time"
)

// failoverChecks is the chapter "failover": the standby takes the primary's
// place, and what becomes of the data, the clients and the old primary.
// Checks of one scene stand together: each group costs one promotion.
func failoverChecks() []Check {
	promoted := &Scene{Make: promoteBesidePrimary}
	failedOver := &Scene{Make: failOver}
	return slices.Concat(
		refusedOnPrimaryChecks(),
		promotedChecks(promoted),
		promotedRelationChecks(promoted),
		splitBrainChecks(promoted),
		crashAfterPromotionChecks(promoted),
		recloneChecks(promoted),
		rewindChecks(),
		lostRowsChecks(failedOver),
		secondPrimaryChecks(failedOver),
		switchoverChecks(),
	)
}

// promotionNeeds are those of a check that promotes a standby: somebody must
// make the servers anew.
func promotionNeeds() Needs { return Needs{Operator: true, Superuser: true, Exclusive: true} }

const (
	promoteSQL = `SELECT pg_promote(true, 30)`

	// promotionBound is what a promotion may take before clients give up on it.
	promotionBound = 30 * time.Second
)
