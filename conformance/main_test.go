package conformance_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
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
	profile = flag.String("profile", fromEnvironment("CONFORMANCE_PROFILE", "core"), strings.Join(conformance.Profiles(), ", "))
	only    = flag.String("checks", os.Getenv("CONFORMANCE_CHECKS"), "ids, patterns or chapters, separated by commas; empty is all of the profile")

	listOnly = flag.Bool("list", false, "list the checks that a run would make, and run none")
	asJSON   = flag.Bool("json", false, "list them as JSON")
	patience = flag.Float64("timeout", 1, "factor on all time limits, for slow machines")
	adoptTo  = flag.String("write-deviations", "", "`file` to list in what failed, for adopting a recipe as it is")
)

// sideBySide is how many stacks run at once: fault checks wait more than they compute.
const sideBySide = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	flag.Parse()
	if err := errors.Join(standIn(flag.CommandLine, os.Getenv), usage()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if *listOnly {
		if err := writeList(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	if others() { // A verdict on somebody's recipe does not hang on goroutines of a build library.
		os.Exit(max(m.Run(), adopt()))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.Exit(max(code, adopt())) }))
}

func writeList() error {
	checks, err := askedFor(slices.Concat(conformance.All(), literalChecks()))
	if err != nil {
		return err
	}
	if *asJSON {
		return conformance.WriteListJSON(os.Stdout, checks)
	}
	return conformance.WriteList(os.Stdout, checks)
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// askedFor gives those of some checks that the flags ask for.
func askedFor(checks []conformance.Check) ([]conformance.Check, error) {
	asked, err := conformance.Profile(*profile)
	if err != nil {
		return nil, err
	}
	if *profile != "faults" && !others() {
		asked = append(asked, literalChecks()...)
	}
	if *only != "" {
		if asked, err = conformance.Select(asked, strings.Split(*only, ",")...); err != nil {
			return nil, err
		}
	}
	ids := map[string]bool{}
	for _, check := range asked {
		ids[check.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(checks), func(check conformance.Check) bool { return !ids[check.ID] }), nil
}

// chosen gives those of some checks that the flags ask for. Where none is
// asked for, the test is skipped.
func chosen(t *testing.T, checks []conformance.Check) []conformance.Check {
	t.Helper()
	if testing.Short() {
		t.Skip("starts containers")
	}
	kept, err := askedFor(checks)
	require.NoError(t, err)
	if len(kept) == 0 {
		t.Skipf("profile %s (-checks %q) asks for none of these checks", *profile, *only)
	}
	return kept
}
