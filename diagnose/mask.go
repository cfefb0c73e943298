package diagnose

import (
	"regexp"
	"slices"
	"strings"
)

const masked = "***"

// leaks are the forms in which a line gives a password away: a connection
// string of either kind, a setting, a statement.
var leaks = [...]struct { //nolint:gochecknoglobals // a constant list
	form   *regexp.Regexp
	hidden string
}{
	{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@"'<>]*:)[^\s"'<>]+@`), "${1}" + masked + "@"},
	{regexp.MustCompile(`(?i)((?:passw(?:or)?d|[a-z]_pass|.pwd)\s*[=:]\s*)(?:\\?"[^"]*"|\\?'[^']*'|[^\s"']+)`), "${1}" + masked},
	{regexp.MustCompile(`(?i)(\bpassword\s+E?')(?:[^']|'')*('|$)`), "${1}" + masked + "${2}"},
}

var (
	// secretName is a variable that holds a password. PWD alone is a folder.
	secretName = regexp.MustCompile(`(?i)pass|.pwd|secret|token`)
	// fileName is one that holds the path of a file.
	fileName = regexp.MustCompile(`(?i)file$`)
	// publicName is one that holds the name of a role or a database.
	publicName = regexp.MustCompile(`(?i)user|role|_db$|database|dbname`)
)

// masker hides passwords: in the forms above, and those that the recipe
// names, wherever they stand.
//
// Source of the forms: PostgreSQL documentation, "Connection Strings".
type masker struct{ secrets *regexp.Regexp }

// newMasker collects the passwords of a recipe. A password that is also the
// name of a role, a database or a service, such as postgres, is left alone
// where it stands by itself: nobody could tell which is meant, and every line
// would be full of stars.
func newMasker(evidence *Evidence) masker {
	secrets, names := slices.Clone(evidence.Secrets), []string(nil)
	services := slices.Clone(evidence.Others)
	for _, server := range evidence.Servers {
		services = append(services, server.Service)
	}
	for _, service := range services {
		names = append(names, service.Name, service.User)
		for key, value := range service.Environment {
			switch {
			case fileName.MatchString(key):
			case secretName.MatchString(key):
				secrets = append(secrets, value)
			case publicName.MatchString(key):
				names = append(names, value)
			}
		}
	}
	names = append(names, "postgres", "replication", "replicator", "trust", "password")
	secrets = slices.DeleteFunc(secrets, func(secret string) bool {
		return secret == "" || slices.Contains(names, secret)
	})
	if len(secrets) == 0 {
		return masker{}
	}
	slices.Sort(secrets)
	slices.Reverse(secrets) // of two that begin alike the longer one first
	var forms []string
	for _, secret := range secrets {
		form := regexp.QuoteMeta(secret)
		if len(secret) < shortSecret {
			form = `\b` + form + `\b`
		}
		forms = append(forms, form)
	}
	return masker{regexp.MustCompile(strings.Join(forms, "|"))}
}

// shortSecret is the length below which a password is hidden as a word only:
// a single letter is in every line.
const shortSecret = 4

// Hide gives a text of the recipe's servers or engine without passwords: those
// that the recipe names, and those that show by their form.
func (e *Evidence) Hide(text string) string { return newMasker(e).hide(text) }

func (m masker) hide(text string) string {
	for _, leak := range leaks {
		text = leak.form.ReplaceAllString(text, leak.hidden)
	}
	if m.secrets != nil {
		text = m.secrets.ReplaceAllString(text, masked)
	}
	return text
}
