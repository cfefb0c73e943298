package conformance

import (
	"fmt"
	"strings"
)

func propagationTypes() []Check {
	return []Check{{
		ID: "propagation/types",
		Obligation: "Values of every built-in type, at the edges of its range, must have the same text, the same stored size " +
			"and the same binary form on the standby as on the primary.",
		Level:  Must,
		Source: "PostgreSQL documentation, Data Types; PostgreSQL's own recovery tests",
		Run:    typesArrive,
	}}
}

// typeSample is a type and values of it, as input text.
type typeSample struct {
	sqlType  string
	values   []string
	optional bool // not every server that the suite supports has this type or takes these values
	noBinary bool // the type has no binary form
}

const (
	ownTypesSQL = `
CREATE TYPE own_enum AS ENUM ('first', 'second', 'Ünïted');
CREATE TYPE own_pair AS (number int, note text);
CREATE DOMAIN own_domain AS numeric(6, 2) CHECK (VALUE > 0);
CREATE TYPE own_range AS RANGE (SUBTYPE = float8)`

	// plainOutputSQL settles what the text of a value depends on, apart from the value.
	plainOutputSQL = `
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET lc_monetary = 'C';
SET bytea_output = 'hex';
SET extra_float_digits = 1`

	allNullSQL = `SELECT num_nulls(VARIADIC ARRAY[%s])::text FROM samples WHERE sample = 0`
)

func typesArrive(c *C) {
	primary := c.writer()
	primary.Do(ownTypesSQL)
	c.plainOutput()
	samples := takenSamples(c, primary)
	primary.Do(samplesTable(samples))
	primary.Do(sampleInserts(samples))

	rows := c.same("values of built-in types", sampleQuery(samples))
	values := 0
	for _, sample := range samples {
		values += len(sample.values)
	}
	if len(rows) != values {
		c.Errorf("%d values were stored, %d are there", values, len(rows))
	}
	var columns []string
	for i := range samples {
		columns = append(columns, fmt.Sprintf("c%d::text", i))
	}
	c.wantSame("NULL of every type", []string{fmt.Sprint(len(samples))}, fmt.Sprintf(allNullSQL, strings.Join(columns, ", ")))
	c.Measure("types", float64(len(samples)), "")
	c.Measure("values", float64(values), "")
}

// plainOutput has every node write values in the same way.
func (c *C) plainOutput() {
	for _, node := range c.Pair().Nodes() {
		c.on(node).Do(plainOutputSQL)
	}
}

// takenSamples leaves out the optional samples that this server does not take.
func takenSamples(c *C, primary *Session) []typeSample {
	var taken []typeSample
	for _, sample := range typeSamples() {
		if sample.optional {
			if err := primary.Try("SELECT " + typedLiteral(sample.values[0], sample.sqlType)); err != nil {
				c.Logf("left out: %v", err)
				continue
			}
		}
		taken = append(taken, sample)
	}
	return taken
}

// samplesTable has a column of each type. A row holds one value, so that no
// row grows over a page's size.
func samplesTable(samples []typeSample) string {
	columns := []string{"sample int"}
	for i, sample := range samples {
		columns = append(columns, fmt.Sprintf("c%d %s", i, sample.sqlType))
	}
	return "CREATE TABLE samples (" + strings.Join(columns, ", ") + ")"
}

func sampleInserts(samples []typeSample) string {
	inserts := []string{"INSERT INTO samples (sample) VALUES (0)"}
	for i, sample := range samples {
		var rows []string
		for n, value := range sample.values {
			rows = append(rows, fmt.Sprintf("(%d, %s)", n+1, typedLiteral(value, sample.sqlType)))
		}
		inserts = append(inserts, fmt.Sprintf("INSERT INTO samples (sample, c%d) VALUES %s", i, strings.Join(rows, ", ")))
	}
	return strings.Join(inserts, ";\n")
}

// sampleQuery gives a line for each value: type, number, text, stored size
// and binary form. The binary form is that of a row, which any type can be in.
func sampleQuery(samples []typeSample) string {
	const (
		valueSQL  = `SELECT concat_ws(' | ', %s, to_char(sample, '000'), %s::text, pg_column_size(%[2]s)%s) FROM samples WHERE num_nonnulls(%[2]s) = 1`
		binarySQL = `, encode(record_send(ROW (%s)), 'hex')`
	)
	var queries []string
	for i, sample := range samples {
		column, binary := fmt.Sprintf("c%d", i), ""
		if !sample.noBinary {
			binary = fmt.Sprintf(binarySQL, column)
		}
		queries = append(queries, fmt.Sprintf(valueSQL, quoteLiteral(sample.sqlType), column, binary))
	}
	return strings.Join(queries, "\n UNION ALL ") + ` ORDER BY 1`
}

func typedLiteral(value, sqlType string) string { return quoteLiteral(value) + "::" + sqlType }

// quoteLiteral makes a string constant, with standard_conforming_strings as by default.
func quoteLiteral(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
