package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzFormats puts a text wherever a stream can carry text: every format can
// be written, and is what it should be.
func FuzzFormats(f *testing.F) {
	for _, seed := range []string{"", hostile, "\xff\xfe", "]]>", "{{", "\u2028", "password=x", "a\r\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		run := everywhere(text)
		page := written(t, "html", run)
		assert.Equal(t, 1, strings.Count(page, "<script"), "one script")
		hides(t, page, "ZgotmplZ", "a value stands where the template cannot escape it")
		assert.True(t, json.Valid([]byte(written(t, "results", run))))
		decoder := xml.NewDecoder(strings.NewReader(written(t, "junit", run)))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				require.NoError(t, err)
			}
		}
		for _, format := range []string{"summary", "markdown", "annotations"} {
			hides(t, written(t, format, run), "\x1b", format)
		}
	})
}
