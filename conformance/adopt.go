package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Deviations makes a list of what failed, for adopting a cluster as it is: the
// next run is green until something else fails. What was seen is the reason;
// consequence and cure are for somebody who knows the cluster to write.
func (r Results) Deviations() Deviations {
	found := Deviations{}
	for _, result := range r {
		switch {
		case result.Known != nil:
			found[result.Check.ID] = *result.Known
		case result.Verdict == Fail:
			found[result.Check.ID] = KnownDeviation{
				Check: result.Check.ID, Reason: oneLine(result.Reasons[0]),
				Consequence: "not promised: " + result.Check.Obligation,
				Cure:        "none yet: adopted as it was found",
			}
		}
	}
	return found
}

const deviationsHead = `# Known deviations: checks that are known to fail. One that passes again must leave the list.
`

// Write writes the list as YAML that ReadDeviations reads, by id. An empty
// list is ErrDeviations: there is nothing to adopt.
func (d Deviations) Write(out io.Writer) error {
	if len(d) == 0 {
		return fmt.Errorf("write deviations: %w: it is empty", ErrDeviations)
	}
	list := make([]KnownDeviation, 0, len(d))
	for _, one := range d {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b KnownDeviation) int { return strings.Compare(a.Check, b.Check) })
	text, err := yaml.Marshal(list)
	if err == nil {
		_, err = io.WriteString(out, deviationsHead+string(text))
	}
	if err != nil {
		return fmt.Errorf("write deviations: %w", err)
	}
	return nil
}
