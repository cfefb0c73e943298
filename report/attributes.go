package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxPoints bounds a series; more is a mistake of who measured.
const maxPoints = 5000

// errProtocol says that an attribute does not keep to the protocol.
var errProtocol = errors.New("not what the protocol says")

// readAttributes fills in what the attributes of the check's test carry. Those
// that cannot be read are listed, and change nothing else. Those that are
// unknown are left alone.
func (c *Check) readAttributes(attributes map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[key]
		kind, name, _ := strings.Cut(key, ".")
		var err error
		switch kind {
		case "figure":
			err = c.addFigure(clean(name), clean(value))
		case "series":
			err = c.addSeries(clean(name), value)
		case "fault":
			err = c.addFault(value)
		}
		if err != nil {
			c.Unreadable = append(c.Unreadable, clean(key))
		}
	}
	slices.SortStableFunc(c.Faults, func(a, b Fault) int { return cmp.Compare(a.From, b.From) })
}

// addFigure takes "<value> <unit>".
func (c *Check) addFigure(name, text string) error {
	number, unit, _ := strings.Cut(text, " ")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !finite(value) {
		return fmt.Errorf("read figure %s: %w", name, errProtocol)
	}
	c.Figures = append(c.Figures, Figure{Name: name, Value: value, Unit: unit})
	return nil
}

func (c *Check) addSeries(name, text string) error {
	var read struct {
		X, Y   string
		Points [][]float64
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		return fmt.Errorf("read series %s: %w", name, err)
	}
	if len(read.Points) == 0 || len(read.Points) > maxPoints {
		return fmt.Errorf("read series %s: %w", name, errProtocol)
	}
	series := Series{Name: name, X: clean(read.X), Y: clean(read.Y), Points: make([][2]float64, 0, len(read.Points))}
	for _, point := range read.Points {
		if len(point) != 2 {
			return fmt.Errorf("read series %s: %w", name, errProtocol)
		}
		series.Points = append(series.Points, [2]float64(point))
	}
	slices.SortStableFunc(series.Points, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	c.Series = append(c.Series, series)
	return nil
}

func (c *Check) addFault(text string) error {
	fault := Fault{From: math.NaN(), To: math.NaN()}
	if err := json.Unmarshal([]byte(text), &fault); err != nil {
		return fmt.Errorf("read fault: %w", err)
	}
	if !finite(fault.From) || !finite(fault.To) || fault.To < fault.From {
		return fmt.Errorf("read fault: %w", errProtocol)
	}
	fault.Name, fault.Node = clean(fault.Name), clean(fault.Node)
	c.Faults = append(c.Faults, fault)
	return nil
}

// readTopology gives nil for a topology that cannot be read or has no nodes.
func readTopology(text string) *Topology {
	topology := &Topology{}
	if err := json.Unmarshal([]byte(text), topology); err != nil || len(topology.Nodes) == 0 {
		return nil
	}
	for i, node := range topology.Nodes {
		ports := make([]string, 0, len(node.Ports))
		for _, port := range node.Ports {
			ports = append(ports, clean(port))
		}
		topology.Nodes[i] = Node{clean(node.Name), clean(node.Role), clean(node.Version), clean(node.Image), ports}
	}
	for i, link := range topology.Links {
		topology.Links[i] = Link{clean(link.From), clean(link.To), clean(link.Slot), clean(link.State)}
	}
	topology.Links = append([]Link{}, topology.Links...)
	return topology
}

func finite(value float64) bool { return !math.IsNaN(value) && !math.IsInf(value, 0) }
