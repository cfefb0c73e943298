package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// What a run covers. The environment gives the defaults, so that a run of
// all packages can be told as well: go test ./... hands flags to every package.
//
//	go test ./conformance -args -profile all -checks 'slot,restart/standby-*'
var (
	profile = flag.String("profile", fromEnvironment("CONFORMANCE_PROFILE", "core"), "core, faults or all")
	only    = flag.String("checks", os.Getenv("CONFORMANCE_CHECKS"), "ids, patterns or chapters, separated by commas; empty is all of the profile")
)

// sideBySide is how many stacks run at once: fault checks wait more than they compute.
const sideBySide = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	flag.Parse()
	goleak.VerifyTestMain(m)
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// chosen gives those of some checks that the flags ask for. Where none is
// asked for, the test is skipped.
func chosen(t *testing.T, checks []conformance.Check) []conformance.Check {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	asked, err := conformance.Profile(*profile)
	require.NoError(t, err)
	if *profile != "faults" {
		asked = append(asked, literalChecks()...)
	}
	if *only != "" {
		asked, err = conformance.Select(asked, strings.Split(*only, ",")...)
		require.NoError(t, err)
	}
	ids := map[string]bool{}
	for _, check := range asked {
		ids[check.ID] = true
	}
	var kept []conformance.Check
	for _, check := range checks {
		if ids[check.ID] {
			kept = append(kept, check)
		}
	}
	if len(kept) == 0 {
		t.Skipf("profile %s (-checks %q) asks for none of these checks; make verify PROFILE=all runs them", *profile, *only)
	}
	return kept
}

// again gives the command that runs one check of a test again.
func again(test string, check conformance.Check) string {
	root, _, _ := strings.Cut(test, "/")
	return fmt.Sprintf("go test ./conformance -v -run '^%s$' -args -profile all -checks %s", root, check.ID)
}
