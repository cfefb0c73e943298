package report

import (
	"math"
	"strconv"
	"strings"
)

// unit is how values of a series or a figure are shown.
type unit struct {
	name  string
	scale float64 // of the shown unit in the measured one
}

// unitFor picks the unit in which a value as large as largest reads well.
func unitFor(name string, largest float64) unit {
	largest = math.Abs(largest)
	steps := map[string][]unit{
		"bytes": {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}},
		"ms":    {{"s", 1e3}},
	}[name]
	chosen := unit{name, 1}
	for _, step := range steps {
		if largest >= step.scale*1.5 {
			chosen = step
		}
	}
	return chosen
}

// number writes a value with three digits that matter, and thousands apart.
func number(value float64) string {
	if value == 0 || !finite(value) {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(value))))
	text := strconv.FormatFloat(value, 'f', min(max(digits, 0), 9), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "\u202f" + whole[at:] // narrow, does not break
	}
	if fraction != "" {
		return whole + "." + fraction
	}
	return whole
}

// quantity writes a value with its unit.
func quantity(value float64, name string) string {
	shown := unitFor(name, value)
	return strings.TrimSpace(number(value/shown.scale) + " " + shown.name)
}

// Text writes the figure for people.
func (f Figure) Text() string { return quantity(f.Value, f.Unit) }
