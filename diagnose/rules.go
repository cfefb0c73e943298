package diagnose

import "slices"

// rules are looked through in this order, from the specific to the general.
var rules = slices.Concat(engineRules, serverRules, clusterRules, loginRules, slotRules, routeRules, generalRules) //nolint:gochecknoglobals // a constant list
