package conformance

import (
	"math"
	"strconv"
	"strings"
)

// equals says whether a value as one may write it is what the server holds.
//
// Source: PostgreSQL documentation, "Parameter Names and Values".
func (h heldSetting) equals(written string) bool {
	switch h.Type {
	case "bool":
		on, ok := boolean(written)
		return ok && on == (h.Setting == "on")
	case "enum":
		return strings.EqualFold(written, h.Setting) || strings.EqualFold(written, h.Shown)
	case "integer", "real":
		held, err := strconv.ParseFloat(h.Setting, 64)
		if err != nil {
			return false
		}
		want, ok := inUnit(written, h.Unit)
		if h.Type == "integer" {
			want = math.RoundToEven(want)
		}
		return ok && want == held
	}
	return written == h.Setting
}

// boolean reads on, off, true, false, yes, no, 1, 0 and their unambiguous
// beginnings.
func boolean(written string) (on, ok bool) {
	text := strings.ToLower(written)
	starts := func(word string, least int) bool { return len(text) >= least && strings.HasPrefix(word, text) }
	switch {
	case text == "1", starts("true", 1), starts("yes", 1), text == "on":
		return true, true
	case text == "0", starts("false", 1), starts("no", 1), starts("off", 2):
		return false, true
	}
	return false, false
}

// inUnit converts a number, with or without a unit, to a parameter's unit
// (B, kB, 8kB, MB, ... or us, ms, s, min, h, d; empty for none).
func inUnit(written, unit string) (float64, bool) {
	number := strings.TrimSpace(written)
	digits := len(strings.TrimRight(number, "BkMGTusminhd "))
	suffix := strings.TrimSpace(number[digits:])
	value, err := strconv.ParseFloat(number[:digits], 64)
	if err != nil {
		return 0, false
	}
	if suffix == "" {
		return value, true
	}
	from, fromKind := unitSize(suffix)
	to, toKind := unitSize(unit)
	if fromKind == "" || fromKind != toKind {
		return 0, false
	}
	return value * from / to, true
}

// unitSize gives a unit in bytes or microseconds. Memory parameters may count
// in blocks, such as 8kB.
func unitSize(unit string) (size float64, kind string) {
	name := strings.TrimLeft(unit, "0123456789")
	count := 1.0
	if blocks := unit[:len(unit)-len(name)]; blocks != "" {
		count, _ = strconv.ParseFloat(blocks, 64) // only digits
	}
	switch name {
	case "B":
		return count, "memory"
	case "kB":
		return count * (1 << 10), "memory"
	case "MB":
		return count * (1 << 20), "memory"
	case "GB":
		return count * (1 << 30), "memory"
	case "TB":
		return count * (1 << 40), "memory"
	case "us":
		return count, "time"
	case "ms":
		return count * 1e3, "time"
	case "s":
		return count * 1e6, "time"
	case "min":
		return count * 60e6, "time"
	case "h":
		return count * 3600e6, "time"
	case "d":
		return count * 86400e6, "time"
	}
	return 0, ""
}
