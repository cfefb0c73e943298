package diagnose

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// notTranslated is how libpq says that a name is not resolved.
const notTranslated = "could not translate host name"

var untranslatedHost = regexp.MustCompile(notTranslated + ` "(?P<host>[^"]*)"`)

// routeRules are a standby that does not reach the primary.
var routeRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "wrong-host", what: "the standby connects to a host name that is no service",
		sees:  "`could not translate host name \"…\" to address`, again and again",
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
			return scene.service(found.values["host"]) == nil
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
		id: "listens-on-loopback", what: "`listen_addresses` is localhost",
		sees:  "`Connection refused` on the standby; the primary logs `listening on IPv4 address \"127.0.0.1\"` and no other",
		cause: "{server} listens on its own loopback only, where no other container reaches it",
		cure:  "Give {server} `-c listen_addresses='*'`, which is the image's default, or remove the setting.",
		log:   saying{any: []string{`listening on IPv4 address "127.0.0.1"`}},
		when: func(scene *scene, found *match) bool {
			if scene.isStandby(found.server) || found.server.logged(`listening on IPv4 address "0.0.0.0"`) != nil {
				return false
			}
			// Once more: the server of the initialisation listens on no address, and is ready before.
			for _, line := range found.server.Log {
				if line.At.After(found.line.At) && strings.Contains(line.Text, "database system is ready to accept connections") {
					found.line.At, found.conclusive = line.At, true
				}
			}
			return found.conclusive
		},
	},
	{
		id: "host-is-itself", what: "the standby connects to localhost, which is itself",
		sees:  "`connection to server at \"localhost\" … Connection refused`, again and again",
		cause: "{server} connects to {host}, which in a container is the container itself, not {primary}",
		cure:  "Give pg_basebackup (and primary_conninfo) of {server} the service name: --host={primary}.",
		log:   saying{standby: true, reached: true, any: []string{"Connection refused"}, pattern: regexp.MustCompile(`at "(?P<host>localhost|127\.0\.0\.1|::1)"`)},
	},
	{
		id: "wrong-port", what: "the standby connects to the published port instead of the server's own",
		sees:  "`connection to server at \"…\", port 5433 failed: Connection refused`, while the primary answers",
		cause: "{server} connects to {host} at port {port}, where it does not listen: between containers the server's own port counts, not the one that is published on the host",
		cure:  "Give pg_basebackup (and primary_conninfo) of {server} the port {right}.",
		log:   saying{standby: true, reached: true, any: []string{"Connection refused"}, pattern: regexp.MustCompile(`at "(?P<host>[^"]*)"(?: \([^)]*\))?, port (?P<port>\d+) failed: Connection refused`)},
		when: func(scene *scene, found *match) bool {
			found.values["right"] = cmp.Or(scene.primary().Environment["PGPORT"], strconv.Itoa(serverPort))
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

// serverPort is where PostgreSQL listens unless told otherwise.
const serverPort = 5432
