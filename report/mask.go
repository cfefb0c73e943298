package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// masked stands where a secret stood.
const masked = "***"

// named is a setting whose value is a secret, up to the value:
// password=, POSTGRES_PASSWORD:, "password":, \"sslpassword\":, DB_PASS:, pass=.
// The word pass before a colon is a verdict.
const named = `(?i)((?:(?:password|passwd|passphrase|pgpass|_pass|pwd|secret|token)(?:\\?["'])?\s*(?:=>|=|:)|pass(?:\\?["'])?\s*=)\s*)`

// leak is a form in which text gives a password away.
type leak struct {
	form   *regexp.Regexp
	hidden string
}

// leaks rather hide too much than too little. Masked text is masked to itself.
var leaks = [...]leak{ //nolint:gochecknoglobals // a constant list
	// postgres://user:SECRET@host. A password may hold any character, so
	// that the last @ of the word ends it.
	{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@"'<>]*:)[^\s"'<>]+@`), "${1}" + masked + "@"},
	{regexp.MustCompile(named + `'(?:[^'\\\n]|\\.|'')*'(?:\w[^\s'"]*)?`), "${1}'" + masked + "'"},
	{regexp.MustCompile(named + `(\\?")(?:[^"\\\n]|\\[^"])*\\?"`), "${1}${2}" + masked + "${2}"},
	{regexp.MustCompile(named + `[^\s'"\\][^\s'"]*`), "${1}" + masked},
	{regexp.MustCompile(`(?m)` + named + `(['"])[^'"\n]*$`), "${1}${2}" + masked}, // cut off
	// ALTER ROLE r PASSWORD 'SECRET'
	{regexp.MustCompile(`(?i)(\bpassword\s+E?')(?:[^'\n]|'')*('?)`), "${1}" + masked + "${2}"},
}

// Mask hides the passwords in text that looks like a connection string, a
// setting or a statement. It knows forms, not passwords: a password that
// stands alone is not recognised.
//
// Source: PostgreSQL documentation, "34.1.1. Connection Strings".
func Mask(text string) string {
	if !suspicious(text) {
		return text
	}
	for _, leak := range leaks {
		text = leak.form.ReplaceAllString(text, leak.hidden)
	}
	return text
}

// suspicious says whether any form could match. Most text is not, and the
// forms are slow.
func suspicious(text string) bool {
	if strings.Contains(text, "://") {
		return true
	}
	lower := strings.ToLower(text)
	return slices.ContainsFunc([]string{"pass", "pwd", "secret", "token"}, func(word string) bool {
		return strings.Contains(lower, word)
	})
}

// MaskLine hides the passwords in one line of go test -json. Every string of
// the event is looked at; the line is given back as it is when there is
// nothing to hide.
func MaskLine(line []byte) []byte {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil || fields["Action"] == nil {
		return []byte(Mask(string(line)))
	}
	changed := false
	for name, value := range fields {
		text, ok := value.(string)
		if !ok {
			continue
		}
		if hidden := Mask(text); hidden != text {
			fields[name], changed = hidden, true
		}
	}
	if !changed {
		return line
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Appendf(nil, `{"Action":"output","Output":"an event could not be masked: %T"}`, err)
	}
	return text
}

// mask hides the passwords in what an event carries.
func (e *Event) mask() {
	e.Output, e.Value = Mask(e.Output), Mask(e.Value)
}
