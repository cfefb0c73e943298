package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
)

// attribute is one key and value of the event stream, as testing.T.Attr
// writes it. The keys are the protocol between the suite and package report.
type attribute struct{ key, value string }

func targetAttributes(target *Target) []attribute {
	attributes := []attribute{{"target.name", oneLine(target.Name)}}
	for _, fact := range target.Provenance {
		attributes = append(attributes, attribute{"provenance." + fact.Name, oneLine(fact.Value)})
	}
	if len(target.Topology.Nodes) > 0 {
		attributes = append(attributes, attribute{"topology", asJSON(target.Topology)})
	}
	return attributes
}

func resultAttributes(result Result, reproduce string) []attribute {
	attributes := []attribute{
		{"check.id", result.Check.ID},
		{"check.level", string(result.Check.Level)},
		{"check.obligation", result.Check.Obligation},
		{"check.source", result.Check.Source},
		{"check.verdict", string(result.Verdict)},
		{"check.reproduce", reproduce},
	}
	add := func(key, value string) { attributes = append(attributes, attribute{key, value}) }
	if place := result.Check.place(); place != "" {
		add("check.place", place)
	}
	if len(result.Reasons) > 0 {
		add("check.reason", oneLine(result.Reasons[0]))
	}
	if result.Known != nil {
		add("check.consequence", oneLine(result.Known.Consequence))
		add("check.cure", oneLine(result.Known.Cure))
	}
	for _, figure := range result.Figures {
		add("figure."+attributeKey(figure.Name), fmt.Sprintf("%g %s", figure.Value, figure.Unit))
	}
	for _, series := range result.Series {
		add("series."+attributeKey(series.Name), asJSON(map[string]any{"x": series.X, "y": series.Y, "points": series.Points}))
	}
	for i, fault := range result.Faults {
		add(fmt.Sprintf("fault.%d", i+1), asJSON(map[string]any{
			"name": fault.Fault, "node": fault.Node, "from": fault.From.Seconds(), "to": fault.To.Seconds(),
		}))
	}
	return attributes
}

// attributeKey makes a name fit for a key, which holds no blanks.
func attributeKey(name string) string { return strings.Join(strings.Fields(name), "-") }

// text is a result for people.
func (r Result) text() string {
	return fmt.Sprintf("%s: %s\n%s", r.Verdict, r.Check.Obligation, strings.Join(r.Reasons, "\n"))
}

// oneLine makes text fit for an attribute, which holds no line break.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// asJSON writes what always can be written: plain numbers and strings.
func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "{}"
	}
	return string(text)
}
