package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A name that nothing records is a drawing that nobody sees.
func TestChecksRecordTheSeriesThatAreDrawn(t *testing.T) {
	units := recorded(t)
	for _, known := range drawnSeries {
		assert.NotEmpty(t, units[known], "no check records a series %s", known)
	}
	assert.Equal(t, []string{"writes"}, units[gapSeries], "else every point would count as a write")
}

// recorded gives the units of y of each known series that the checks record:
// C.Series(name, x, y, points), C.Watch(name, y, read).
func recorded(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../conformance/*.go")
	require.NoError(t, err)
	units := map[string][]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if unit, records := map[string]int{"Series": 2, "Watch": 1}[method.Sel.Name]; records && len(call.Args) > unit {
				for _, known := range drawnSeries {
					if strings.HasPrefix(text(call.Args[0]), known) {
						units[known] = append(units[known], text(call.Args[unit]))
					}
				}
			}
			return true
		})
	}
	return units
}

// text is the value of a string literal, or "".
func text(expression ast.Expr) string {
	literal, ok := expression.(*ast.BasicLit)
	if !ok {
		return ""
	}
	value, _ := strconv.Unquote(literal.Value) // "" is no name
	return value
}
