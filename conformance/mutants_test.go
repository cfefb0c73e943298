package conformance_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// mutant is a target of which one part answers wrongly in one way.
type mutant struct {
	name    string
	standby bool // or else the primary
	tell    lie  // how that server answers; nil where the operator is wrong
	operate func(conformance.Operator) conformance.Operator
	on      func(conformance.Check) bool // the checks that it is tried on
}

// mutants are tried in this order. A check is caught by the first that makes it fail.
var mutants = []mutant{
	{name: "the standby alters rows", standby: true, tell: altersRows, on: harmless},
	{name: "the standby accepts what it refuses", standby: true, tell: acceptsAll, on: harmless},
	{name: "the standby confuses SQLSTATEs", standby: true, tell: confusesCodes, on: harmless},
	{name: "the primary alters rows", tell: altersRows, on: harmless},
	{name: "the primary accepts what it refuses", tell: acceptsAll, on: harmless},
	{name: "the primary confuses SQLSTATEs", tell: confusesCodes, on: harmless},
	{name: "the standby shows a position that is too far", standby: true, tell: raisesPositions, on: harmless},
	{name: "the primary shows a position that is too far", tell: raisesPositions, on: harmless},
	{name: "the standby shows what is masked", standby: true, tell: unmasks, on: harmless},
	// These come last: to notice an error says less of a check than to notice a wrong answer.
	{name: "the standby refuses what it allows", standby: true, tell: refusesAll, on: harmless},
	{name: "the primary refuses what it allows", tell: refusesAll, on: harmless},
	{name: "the standby confuses SQLSTATEs", standby: true, tell: confusesCodes, on: endsReaders},
	{name: "the primary confuses SQLSTATEs", tell: confusesCodes, on: named("failover/refused-on-primary")},
	{name: "the operator shows other images", operate: func(o conformance.Operator) conformance.Operator { return disguising{o} }, on: named("startup/same-image")},
	{name: "the operator shows a torn page", operate: func(o conformance.Operator) conformance.Operator { return torn{o} }, on: named("teardown/logs-show-no-damage")},
	{name: "the operator stops nobody", operate: func(o conformance.Operator) conformance.Operator { return idle{o} }, on: named("teardown/stops-cleanly")},
	{
		name: "the operator keeps the volumes", operate: func(o conformance.Operator) conformance.Operator { return hoarding{o} },
		on: named("teardown/down-removes-everything", "teardown/up-again-is-fresh"),
	},
}

// harmless are the checks of the core profile that break nothing.
func harmless(check conformance.Check) bool {
	return !check.Disturbs && !check.Consumes && check.Chapter() != "teardown" && check.Chapter() != "recipe" &&
		slices.ContainsFunc(conformance.Core(), func(core conformance.Check) bool { return core.ID == check.ID })
}

// endsReaders are the checks of readers that replay ends with an exact SQLSTATE.
var endsReaders = named("conflict/snapshot", "conflict/lock", "conflict/buffer-pin", "conflict/retry-succeeds", "conflict/deadlock",
	"conflict/deadlock-is-not-entered", "conflict/drop-database", "conflict/drop-tablespace", "conflict/delay-is-a-limit")

func named(ids ...string) func(conformance.Check) bool {
	return func(check conformance.Check) bool { return slices.Contains(ids, check.ID) }
}

// triedOnLies are the checks that some mutant is tried on.
func triedOnLies() []conformance.Check {
	return slices.DeleteFunc(conformance.All(), func(check conformance.Check) bool {
		return !slices.ContainsFunc(mutants, func(mutant mutant) bool { return mutant.on(check) })
	})
}

// quickMutants is the chapter that runs by default; CONFORMANCE_MUTANTS=all
// runs all that some mutant is tried on.
const quickMutants = "standby"

// catch is how a mutant was caught.
type catch struct {
	mutant string
	took   time.Duration
}

// TestChecksCatchLyingServers runs the checks against real servers whose
// answers are changed on the way. A check that passes whatever its servers
// answer looks at nothing.
func TestChecksCatchLyingServers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts containers")
	}
	onlyShipped(t)
	besideLies(t)
	asked := os.Getenv("CONFORMANCE_MUTANTS")
	all := asked == "all"
	if asked != "" && !all {
		t.Skip("CONFORMANCE_MUTANTS names broken recipes")
	}
	checks := slices.DeleteFunc(triedOnLies(), func(check conformance.Check) bool { return !all && check.Chapter() != quickMutants })
	target := start(t, openEngine(t, liveLine(t)), shipped(t, "mutants"))
	caught := map[string]catch{}
	for _, mutant := range mutants {
		left := slices.DeleteFunc(slices.Clone(checks), func(check conformance.Check) bool {
			return caught[check.ID].mutant != "" || !mutant.on(check)
		})
		if len(left) == 0 {
			continue
		}
		for _, result := range against(t, target, mutant, left) {
			if result.Verdict == conformance.Fail {
				caught[result.Check.ID] = catch{mutant.name, result.Duration}
			}
		}
	}
	for _, check := range checks {
		if _, listed := beyondLies[check.ID]; listed {
			assert.NotContains(t, caught, check.ID, "it is caught after all: take it off the list of those that are not")
		} else {
			assert.Contains(t, caught, check.ID, "no lie of its servers makes it fail")
		}
	}
	if all && *update { // which lie comes first may vary where a check looks at something that moves
		recipes, _ := halves(t)
		writeHalves(t, recipes, liesHalf(checks, caught))
	}
}

// against runs checks on a target of which one part lies.
func against(t *testing.T, target *conformance.Target, mutant mutant, checks []conformance.Check) conformance.Results {
	t.Helper()
	changed := *target
	servers := &pair.Pair{Primary: target.Pair.Primary, Standbys: slices.Clone(target.Pair.Standbys)}
	switch {
	case mutant.operate != nil:
		changed.Operator = mutant.operate(target.Operator)
	case mutant.standby:
		servers.Standbys[0] = lying(servers.Standbys[0], mutant.tell)
		defer servers.Standbys[0].Close()
	default:
		servers.Primary = lying(servers.Primary, mutant.tell)
		defer servers.Primary.Close()
	}
	changed.Pair = servers
	const hurry = 0.25 // of the checks' limits: whoever waits for a lie to become true waits in vain
	results, err := conformance.Verify(t.Context(), &changed, checks, conformance.WithTimeoutFactor(hurry))
	if err != nil {
		t.Logf("%s: %v", mutant.name, err) // lies may keep a check from cleaning up; the servers are thrown away
	}
	require.Len(t, results, len(checks), "%s: %v", mutant.name, err)
	return results
}

// beyondLies are the checks among them that no answer of a server to this
// process's statements can make fail, with the reason. Broken recipes do.
var beyondLies = map[string]string{
	"access/wrong-password":      "it is decided at the login, where no statement is answered",
	"access/logs-hold-no-secret": "it reads the containers' logs",
}
