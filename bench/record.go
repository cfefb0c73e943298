package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Record is what a figure has measured, with all samples.
type Record struct {
	ID          string       `json:"id"` // the name of its files; records are sorted by it
	Title       string       `json:"title"`
	Taken       time.Time    `json:"taken"`
	Command     string       `json:"command"`
	Machine     []Fact       `json:"machine"`
	Method      []string     `json:"method"` // sentences on what was measured, and how
	Series      []Series     `json:"series"`
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Bounds      []Bound      `json:"bounds,omitempty"`
}

// Fact is a named value for the reader.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Series is what was measured of one thing, in the order of measuring.
type Series struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"` // s, ms, MB, MB/s, 1/s, …; empty is a count
	Values []float64 `json:"values"`
}

// Comparison sets one series beside another: their values at one place were
// measured side by side.
type Comparison struct {
	Of     string  `json:"of"`
	To     string  `json:"to"`
	AtMost float64 `json:"at_most,omitempty"` // the goal; 0 is none
}

// Bound is a goal for one series.
type Bound struct {
	Series   string  `json:"series"`
	Quantile float64 `json:"quantile"` // 1 is the greatest value
	AtMost   float64 `json:"at_most"`
}

// Add appends values to a series, which is made where there is none.
func (r *Record) Add(name, unit string, values ...float64) {
	for i := range r.Series {
		if r.Series[i].Name == name {
			r.Series[i].Values = append(r.Series[i].Values, values...)
			return
		}
	}
	r.Series = append(r.Series, Series{Name: name, Unit: unit, Values: values})
}

// Values gives the samples of a series; one that is not there has none.
func (r *Record) Values(name string) []float64 {
	for _, series := range r.Series {
		if series.Name == name {
			return series.Values
		}
	}
	return nil
}

// Save writes the record into a folder, in place of an earlier one.
func (r *Record) Save(folder string) error {
	content, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("save %s: %w", r.ID, err)
	}
	const readable = 0o644
	if err := os.WriteFile(filepath.Join(folder, r.ID+".json"), append(content, '\n'), readable); err != nil {
		return fmt.Errorf("save %s: %w", r.ID, err)
	}
	return nil
}

// Load reads the records of a folder, sorted.
func Load(folder string) ([]Record, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("load records: %w", err)
	}
	records := make([]Record, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(content, &records[i])
		}
		if err != nil {
			return nil, fmt.Errorf("load record %s: %w", file, err)
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.ID, b.ID) })
	return records, nil
}
