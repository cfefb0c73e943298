package conformance_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// adoption gathers the results of all tests for -write-deviations.
type adoption struct {
	mutex   sync.Mutex
	results conformance.Results
}

var adopted adoption

func (a *adoption) add(result conformance.Result) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.results = append(a.results, result)
}

// adopt writes what failed to the file of -write-deviations. It gives an exit code.
func adopt() int {
	if *adoptTo == "" {
		return 0
	}
	found := adopted.results.Deviations()
	if len(found) == 0 {
		fmt.Fprintln(os.Stderr, "nothing failed: there is no deviation to write down")
		return 0
	}
	path := resolve([]string{*adoptTo})[0]
	// A list that somebody has written reasons into is not overwritten.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err == nil {
		err = errors.Join(found.Write(file), file.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Fprintf(os.Stderr, "known deviations are in %s: put your reasons in, and use it with -deviations\n", path)
	return 0
}

// runOptions are those of every run of a subject.
func (s subject) runOptions(checks []conformance.Check) []conformance.Option {
	options := []conformance.Option{
		conformance.WithDeviations(s.known.For(checks)),
		conformance.WithReproduce(again),
		conformance.WithObserver(adopted.add),
		conformance.WithTimeoutFactor(*patience),
	}
	if *keep {
		options = append(options, conformance.KeepFailed())
	}
	return options
}

// patient makes a limit longer, as -timeout asks.
func patient(limit time.Duration) time.Duration {
	return time.Duration(float64(limit) * *patience)
}
