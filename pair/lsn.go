package pair

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in the write-ahead log, in bytes since its beginning.
//
// Source: PostgreSQL documentation, "pg_lsn Type".
type LSN uint64

// ParseLSN reads the form that PostgreSQL prints, such as 16/B374D848.
func ParseLSN(text string) (LSN, error) {
	high, low, found := strings.Cut(text, "/")
	if !found {
		return 0, fmt.Errorf("parse LSN %q: want two hexadecimal numbers with a slash between", text)
	}
	h, err := parseHalf(high)
	if err != nil {
		return 0, fmt.Errorf("parse LSN %q: %w", text, err)
	}
	l, err := parseHalf(low)
	if err != nil {
		return 0, fmt.Errorf("parse LSN %q: %w", text, err)
	}
	return LSN(h<<32 | l), nil
}

func parseHalf(text string) (uint64, error) {
	// PostgreSQL takes one to eight digits; ParseUint alone would take zeros without end.
	if len(text) > 8 {
		return 0, fmt.Errorf("%q has more than 8 digits", text)
	}
	return strconv.ParseUint(text, 16, 32)
}

// String gives the form that PostgreSQL prints.
func (l LSN) String() string {
	return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) //nolint:gosec // the halves are cut on purpose
}

// Scan reads a pg_lsn column; NULL becomes 0, which no record ever has.
func (l *LSN) Scan(source any) error {
	switch value := source.(type) {
	case nil:
		*l = 0
		return nil
	case string:
		parsed, err := ParseLSN(value)
		*l = parsed
		return err
	default:
		return fmt.Errorf("scan LSN: cannot read a %T", source)
	}
}
