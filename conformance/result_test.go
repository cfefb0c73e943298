package conformance_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

func ExampleResults_Green() {
	results := conformance.Results{
		{Verdict: conformance.Pass},
		{Verdict: conformance.Skip, Reasons: []string{"needs an operator"}},
	}
	fmt.Println(results.Executed(), "executed, green:", results.Green())
	// Output: 1 executed, green: true
}

func TestResultsAreGreenOnlyWhenSomethingRan(t *testing.T) {
	for name, test := range map[string]struct {
		verdicts []conformance.Verdict
		green    bool
	}{
		"nothing":           {nil, false},
		"only skips":        {[]conformance.Verdict{conformance.Skip}, false},
		"a pass":            {[]conformance.Verdict{conformance.Pass}, true},
		"a known deviation": {[]conformance.Verdict{conformance.Pass, conformance.Deviation}, true},
		"a failure":         {[]conformance.Verdict{conformance.Pass, conformance.Fail}, false},
		"a stale deviation": {[]conformance.Verdict{conformance.Pass, conformance.Fixed}, false},
		"a broken harness":  {[]conformance.Verdict{conformance.Pass, conformance.Error}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var results conformance.Results
			for _, verdict := range test.verdicts {
				results = append(results, conformance.Result{Verdict: verdict})
			}
			assert.Equal(t, test.green, results.Green())
		})
	}
}
