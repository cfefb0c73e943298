package diagnose

import (
	"fmt"
	"strings"
	"time"
)

// Diagnosis is the one answer to why there is no pair. No field holds a
// password.
type Diagnosis struct {
	ID         string        // of the mistake, such as "wrong-password"
	Server     string        // the service to look at first
	Missing    string        // the fact that is missing, and whose it is
	Since      time.Duration // how long it has been waited for
	Cause      string        // one sentence
	Cure       string
	Evidence   string    // the log line or fact that shows it
	Proved     time.Time // when that line was written; zero where a fact shows it
	At         time.Time // when the evidence was gathered
	Conclusive bool      // waiting longer cannot help
	LastErrors []LastError
}

// LastError is the last failure that a server told of.
type LastError struct {
	Server string
	Text   string // empty when it told of none
}

// Text tells it all, in several lines.
func (d *Diagnosis) Text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", d.ID)
	fmt.Fprintf(&text, "missing:  %s, for %s\n", d.Missing, d.Since.Round(time.Millisecond))
	fmt.Fprintf(&text, "cause:    %s\n", d.Cause)
	fmt.Fprintf(&text, "cure:     %s\n", d.Cure)
	fmt.Fprintf(&text, "evidence: %s\n", d.Evidence)
	for _, last := range d.LastErrors {
		said := last.Text
		if said == "" {
			said = "none"
		}
		fmt.Fprintf(&text, "last error of %s: %s\n", last.Server, said)
	}
	return text.String()
}

// Of says why there is no pair. The first conclusive rule wins, otherwise the
// first that fits; the last rule always fits.
func Of(evidence *Evidence) *Diagnosis {
	scene := newScene(evidence)
	var chosen *rule
	var found match
	for i := range rules {
		one, ok := rules[i].find(scene)
		if !ok || chosen != nil && !one.conclusive {
			continue
		}
		chosen, found = &rules[i], one
		if found.conclusive {
			break
		}
	}
	diagnosis := chosen.tell(scene, found)
	return diagnosis
}

// Advise names what does not keep servers from being a pair, but should not
// be so.
func Advise(evidence *Evidence) []Diagnosis {
	scene := newScene(evidence)
	var given []Diagnosis
	for i := range advice {
		if found, ok := advice[i].find(scene); ok {
			given = append(given, *advice[i].tell(scene, found))
		}
	}
	return given
}

// Mistake is a rule for the reader of a list.
type Mistake struct {
	ID      string
	Mistake string // what was done wrong
	Sees    string // how it shows
	Cure    string // with names in angle brackets for what the recipe calls them
	Advice  bool   // it keeps nobody from being a pair
}

// Mistakes lists what the package knows, in the order in which it looks.
func Mistakes() []Mistake {
	var all []Mistake
	for _, one := range rules {
		all = append(all, one.mistake(false))
	}
	for _, one := range advice {
		all = append(all, one.mistake(true))
	}
	return all
}
