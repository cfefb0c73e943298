package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Level says how binding an obligation is.
type Level string

const (
	// Must is what the recipe promises, or PostgreSQL does.
	Must Level = "must"
	// Should is good practice.
	Should Level = "should"
)

// Check is one obligation and the function that looks whether it is met.
type Check struct {
	ID         string // chapter/name, stable: it is what deviations and selections refer to
	Obligation string // one sentence with "must" or "should"
	Level      Level
	Needs      Needs
	Source     string        // where the obligation comes from
	Disturbs   bool          // breaks something on purpose: the pair's health is checked before and after
	Consumes   bool          // leaves servers that are no pair any more: they are made anew before the next check
	Scene      *Scene        // what it looks at together with other checks that consume the servers, or nil
	ReadsOnly  bool          // creates and changes nothing, on any server
	Beside     bool          // works in its own schema only: may run at the same time as others that do
	Each       bool          // runs once for each standby, as C.Pair().Standby()
	Limit      time.Duration // how long it may take; 0 is one minute
	Run        func(c *C)
}

// Chapter is the part of the id before the slash.
func (k Check) Chapter() string {
	chapter, _, _ := strings.Cut(k.ID, "/")
	return chapter
}

// Name is the part of the id after the slash.
func (k Check) Name() string {
	_, name, _ := strings.Cut(k.ID, "/")
	return name
}

func (k Check) limit() time.Duration { return cmp.Or(k.Limit, time.Minute) }

// beside marks checks that may run at the same time as one another.
func beside(lists ...[]Check) []Check {
	checks := slices.Concat(lists...)
	for i := range checks {
		checks[i].Beside = true
	}
	return checks
}

// onEach marks checks that look at one standby, whichever it is.
func onEach(lists ...[]Check) []Check {
	checks := slices.Concat(lists...)
	for i := range checks {
		checks[i].Each = true
	}
	return checks
}

// Needs is what a check cannot do without. An unmet need is a skip with that
// reason, never a pass.
type Needs struct {
	Operator   bool // somebody who can stop, break and remove the servers
	Superuser  bool // on both nodes
	Statistics bool // may see what pg_stat_replication and its like hide from others: pg_read_all_stats, on both nodes
	Replicator bool // credentials of a role that may replicate
	Exclusive  bool // nobody else uses the servers
	Disposable bool // servers that may be removed with their data and made anew; so does a check that Consumes them
	Standbys   int  // at least so many; 0 is one
	Since      int  // first major version of the server, 0 for any
	Until      int  // last major version of the server, 0 for any
}

// disposable is for checks that have servers made anew.
func (n Needs) disposable() Needs {
	n.Disposable = true
	return n
}

// unmet gives the reason to skip, or "".
func (n Needs) unmet(target *Target, facts serverFacts) string {
	switch {
	case n.Operator && target.Operator == nil:
		return "needs an operator: nobody here can stop or break the servers"
	case n.Superuser && !facts.superuser:
		return "needs superuser on both nodes"
	case n.Statistics && !facts.statistics:
		return "needs the rights of pg_read_all_stats on both nodes, which pg_monitor includes"
	case n.Replicator && target.Replicator.Role == "":
		return "needs credentials of a replication role"
	case n.Exclusive && !target.Exclusive:
		return "needs servers that nobody else uses"
	case n.Disposable && target.Lasting:
		return "needs servers that may be removed with their data and made anew"
	case len(target.Pair.Standbys) < n.Standbys:
		return fmt.Sprintf("needs %d standbys, there is %d", n.Standbys, len(target.Pair.Standbys))
	case n.Since != 0 && facts.major < n.Since:
		return fmt.Sprintf("holds since PostgreSQL %d, the server is %d", n.Since, facts.major)
	case n.Until != 0 && facts.major > n.Until:
		return fmt.Sprintf("holds until PostgreSQL %d, the server is %d", n.Until, facts.major)
	}
	return ""
}
