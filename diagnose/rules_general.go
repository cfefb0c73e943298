package diagnose

import (
	"strconv"
	"strings"
)

// generalRules say what is seen where no mistake is known by name.
var generalRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "port-unpublished", what: "a server does not publish its port",
		sees:  "`no server is a standby`, `no service publishes PostgreSQL's port 5432`",
		cause: "{service} looks like a PostgreSQL server, but publishes no port {port}, so that nobody outside its network reaches it",
		cure:  "Publish it: `ports: [\"{port}\"]` for {service} (any free port of the host), or `\"127.0.0.1:5433:{port}\"`.",
		when: func(scene *scene, found *match) bool {
			if len(scene.Servers) > 1 {
				return false
			}
			// Exporters and backup tools have "postgres" in their names too.
			for _, service := range scene.Others {
				if service.clones() && service.unpublished() {
					found.values["service"], found.values["port"] = service.Name, service.port()
					found.line.Text = service.Name + " publishes no port " + service.port()
					found.conclusive = true
					return true
				}
			}
			return false
		},
	},
	{
		id: "container-restarts", what: "a server's container ends and is started again for ever",
		sees:  "the same error after each start; `docker ps` says `Restarting`",
		cause: "{server} ends with exit code {code} each time it is started, and its restart policy starts it again",
		cure:  "Correct what the evidence says; `docker compose logs {server}` shows the rest.",
		when:  restartsForEver,
	},
	{
		id: "dependency-unhealthy", what: "the standby waits for a health check of the primary that never succeeds",
		sees:  "`dependency failed to start`, or `docker ps` says `health: starting` or `unhealthy`",
		cause: "others wait until {server} is healthy, and its health check does not succeed",
		cure:  "Run the check by hand: `docker inspect --format '{{json .State.Health}}'` shows what it said; `pg_isready -h 127.0.0.1 -U postgres` is enough of a check.",
		when: func(scene *scene, found *match) bool {
			for i := range scene.Servers {
				server := &scene.Servers[i]
				if health := server.Container.Health; health == "unhealthy" || health == "starting" && server.Answer != nil {
					found.server, found.line.Text = server, "health: "+health
					found.conclusive = scene.Failure != ""
					return scene.Missing.Fact == NotStarted
				}
			}
			return false
		},
	},
	{
		id: "container-ended", what: "a server's container ends",
		sees:  "container state `exited`, with its exit code",
		cause: "{server} ended with exit code {code} before there was a pair",
		cure:  "Correct what the evidence says; `docker compose logs {server}` shows the rest.",
		when: anyServer(func(server *Server, found *match) bool {
			if !server.Ended() {
				return false
			}
			found.line = server.lastWords()
			found.values["code"] = strconv.Itoa(server.Container.ExitCode)
			return true
		}),
	},
	{
		id: "not-started", what: "the engine could not start the project",
		sees:  "what the engine said",
		cause: "the containers could not be made or started",
		cure:  "Correct what the evidence says; `docker compose up` says the same.",
		when:  failed(`.`),
	},
	{
		id: "not-a-pair", what: "anything else",
		sees:  "the missing fact, and the last error of each server",
		cause: "no known mistake fits{hint}",
		cure:  "Read the last error of each server below, then its log: `docker compose logs {server}`.",
		when: func(scene *scene, found *match) bool {
			for i := range scene.Servers {
				server := &scene.Servers[i]
				if found.server == nil || server.Name == scene.Missing.Server {
					found.server = server
				}
			}
			found.values["hint"] = ""
			if found.server != nil {
				found.line = found.server.lastError()
				if found.line.Text == "" && found.server.Answer != nil {
					found.line.Text = found.server.Answer.replication()
				}
				found.values["hint"] = "; look at " + found.server.Name + " first"
			}
			return true
		},
	},
}

// restartsForEver says whether a server's container ends over one error again
// and again. What a standby says before the primary answers may pass: one that
// gives up and is started again waits for the primary in this way.
func restartsForEver(scene *scene, found *match) bool {
	primary := scene.primary()
	for i := range scene.Servers {
		server := &scene.Servers[i]
		last := server.lastError()
		if server.Container.Restarts < repeats || server.Answer != nil || last.Text == "" {
			continue
		}
		seen, lasting := 0, 0
		for _, line := range server.Log {
			if parse(line.Text) != parse(last.Text) {
				continue
			}
			seen++
			if server == primary || primary != nil && primary.takesWrites() && !line.At.Before(primary.Answered) {
				lasting++
			}
		}
		if seen >= repeats {
			found.server, found.line, found.conclusive = server, last, lasting >= repeats
			found.values["code"] = strconv.Itoa(server.Container.ExitCode)
			return true
		}
	}
	return false
}

// unpublished says that nobody outside a server's network reaches its port.
func (s *Service) unpublished() bool {
	for _, port := range s.Ports {
		if strconv.Itoa(int(port)) == s.port() {
			return false
		}
	}
	return true
}

// advice is what does not keep servers from being a pair.
var advice = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "trust-for-all", what: "`POSTGRES_HOST_AUTH_METHOD` has trust",
		sees:  "the image's warning; `host all all all trust` in pg_hba.conf",
		cause: "POSTGRES_HOST_AUTH_METHOD of {server} has trust: whoever reaches its port is any role, superuser included, without a password",
		cure:  `Say POSTGRES_HOST_AUTH_METHOD: "scram-sha-256\nhost replication all all scram-sha-256", then docker compose down -v.`,
		when: anyServer(func(server *Server, found *match) bool {
			found.line.Text = "POSTGRES_HOST_AUTH_METHOD: " + server.Environment["POSTGRES_HOST_AUTH_METHOD"]
			return strings.Contains(server.Environment["POSTGRES_HOST_AUTH_METHOD"], "trust")
		}),
	},
	{
		id: "server-unpublished", what: "a server of the pair publishes no port",
		sees:  "no `ports:` for the port that it listens on; clients on the host cannot connect",
		cause: "{server} publishes no port {port}: containers of its network reach it, clients on the host do not",
		cure:  "If they should, publish it on loopback: `ports: [\"127.0.0.1:5433:{port}\"]`.",
		when: anyServer(func(server *Server, found *match) bool {
			found.values["port"] = server.port()
			found.line.Text = "no port " + server.port() + " under ports:"
			return server.unpublished()
		}),
	},
}
