package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// attributeLimit is the length of key and value, in bytes, up to which an
// attribute surely reaches the event stream. go test -json knows one only in a
// line of up to 4096 bytes, which begins with the test's name; a longer one is
// taken for output, without a word.
//
// Source: cmd/internal/test2json, inBuffer.
const attributeLimit = 3500

// attribute is one key and value of the event stream, as testing.T.Attr
// writes it. The keys are the protocol between the suite and package report.
type attribute struct{ key, value string }

func targetAttributes(target *Target) []attribute {
	attributes := []attribute{{"target.name", oneLine(target.Name)}}
	for _, fact := range target.Provenance {
		attributes = append(attributes, attribute{"provenance." + fact.Name, oneLine(fact.Value)}.cut())
	}
	if len(target.Topology.Nodes) > 0 {
		attributes = append(attributes, topologyAttribute(target.Topology))
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
	addText := func(key, text string) { attributes = append(attributes, attribute{key, oneLine(text)}.cut()) }
	if place := result.Check.place(); place != "" {
		add("check.place", place)
	}
	if len(result.Reasons) > 0 {
		addText("check.reason", result.Reasons[0])
	}
	if result.Known != nil {
		addText("check.consequence", result.Known.Consequence)
		addText("check.cure", result.Known.Cure)
	}
	for _, figure := range result.Figures {
		add("figure."+attributeKey(figure.Name), fmt.Sprintf("%g %s", figure.Value, figure.Unit))
	}
	for _, series := range result.Series {
		attributes = append(attributes, seriesAttribute(series))
	}
	for i, fault := range result.Faults {
		add(fmt.Sprintf("fault.%d", i+1), asJSON(map[string]any{
			"name": fault.Fault, "node": fault.Node, "from": fault.From.Seconds(), "to": fault.To.Seconds(),
		}))
	}
	return attributes
}

func (a attribute) fits() bool { return len(a.key)+len(a.value) <= attributeLimit }

// cut makes an attribute for people as long as the stream carries it.
func (a attribute) cut() attribute {
	if a.fits() {
		return a
	}
	const more = "…"
	end := max(0, attributeLimit-len(a.key)-len(more))
	for end > 0 && !utf8.RuneStart(a.value[end]) {
		end--
	}
	return attribute{a.key, a.value[:end] + more}
}

// seriesAttribute keeps as many points as the stream carries.
func seriesAttribute(series Series) attribute {
	const fewest = 2
	for most := len(series.Points); ; most = most * 9 / 10 {
		points := thinned(series.Points, most)
		one := attribute{"series." + attributeKey(series.Name), asJSON(map[string]any{"x": series.X, "y": series.Y, "points": points})}
		if one.fits() || most <= fewest {
			return one
		}
	}
}

// topologyAttribute leaves images and ports out where there are too many
// servers for them: provenance has the images too.
func topologyAttribute(topology Topology) attribute {
	whole := attribute{"topology", asJSON(topology)}
	if whole.fits() {
		return whole
	}
	short := Topology{Links: topology.Links}
	for _, node := range topology.Nodes {
		short.Nodes = append(short.Nodes, TopologyNode{Name: node.Name, Role: node.Role, Version: node.Version})
	}
	return attribute{"topology", asJSON(short)}
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
