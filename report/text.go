package report

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// terminalSequence is colour or cursor control.
//
// Source: ECMA-48, 5.4 "Control sequences".
var terminalSequence = regexp.MustCompile(`\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]`)

// clean removes what is for terminals only: colours and control characters,
// but for line breaks and tabs, and characters that turn the direction of text.
func clean(text string) string {
	text = Mask(text)
	if strings.Contains(text, "\x1b[") {
		text = terminalSequence.ReplaceAllString(text, "")
	}
	return strings.Map(func(r rune) rune {
		if (unicode.IsControl(r) && r != '\n' && r != '\t') || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text)
}

// printed is the output of a test as lines, without what the testing package
// frames it with.
func printed(output []string) []string {
	var lines []string
	for text := range strings.Lines(strings.Join(output, "")) {
		if text = strings.TrimRight(clean(text), " \t\r\n"); worthReading(text) {
			lines = append(lines, text)
		}
	}
	return lines
}

// logged is a line that testing.T wrote: file, line number, text.
var logged = regexp.MustCompile(`^ +([\w.-]+\.go):(\d+): (.*)$`)

// split parts the output of a check into what it says it saw, which follows a
// line "<verdict>: <obligation>", and the rest.
func (c *Check) split(output []string) {
	var seen, log []string
	mine := false
	for _, line := range printed(output) {
		found := logged.FindStringSubmatch(line)
		switch {
		case len(found) == 4 && found[3] == c.Verdict+": "+c.Obligation:
			mine = true
			c.File, c.Line = found[1], atoi(found[2])
		case found != nil || !strings.HasPrefix(line, "        "):
			mine = false
			log = append(log, strings.TrimPrefix(line, "    "))
		case mine:
			seen = append(seen, strings.TrimPrefix(line, "        "))
		default:
			log = append(log, strings.TrimPrefix(line, "    "))
		}
	}
	seen = take(seen, "consequence: ", &c.Consequence)
	seen = take(seen, "cure: ", &c.Cure)
	c.Seen, c.Log = strings.Join(seen, "\n"), strings.Join(log, "\n")
}

// take removes the line with a prefix from lines. What follows the prefix goes
// into where, unless something stands there already.
func take(lines []string, prefix string, where *string) []string {
	var rest []string
	for _, line := range lines {
		text, found := strings.CutPrefix(line, prefix)
		switch {
		case !found:
			rest = append(rest, line)
		case *where == "":
			*where = text
		}
	}
	return rest
}

// locate finds the place in the source that a test's output names.
func locate(output []string) (file string, line int) {
	for _, text := range printed(output) {
		if found := logged.FindStringSubmatch(text); found != nil {
			file, line = found[1], atoi(found[2])
		}
	}
	return file, line
}

// place tells where a test is. A log line names the file only, its folder is
// the package's.
func (r *Run) place(test *testRun, file string, line int) Location {
	location := Location{Package: clean(test.Package), Test: clean(test.Name)}
	if file != "" {
		location.File, location.Line = clean(path.Join(r.folder(test.Package), file)), line
	}
	return location
}

// folder is the package's folder relative to the module, where that is known.
func (r *Run) folder(pkg string) string {
	if inside, ok := strings.CutPrefix(pkg, r.Module); ok && r.Module != "" {
		return strings.TrimPrefix(inside, "/")
	}
	return pkg
}

// reproduce is the command that runs one test again.
func (r *Run) reproduce(test *testRun) string {
	where := test.Package
	if folder := r.folder(test.Package); folder != where {
		where = "./" + folder
	}
	parts := strings.Split(clean(test.Name), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return "go test " + quote(where) + " -count 1 -v -run " + quote(strings.Join(parts, "/"))
}

// quote makes one word of text for a POSIX shell.
func quote(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("./_-", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func atoi(digits string) int {
	number, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return number
}
