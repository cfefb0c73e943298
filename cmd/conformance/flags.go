package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/attach"
)

// errUsage says that the arguments make no sense together.
var errUsage = errors.New("wrong arguments")

// asked is what the flags and the environment ask for, read and checked.
type asked struct {
	list, json bool
	profile    string
	checks     []conformance.Check
	deviations conformance.Deviations
	adopt      string // file for a list of what failed
	out        string // folder of reports
	patience   float64
	servers    attach.Options
	given      []string // the flags as they were given, for the shell: see again
}

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string         { return strings.Join(*r, " ") }
func (r *repeated) Set(value string) error { *r = append(*r, value); return nil }

// read takes the arguments. It writes to stderr only when asked for help.
func read(arguments []string, environment func(string) string, stderr io.Writer) (*asked, error) {
	asked := &asked{}
	var standbys repeated
	var only, known, passwordFile string
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	// The help shows defaults, and these may hold passwords: the environment is asked later.
	flags.StringVar(&asked.servers.Primary, "primary-dsn", "", "connection string of the primary; or else $CONFORMANCE_PRIMARY_DSN")
	flags.Var(&standbys, "standby-dsn", "connection string of a standby; may be repeated; or else $CONFORMANCE_STANDBY_DSN, several on lines of their own")
	flags.StringVar(&asked.servers.Replicator.Role, "replicator-user", "", "role that may replicate, as the standbys do; or else $CONFORMANCE_REPLICATOR_USER")
	flags.StringVar(&passwordFile, "replicator-password-file", "", "file with its password; or else $CONFORMANCE_REPLICATOR_PASSWORD")
	flags.BoolVar(&asked.servers.ReadOnly, "read-only", false, "create and change nothing")
	flags.BoolVar(&asked.servers.Exclusive, "exclusive", false, "nobody else uses the servers: checks may change parameters, pause replay, use up slots")
	flags.StringVar(&asked.profile, "profile", cmp.Or(environment("CONFORMANCE_PROFILE"), "core"), strings.Join(conformance.Profiles(), ", "))
	flags.StringVar(&only, "checks", environment("CONFORMANCE_CHECKS"), "ids, patterns or chapters, separated by commas; empty is all of the profile")
	flags.BoolVar(&asked.list, "list", false, "list the checks and run none")
	flags.BoolVar(&asked.json, "json", false, "with -list: as JSON")
	flags.StringVar(&known, "deviations", "", "file with a list of checks that are known to fail")
	flags.StringVar(&asked.adopt, "write-deviations", "", "file to write such a list to, of what fails now")
	flags.Float64Var(&asked.patience, "timeout", 1, "factor on all time limits, for slow machines")
	flags.StringVar(&asked.out, "out", "conformance-report", "folder for the reports")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			flags.Usage()
			return nil, err
		}
		return nil, fmt.Errorf("read arguments: %w: %w", errUsage, err)
	}
	given := map[string]bool{}
	flags.Visit(func(one *flag.Flag) { given[one.Name] = true })
	asked.servers.Standbys = standbys
	asked.standIn(given, environment)
	asked.given = forTheShell(flags, len(standbys))
	if wrong := asked.contradiction(given, flags.Args(), environment); wrong != "" {
		return nil, fmt.Errorf("read arguments: %w: %s", errUsage, wrong)
	}
	if err := asked.choose(only, known); err != nil {
		return nil, err
	}
	if err := asked.readPassword(passwordFile, environment); err != nil {
		return nil, err
	}
	return asked, nil
}

// standIn names the servers by the environment where no flag does.
func (a *asked) standIn(given map[string]bool, environment func(string) string) {
	if !given["primary-dsn"] {
		a.servers.Primary = environment("CONFORMANCE_PRIMARY_DSN")
	}
	if text := environment("CONFORMANCE_STANDBY_DSN"); !given["standby-dsn"] && text != "" {
		a.servers.Standbys = strings.Split(strings.TrimSpace(text), "\n")
	}
	if !given["replicator-user"] {
		a.servers.Replicator.Role = environment("CONFORMANCE_REPLICATOR_USER")
	}
}

// contradiction says which arguments do not go together, or "".
func (a *asked) contradiction(given map[string]bool, rest []string, environment func(string) string) string {
	primary := given["primary-dsn"] || a.servers.Primary != "" || environment("PGHOST") != "" || environment("PGSERVICE") != ""
	switch {
	case len(rest) > 0:
		return fmt.Sprintf("there is nothing to do with %q", rest[0])
	case a.json && !a.list:
		return "-json is for -list"
	case a.list && a.adopt != "":
		return "-list runs no check, so -write-deviations has nothing to write"
	case a.servers.ReadOnly && a.servers.Exclusive:
		return "-read-only changes nothing, so -exclusive has nothing to allow"
	case given["replicator-password-file"] && a.servers.Replicator.Role == "":
		return "-replicator-password-file needs -replicator-user"
	case a.patience <= 0:
		return fmt.Sprintf("-timeout %g is no factor: it must be above 0", a.patience)
	case a.list:
	case !primary:
		return "name the primary by -primary-dsn, $CONFORMANCE_PRIMARY_DSN, $PGHOST or $PGSERVICE"
	case len(a.servers.Standbys) == 0:
		return "name at least one standby by -standby-dsn or $CONFORMANCE_STANDBY_DSN"
	}
	return ""
}

// choose finds the checks, and the deviations that are known of them.
func (a *asked) choose(only, known string) (err error) {
	if a.checks, err = conformance.Profile(a.profile); err != nil {
		return err
	}
	if known != "" {
		if a.deviations, err = readDeviations(known); err != nil {
			return err
		}
		if err := a.deviations.Match(conformance.All()); err != nil {
			return fmt.Errorf("%s: %w", known, err)
		}
	}
	if only != "" {
		if a.checks, err = conformance.Select(a.checks, strings.Split(only, ",")...); err != nil {
			return err
		}
	}
	a.deviations = a.deviations.For(a.checks)
	if a.adopt == "" {
		return nil
	}
	if _, err := os.Stat(a.adopt); err == nil {
		return fmt.Errorf("write deviations: %w: %s is there already", errUsage, a.adopt)
	}
	return nil
}

func readDeviations(path string) (conformance.Deviations, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read deviations: %w", err)
	}
	defer file.Close() //nolint:errcheck // it is only read
	known, err := conformance.ReadDeviations(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return known, nil
}

func (a *asked) readPassword(path string, environment func(string) string) error {
	a.servers.Replicator.Password = environment("CONFORMANCE_REPLICATOR_PASSWORD")
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read password of the replication role: %w", err)
	}
	a.servers.Replicator.Password = strings.TrimRight(string(text), "\r\n")
	return nil
}
