package conformance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFirstDifference(t *testing.T) {
	for name, test := range map[string]struct {
		want, got []string
		says      string
	}{
		"equal":        {[]string{"a", "b"}, []string{"a", "b"}, ""},
		"both empty":   {nil, []string{}, ""},
		"another row":  {[]string{"a", "b"}, []string{"a", "c"}, `row 2 is "c", must be "b"`},
		"one too few":  {[]string{"a", "b"}, []string{"a"}, `1 rows, must be 2; the first missing is "b"`},
		"one too many": {[]string{"a"}, []string{"a", "b"}, `2 rows, must be 1; the first too many is "b"`},
		"nothing":      {[]string{"a"}, nil, `0 rows, must be 1; the first missing is "a"`},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.says, firstDifference(test.want, test.got)) })
	}
}

func TestShortenGivesOneShortLine(t *testing.T) {
	assert.Equal(t, "SELECT 1 FROM t", shorten("\n SELECT 1\n\tFROM t "))
	long := shorten(strings.Repeat("ü", 1000))
	assert.Equal(t, strings.Repeat("ü", 300)+"…", long)
}

func TestQuoteLiteral(t *testing.T) {
	assert.Equal(t, `'it''s \n'::text`, typedLiteral(`it's \n`, "text"))
}

func TestJudges(t *testing.T) {
	assert.Empty(t, judgeBalance([]int64{allMoney - 7, 7}))
	assert.Contains(t, judgeBalance([]int64{allMoney - 8, 7}), "half a transaction")
	assert.Empty(t, judgeOrder([]int64{3, 3}))
	assert.Empty(t, judgeOrder([]int64{3, 4}), "the cause may come first")
	assert.NotEmpty(t, judgeOrder([]int64{4, 3}), "an effect without its cause")
	assert.NotEmpty(t, judgeOrder([]int64{3, 5}), "the next cause before the effect")
}

func TestDefinitionsAreOneOfEachKind(t *testing.T) {
	seen := map[string]bool{}
	for _, definition := range definitions() {
		assert.False(t, seen[definition.what], definition.what)
		seen[definition.what] = true
		assert.NotEqual(t, definition.sql, definition.proof, definition.what)
	}
}
