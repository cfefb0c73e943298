package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteList lists checks for people: one line each, with what it needs.
func WriteList(out io.Writer, checks []Check) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, check := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", check.ID, check.Level, strings.Join(check.conditions(), ", "), check.Obligation)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("list checks: %w", err)
	}
	return nil
}

// conditions names what decides whether a check runs on a target.
func (k Check) conditions() []string {
	var named []string
	add := func(holds bool, what string) {
		if holds {
			named = append(named, what)
		}
	}
	add(k.ReadsOnly, "reads only")
	add(k.Needs.Operator, "operator")
	add(k.Needs.Superuser, "superuser")
	add(k.Needs.Statistics, "statistics")
	add(k.Needs.Replicator, "replicator")
	add(k.Needs.Exclusive, "exclusive")
	add(k.Needs.Disposable || k.Consumes, "disposable")
	add(k.Needs.Standbys > 1, fmt.Sprintf("%d standbys", k.Needs.Standbys))
	add(k.Needs.Since != 0, fmt.Sprintf("since %d", k.Needs.Since))
	add(k.Needs.Until != 0, fmt.Sprintf("until %d", k.Needs.Until))
	return named
}

// listed is a check in the list for programs. Its fields only ever grow.
type listed struct {
	ID         string `json:"id"`
	Chapter    string `json:"chapter"`
	Level      Level  `json:"level"`
	Obligation string `json:"obligation"`
	Source     string `json:"source"`
	ReadsOnly  bool   `json:"reads_only"`
	Operator   bool   `json:"needs_operator"`
	Superuser  bool   `json:"needs_superuser"`
	Statistics bool   `json:"needs_statistics"`
	Replicator bool   `json:"needs_replicator"`
	Exclusive  bool   `json:"needs_exclusive"`
	Disposable bool   `json:"needs_disposable"`
	Standbys   int    `json:"needs_standbys"`
	Since      int    `json:"since,omitempty"`
	Until      int    `json:"until,omitempty"`
}

// WriteListJSON lists checks for programs: an array with an object for each.
func WriteListJSON(out io.Writer, checks []Check) error {
	list := make([]listed, 0, len(checks))
	for _, check := range checks {
		needs := check.Needs
		list = append(list, listed{
			ID: check.ID, Chapter: check.Chapter(), Level: check.Level, Obligation: check.Obligation, Source: check.Source,
			ReadsOnly: check.ReadsOnly, Operator: needs.Operator, Superuser: needs.Superuser, Statistics: needs.Statistics,
			Replicator: needs.Replicator, Exclusive: needs.Exclusive, Disposable: needs.Disposable || check.Consumes, Standbys: max(needs.Standbys, 1),
			Since: needs.Since, Until: needs.Until,
		})
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(list); err != nil {
		return fmt.Errorf("list checks: %w", err)
	}
	return nil
}
