package diagnose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scene is the evidence as the rules ask for it.
type scene struct {
	*Evidence
	alike bool // every server has a script that can make it a standby
}

func newScene(evidence *Evidence) *scene {
	alike := !slices.ContainsFunc(evidence.Servers, func(server Server) bool { return !server.clones() })
	return &scene{evidence, alike}
}

// missing names the missing fact and whose it is.
func (s *scene) missing() string {
	switch {
	case s.Missing.Fact == "":
		return "a pair that replicates"
	case s.Missing.Server == "":
		return s.Missing.Fact
	}
	return s.Missing.Server + ": " + s.Missing.Fact
}

// primary is the server that should be the primary: one that takes writes and
// was not meant for a standby, or else one that was not meant for a standby.
// Where all servers are alike, it is the one that takes writes.
func (s *scene) primary() *Server {
	var meant, writer *Server
	for i := range s.Servers {
		server := &s.Servers[i]
		switch {
		case server.takesWrites() && !s.isStandby(server):
			return server
		case server.takesWrites() && writer == nil:
			writer = server
		case !s.isStandby(server) && meant == nil:
			meant = server
		}
	}
	if meant == nil {
		return writer
	}
	return meant
}

// primaryAnswers says whether a server takes connections and writes.
func (s *scene) primaryAnswers() bool {
	return slices.ContainsFunc(s.Servers, func(server Server) bool { return server.takesWrites() })
}

// service finds a service of the recipe by one of its names.
func (s *scene) service(name string) *Service {
	for i := range s.Servers {
		if s.Servers[i].answersTo(name) {
			return &s.Servers[i].Service
		}
	}
	for i := range s.Others {
		if s.Others[i].answersTo(name) {
			return &s.Others[i]
		}
	}
	return nil
}

func (s *Service) answersTo(name string) bool {
	return s.Name == name || slices.Contains(s.Names, name)
}

// port is where a service's server listens.
func (s *Service) port() string {
	if s.Port != 0 {
		return strconv.Itoa(int(s.Port))
	}
	return cmp.Or(s.Environment["PGPORT"], strconv.Itoa(serverPort))
}

// sharedNetwork is a network that two services are on, or empty.
func (s *Service) sharedNetwork(other *Service) string {
	for _, one := range s.Networks {
		if slices.Contains(other.Networks, one) {
			return one
		}
	}
	return ""
}

// mayStillAct says whether something of the recipe runs that could change the
// primary by SQL: a service that sets things up, or a script around a server.
func (s *scene) mayStillAct() bool {
	services := slices.Clone(s.Others)
	for _, server := range s.Servers {
		services = append(services, server.Service)
	}
	return slices.ContainsFunc(services, func(service Service) bool {
		ended := service.Container.State == "exited" || service.Container.State == "dead"
		return !ended && strings.Contains(service.script(), "psql")
	})
}

// Ended says whether a service's container has ended and stays so.
func (s *Service) Ended() bool {
	stays := s.Container.Restart != "always" && s.Container.Restart != "unless-stopped"
	return stays && (s.Container.State == "exited" || s.Container.State == "dead")
}

// initFolder is where the image looks for what it runs once, before it
// listens on TCP.
const initFolder = "/docker-entrypoint-initdb.d"

// script is all that a service runs after its initialisation, as far as the
// recipe shows it.
func (s *Service) script() string {
	text := strings.Join(s.Command, " ")
	for _, file := range s.Files {
		if !strings.HasPrefix(file.Path, initFolder) {
			text += "\n" + file.Text
		}
	}
	return strings.ReplaceAll(text, "\\\n", " ")
}

// backup is a call of pg_basebackup up to the end of its command.
var backup = regexp.MustCompile(`pg_basebackup\b([^\n;&|]*)`)

// hasOption says whether the recipe calls pg_basebackup with an option.
func (s *Service) hasOption(option *regexp.Regexp) bool {
	return slices.ContainsFunc(backup.FindAllString(s.script(), -1), option.MatchString)
}

// Options of pg_basebackup, short ones also in a group such as -RPW.
var (
	asksPassword   = regexp.MustCompile(`\s(?:-[a-zA-Z]*W|--password)(?:\s|"|'|$)`)
	writesRecovery = regexp.MustCompile(`\s(?:-[a-zA-Z]*R[a-zA-Z]*|--write-recovery-conf)(?:\s|"|'|$)`)
)

// isStandby says whether a server is or was meant to be a standby.
func (s *scene) isStandby(server *Server) bool {
	if server.Answer != nil && server.Answer.InRecovery || !s.alike && server.clones() {
		return true
	}
	for _, said := range []string{"pg_basebackup: ", "could not connect to the primary server", "could not start WAL streaming"} {
		if server.logged(said) != nil {
			return true
		}
	}
	return false
}

// clones says whether a service has a script that makes a standby.
func (s *Service) clones() bool {
	script := s.script()
	return strings.Contains(script, "pg_basebackup") || strings.Contains(script, "standby.signal")
}

func (s *Server) takesWrites() bool { return s.Answer != nil && !s.Answer.InRecovery }

// logged gives the first line of a server's log that holds a text.
func (s *Server) logged(text string) *Line { return s.loggedAfter(text, time.Time{}) }

// loggedAfter gives the first such line that was written after a moment.
func (s *Server) loggedAfter(text string, moment time.Time) *Line {
	for i := range s.Log {
		if s.Log[i].At.After(moment) && strings.Contains(s.Log[i].Text, text) {
			return &s.Log[i]
		}
	}
	return nil
}

// lastError is the last line that tells of a failure.
func (s *Server) lastError() Line {
	for _, line := range slices.Backward(s.Log) {
		if tellsError(line.Text) {
			return line
		}
	}
	return Line{}
}

// replication says how a server stands in replication, as far as it knows.
func (a *Answer) replication() string {
	list := func(names []string) string { return cmp.Or(strings.Join(names, ", "), "none") }
	if a.InRecovery {
		return fmt.Sprintf("is in recovery; primary_conninfo: %s; primary_slot_name: %s; WAL receiver: %s",
			cmp.Or(a.ConnectionInfo, "none"), cmp.Or(a.SlotName, "none"), cmp.Or(a.Receiver, "none"))
	}
	return fmt.Sprintf("takes writes; WAL senders: %s; slots: %s", list(a.Senders), list(a.Slots))
}

// identity says which cluster a server belongs to.
func (a *Answer) identity() string {
	role := "takes writes"
	if a.InRecovery {
		role = "is in recovery"
	}
	return fmt.Sprintf("%s, system identifier %d", role, a.SystemIdentifier)
}
