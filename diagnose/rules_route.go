package diagnose

import (
	"regexp"
	"strings"
	"time"
)

// notTranslated is how libpq says that a name is not resolved.
const notTranslated = "could not translate host name"

var untranslatedHost = regexp.MustCompile(notTranslated + ` "(?P<host>[^"]*)"`)

// routeRules are a standby that does not reach the primary.
var routeRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "wrong-host", what: "the standby connects to a host name that is no service",
		sees:  "`could not translate host name \"…\" to address`, again and again, while the primary answers",
		cause: "{server} connects to {host}, and the recipe has no service of that name; its servers are {services}",
		cure:  "Give pg_basebackup (and primary_conninfo) of {server} the service name of the primary: --host={primary}.",
		log:   saying{standby: true, any: []string{notTranslated}, pattern: untranslatedHost},
		when: func(scene *scene, found *match) bool {
			for i, server := range scene.Servers {
				if i > 0 {
					found.values["services"] += ", "
				}
				found.values["services"] += server.Name
			}
			if scene.service(found.values["host"]) != nil {
				return false
			}
			if !found.server.Ended() { // a name that the recipe does not show may come with the primary
				lasting := saying{reached: true, any: []string{notTranslated}, pattern: untranslatedHost}
				told, _ := lasting.find(scene, found.server)
				if found.conclusive = told.conclusive; told.conclusive {
					found.line = told.line
				}
			}
			return true
		},
	},
	{
		id: "networks-apart", what: "primary and standby share no network",
		sees:  "`could not translate host name \"…\"` for a service that runs",
		cause: "{server} cannot resolve {host}, although that service runs: they share no network",
		cure:  "Put both services on one network: the same entry under `networks:`, or none at all.",
		log:   saying{standby: true, reached: true, any: []string{notTranslated}, pattern: untranslatedHost},
		when: func(scene *scene, found *match) bool {
			other := scene.service(found.values["host"])
			return other != nil && found.server.sharedNetwork(other) == ""
		},
	},
	{
		id: "name-not-resolved", what: "a name is not resolved although both services are on one network",
		sees:  "`could not translate host name \"…\"` for a service on the same network",
		cause: "{server} cannot resolve {host}, although both are on the network {network}: no container of {host} runs, or the engine's name service fails",
		cure:  "Look whether {host} runs: `docker compose ps`. If it does, remove the project and start it again; an engine forgets the names of running containers when it leaves a swarm.",
		log:   saying{standby: true, any: []string{notTranslated}, pattern: untranslatedHost},
		when: func(scene *scene, found *match) bool {
			other := scene.service(found.values["host"])
			if other == nil {
				return false
			}
			found.values["network"] = found.server.sharedNetwork(other)
			found.conclusive = false // names come back
			return found.values["network"] != ""
		},
	},
	{
		id: "ports-out-of-reach", what: "the suite runs where published ports are not, such as in a container that has the engine's socket",
		sees:  "the servers are ready, `dial tcp 127.0.0.1:…: connect: connection refused` here",
		cause: "{server} accepts connections, and the port that the engine publishes for it is not on this process's loopback: they are in different networks, as in a container that has the engine's socket",
		cure:  "Give that container the host's network (`--network host`), and the compose files under the same path as on the host.",
		when:  portsOutOfReach,
	},
	{
		id: "listens-on-loopback", what: "`listen_addresses` is localhost",
		sees:  "`Connection refused` on the standby; the primary logs `listening on IPv4 address \"127.0.0.1\"` and no other",
		cause: "{server} listens on its own loopback only, where no other container reaches it",
		cure:  "Give {server} `-c listen_addresses='*'`, which is the image's default, or remove the setting.",
		when:  listensOnLoopback,
	},
	{
		id: "host-is-itself", what: "the standby connects to localhost, which is itself",
		sees:  "`connection to server at \"localhost\" … Connection refused`, again and again",
		cause: "{server} connects to {host}, which in a container is the container itself, not {primary}",
		cure:  "Give pg_basebackup (and primary_conninfo) of {server} the service name: --host={primary}.",
		log: saying{standby: true, reached: true, any: []string{"Connection refused"}, pattern: regexp.MustCompile(
			// Others may ask their own server: a health check, a script with psql.
			`(?:pg_basebackup: error|could not connect to the primary server): .*at "(?P<host>localhost|127\.0\.0\.1|::1)"`)},
	},
	{
		id: "wrong-port", what: "the standby connects to the published port instead of the server's own",
		sees:  "`connection to server at \"…\", port 5433 failed: Connection refused`, while the primary answers",
		cause: "{server} connects to {host} at port {port}, where it does not listen: between containers the server's own port counts, not the one that is published on the host",
		cure:  "Give pg_basebackup (and primary_conninfo) of {server} the port {right}.",
		log:   saying{standby: true, reached: true, any: []string{"Connection refused"}, pattern: regexp.MustCompile(`at "(?P<host>[^"]*)"(?: \([^)]*\))?, port (?P<port>\d+) failed: Connection refused`)},
		when: func(scene *scene, found *match) bool {
			found.values["right"] = scene.primary().port()
			return found.values["port"] != found.values["right"]
		},
	},
	{
		id: "backup-not-repeated", what: "the standby tries its base backup once, before the primary is ready",
		sees:  "one `Connection refused`, then the container has ended",
		cause: "{server} tried its base backup once, before {primary} took connections, and gave up",
		cure:  "Repeat it: `until pg_basebackup …; do sleep 1; done`; or give {primary} a health check over TCP and {server} `depends_on: {{primary}: {condition: service_healthy}}`.",
		log:   saying{standby: true, any: []string{"Connection refused", "could not translate host name", "the database system is starting up"}},
		when: func(_ *scene, found *match) bool {
			// It did come early, and then failed for another reason, unless this is its last word.
			found.conclusive = found.server.Ended() && found.server.lastError().Text == found.line.Text
			return found.conclusive
		},
	},
}

// listensOnLoopback says whether the primary's server has loopback alone, and a
// standby has tried in vain to connect to it. The server of an initialisation
// may listen there for a while; it ends, and another one starts.
func listensOnLoopback(scene *scene, found *match) bool {
	primary := scene.primary()
	if primary == nil {
		return false
	}
	var ready time.Time
	listening := Line{}
	for _, line := range primary.Log {
		switch {
		case strings.Contains(line.Text, `listening on IPv4 address "127.0.0.1"`):
			listening = line
		case strings.Contains(line.Text, "listening on IPv4 address"), strings.Contains(line.Text, "shutdown request"):
			listening, ready = Line{}, time.Time{}
		case strings.Contains(line.Text, "database system is ready to accept connections"):
			ready = line.At
		}
	}
	if listening.Text == "" || ready.Before(listening.At) {
		return false
	}
	for i := range scene.Servers {
		standby := &scene.Servers[i]
		refused := standby.loggedAfter("Connection refused", listening.At)
		if standby == primary || !scene.isStandby(standby) || refused == nil {
			continue
		}
		found.server, found.line, found.conclusive = primary, listening, true
		if found.line.At = ready; refused.At.After(ready) {
			found.line.At = refused.At
		}
		return true
	}
	return false
}

// portsOutOfReach says whether servers have been ready for a while, and nobody
// listens where the engine says that it publishes them.
func portsOutOfReach(scene *scene, found *match) bool {
	const while = 2 * time.Second
	for i := range scene.Servers {
		server := &scene.Servers[i]
		refused := strings.Contains(server.Error, "dial tcp 127.0.0.1:") && strings.Contains(server.Error, "connection refused")
		if server.Answer != nil || server.Container.State != "running" || !refused {
			continue
		}
		var ready Line
		for _, line := range server.Log {
			switch {
			case strings.Contains(line.Text, `listening on IPv4 address "0.0.0.0"`), strings.Contains(line.Text, "shutdown request"):
				ready = Line{}
			case strings.Contains(line.Text, "database system is ready to accept"):
				ready = line
			}
		}
		if !ready.At.IsZero() && server.logged(`listening on IPv4 address "0.0.0.0"`) != nil && scene.At.Sub(ready.At) > while {
			found.server, found.line, found.conclusive = server, ready, true
			return true
		}
	}
	return false
}

// serverPort is where PostgreSQL listens unless told otherwise.
const serverPort = 5432
