package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

var soakFor = flag.Duration("soak", 0, "begin rounds of TestSoak for so long; 0 skips it")

const (
	// seedVariable also chooses the seed of the chapter history, which each
	// round gives one of its own.
	seedVariable = "CONFORMANCE_SEED"
	maxSeed      = 1_000_000
	// partLimit bounds a part of a round: it is above the limits of its checks.
	partLimit = 45 * time.Minute
)

// TestSoak repeats a profile on recipe and cure, with the faults in another
// order each time: no verdict may change, and nothing may grow. `make soak`
// runs it. It speaks to the terminal itself, for go test would keep it waiting.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("repeats everything for as long as -soak says; make soak runs it")
	}
	onlyShipped(t)
	seed := rand.Uint64N(maxSeed)
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
	}
	run := &soak{seed: seed, began: time.Now(), measures: soakMeasures()}
	fmt.Printf("soak: profile %s for %s, SEED=%d\n", *profile, *soakFor, seed)

	// The handler of package stack removes the servers and ends the process.
	interrupted, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(interrupted, func() { run.conclude() })()
	for interrupted.Err() == nil && run.goesOn() {
		if !run.round(t) {
			break
		}
	}
	if interrupted.Err() != nil {
		t.Fatal("interrupted")
	}
	if growing := run.conclude(); growing > 0 {
		t.Errorf("%d measures grow: see the table", growing)
	}
}

// soak is a run of rounds.
type soak struct {
	seed     uint64
	began    time.Time
	measures []measure
	first    verdicts
	calm     float64 // the fewest goroutines after any round

	mutex    sync.Mutex
	rounds   []sample
	finished bool
}

// goesOn says whether another round begins. One alone would compare nothing.
func (s *soak) goesOn() bool { return len(s.rounds) < 2 || time.Since(s.began) < *soakFor }

// conclude prints the table, once, and gives how many measures grow.
func (s *soak) conclude() (growing int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	table, growing := growthTable(s.measures, s.rounds)
	if !s.finished {
		fmt.Printf("\nsoak: %d rounds in %s, SEED=%d\n%s", len(s.rounds), time.Since(s.began).Round(time.Second), s.seed, table)
	}
	s.finished = true
	return growing
}

// round runs everything once and says whether that worked.
func (s *soak) round(t *testing.T) bool {
	t.Helper()
	number := len(s.rounds) + 1
	began := time.Now()
	found := verdicts{}
	random := rand.New(rand.NewPCG(s.seed, uint64(number)))
	whole := t.Run(fmt.Sprintf("round-%d", number), func(t *testing.T) {
		t.Setenv(seedVariable, strconv.FormatUint(random.Uint64N(maxSeed), 10))
		engine := openEngine(t, func(string) {})
		for i, part := range soakParts(t, random) {
			t.Run(fmt.Sprintf("%s-%d", part.of.name, i+1), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), patient(partLimit))
				defer cancel()
				results, err := conformance.Verify(ctx, start(t, engine, part.of), part.checks,
					conformance.WithDeviations(part.of.known.For(part.checks)), conformance.WithTimeoutFactor(*patience),
					conformance.WithObserver(func(result conformance.Result) { tellRed(t, number, part.of.name, result) }))
				found.add(part.of.name, results)
				require.NoError(t, err)
			})
		}
	})
	if number == 1 {
		s.first = found
	}
	for _, difference := range found.unlike(s.first) {
		fmt.Printf("round %d: %s\n", number, difference)
		t.Errorf("round %d: %s", number, difference)
	}
	s.sample(t, number, found, began)
	return whole || len(found) == len(s.first) && len(found) > 0
}

// sample measures what a round has left, and prints its line.
func (s *soak) sample(t *testing.T, number int, found verdicts, began time.Time) {
	t.Helper()
	taken, err := take(t.Context(), s.measures, s.calm)
	require.NoError(t, err)
	running, err := goroutines(t.Context())
	require.NoError(t, err)
	if number == 1 || running < s.calm {
		s.calm = running
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.rounds = append(s.rounds, taken)
	fmt.Printf("round %d: %s in %s; %s\n", number, found.count(), time.Since(began).Round(time.Second), taken.line(s.measures))
}

// tellRed tells at once of a red verdict: it is one in any round.
func tellRed(t *testing.T, round int, recipe string, result conformance.Result) {
	t.Helper()
	if !result.Verdict.Red() {
		return
	}
	text := fmt.Sprintf("round %d: %s %s: %s: %s", round, recipe, result.Check.ID, result.Verdict, strings.Join(result.Reasons, "\n"))
	fmt.Println(text)
	t.Error(text)
}

// soakPart is what a round runs on one pair.
type soakPart struct {
	of     subject
	checks []conformance.Check
}

// soakParts are those of a round, cut as TestRecipe and TestRecipeFaults cut
// them. What breaks nothing runs in the order of its chapters: the last two
// remove the servers. Faults come in a random order.
func soakParts(t *testing.T, random *rand.Rand) (parts []soakPart) {
	t.Helper()
	for _, of := range []subject{shipped(t, "recipe"), shipped(t, "hardened", hardenedFile)} {
		checks, err := askedFor(wholeChecks(of))
		require.NoError(t, err)
		if len(checks) > 0 {
			parts = append(parts, soakPart{of, checks})
		}
		faults, err := askedFor(conformance.Faults())
		require.NoError(t, err)
		of.options.Isolatable = true
		chapters := [][]conformance.Check{faults}
		if *profile != "usual" {
			chapters = chaptersOf(faults)
			shuffle(chapters, random)
		}
		for _, chapter := range chapters {
			if len(chapter) > 0 {
				parts = append(parts, soakPart{of, shuffled(chapter, random)})
			}
		}
	}
	return parts
}
