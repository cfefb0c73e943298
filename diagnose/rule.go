package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rule is one mistake: how to recognise it, and what to say.
type rule struct {
	id    string
	what  string
	sees  string
	cause string // {server}, {primary} and the values of the match stand for names
	cure  string
	log   saying                    // what a log must say; empty is nothing
	when  func(*scene, *match) bool // what else must hold; it may complete the match
}

// saying is what a server's log must say.
type saying struct {
	any     []string       // one of these texts
	but     string         // and not this one; empty is none
	pattern *regexp.Regexp // what the line must look like too; its named groups are values
	standby bool           // only a standby's log counts: the primary tells the same from its side
	curable bool           // another session could cure it while the servers run
	reached bool           // only what is said while the primary takes connections counts
}

// match is how a rule fits the evidence.
type match struct {
	server     *Server
	line       Line // that shows it
	values     map[string]string
	conclusive bool
}

const (
	// apart is what lies between two occasions of one error: an error may be
	// told in two lines at once.
	apart = 500 * time.Millisecond
	// repeats is how often an error must be seen before it counts as lasting.
	repeats = 2
	// patience is the same while something is at work that could cure it.
	patience = 15
	// recent is how long ago the last occasion may be: the WAL receiver tries
	// again every wal_retrieve_retry_interval, 5 s by default.
	recent = 15 * time.Second
)

func (r *rule) find(scene *scene) (match, bool) {
	if len(r.log.any) == 0 {
		found := match{values: map[string]string{}}
		ok := r.when(scene, &found)
		return found, ok
	}
	var chosen match
	fits := false
	for i := range scene.Servers {
		found, ok := r.log.find(scene, &scene.Servers[i])
		if !ok || r.when != nil && !r.when(scene, &found) {
			continue
		}
		if !fits || found.conclusive && !chosen.conclusive {
			chosen, fits = found, true
		}
	}
	return chosen, fits
}

// find looks for the saying in one server's log. It is conclusive when the
// server's container ended over it, or when it has come again and again.
func (s saying) find(scene *scene, server *Server) (match, bool) {
	found := match{server: server}
	if s.standby && !scene.isStandby(server) {
		return found, false
	}
	var from time.Time
	if s.reached {
		primary := scene.primary()
		if primary == nil || !primary.takesWrites() {
			return found, false
		}
		from = primary.Answered
	}
	occasions, need := 0, repeats
	if s.curable && scene.mayStillAct() {
		need = patience
	}
	var last time.Time
	for _, line := range server.Log {
		values, ok := s.fits(line.Text)
		if !ok || line.At.Before(from) {
			continue
		}
		if occasions == 0 || line.At.Sub(last) >= apart {
			occasions++
			last = line.At
			if occasions <= need {
				found.line, found.values = line, values
			}
		}
		if server.Ended() && !line.At.Before(server.Container.Started) {
			found.line, found.values, found.conclusive = line, values, true
			return found, true
		}
	}
	found.conclusive = occasions >= need && scene.At.Sub(last) <= recent
	return found, occasions > 0
}

func (s saying) fits(line string) (values map[string]string, ok bool) {
	if !slices.ContainsFunc(s.any, func(text string) bool { return strings.Contains(line, text) }) {
		return nil, false
	}
	if s.but != "" && strings.Contains(line, s.but) {
		return nil, false
	}
	values = map[string]string{}
	if s.pattern == nil {
		return values, true
	}
	groups := s.pattern.FindStringSubmatch(line)
	if groups == nil {
		return nil, false
	}
	for i, name := range s.pattern.SubexpNames() {
		if name != "" && groups[i] != "" {
			values[name] = groups[i]
		}
	}
	return values, true
}

// tell writes the diagnosis out.
func (r *rule) tell(scene *scene, found match) *Diagnosis {
	masker := newMasker(scene.Evidence)
	values := map[string]string{"server": "the server", "primary": "the primary"}
	if primary := scene.primary(); primary != nil {
		values["primary"] = primary.Name
	}
	if found.server != nil {
		values["server"] = found.server.Name
	}
	for name, value := range found.values {
		values[name] = masker.hide(value)
	}
	diagnosis := &Diagnosis{
		ID: r.id, Since: scene.Missing.Since, Missing: masker.hide(scene.missing()),
		Cause: fill(r.cause, values), Cure: fill(r.cure, values),
		Evidence: masker.hide(oneLine(found.line.Text)), Conclusive: found.conclusive,
		Proved: found.line.At, At: scene.At,
	}
	if found.server != nil {
		diagnosis.Server = found.server.Name
		if diagnosis.Evidence != "" {
			diagnosis.Evidence = found.server.Name + ": " + diagnosis.Evidence
		}
	}
	if diagnosis.Evidence == "" {
		diagnosis.Evidence = "none but the missing fact"
	}
	for _, server := range scene.Servers {
		diagnosis.LastErrors = append(diagnosis.LastErrors, LastError{
			Server: server.Name, Text: masker.hide(strings.Join(strings.Fields(cmp.Or(server.lastError().Text, server.Error)), " ")),
		})
	}
	return diagnosis
}

// oneLine shows the ends of lines, but for the last, as a compose file would.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n`)
}

var placeholder = regexp.MustCompile(`\{([a-z]+)\}`)

func fill(template string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(template, func(name string) string {
		if value, known := values[name[1:len(name)-1]]; known {
			return value
		}
		return "?"
	})
}

func (r *rule) mistake(advice bool) Mistake {
	return Mistake{
		ID: r.id, Mistake: r.what, Sees: r.sees, Advice: advice,
		Cure: placeholder.ReplaceAllString(r.cure, "<$1>"),
	}
}
