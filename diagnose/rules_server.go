package diagnose

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// sharedMemory is how a server says that /dev/shm is full.
const sharedMemory = "could not resize shared memory segment"

// serverRules are what keeps a server from starting.
var serverRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "out-of-memory", what: "the container has too little memory",
		sees:  "container state `OOMKilled`",
		cause: "the kernel killed {server} because its memory limit is too small",
		cure:  "Raise `mem_limit` of {server}, or lower `shared_buffers`.",
		when: anyServer(func(server *Server, found *match) bool {
			found.line.Text = "container was killed for lack of memory"
			return server.Container.OOMKilled
		}),
	},
	{
		id: "disk-full", what: "the disk is full",
		sees:  "`No space left on device`",
		cause: "{server} could not write its data: the disk is full",
		cure:  "Free space where the engine keeps its volumes: `docker system df` tells what uses it.",
		log:   saying{any: []string{"No space left on device"}, but: sharedMemory},
	},
	{
		id: "shared-memory-full", what: "`/dev/shm` of the container is too small",
		sees:  "`could not resize shared memory segment …: No space left on device`",
		cause: "{server} has too little shared memory: /dev/shm of its container is full, not the disk",
		cure:  "Give {server} `shm_size: 256m` (the engine's default is 64 MB), or lower `max_parallel_workers_per_gather`.",
		// As an error of one query it keeps nobody from being a pair.
		log: saying{any: []string{sharedMemory}, pattern: regexp.MustCompile(`FATAL:\s+` + sharedMemory)},
	},
	{
		id: "no-superuser-password", what: "no `POSTGRES_PASSWORD`",
		sees:  "`superuser password is not specified`, exit code 1",
		cause: "the image refuses to initialise {server}, because POSTGRES_PASSWORD is not in its environment, or empty",
		cure:  "Give {server} `environment: {POSTGRES_PASSWORD: …}`; a standby needs it only when it initialises a cluster, which it should not: let it run pg_basebackup.",
		log:   saying{any: []string{"superuser password is not specified"}},
	},
	{
		id: "literal-newline-in-hba", what: "`\\n` in `POSTGRES_HOST_AUTH_METHOD` stays a backslash and an n",
		sees:  "`invalid authentication method \"scram-sha-256\\nhost\"`, exit code 1",
		cause: "POSTGRES_HOST_AUTH_METHOD of {server} holds a backslash and an n where a line should end, so pg_hba.conf has one line with the method {method}",
		cure:  `Write the value in double quotes, in which YAML turns \n into a line end: POSTGRES_HOST_AUTH_METHOD: "scram-sha-256\nhost replication all all scram-sha-256". A .env file cannot hold it. Then remove the volume: docker compose down -v.`,
		log:   saying{any: []string{"invalid authentication method"}, pattern: regexp.MustCompile(`invalid authentication method "(?P<method>[^"]*\\n[^"]*)"`)},
	},
	{
		id: "pg-hba-invalid", what: "a line of pg_hba.conf is wrong",
		sees:  "`could not load …pg_hba.conf`, with the line above it",
		cause: "{server} does not start, because pg_hba.conf has a line that it cannot read",
		cure:  "Correct what writes the line (POSTGRES_HOST_AUTH_METHOD, an init script): type, database, user, address, method. Then remove the volume: `docker compose down -v`.",
		log:   saying{any: []string{"could not load"}, pattern: regexp.MustCompile(`FATAL:\s+could not load \S*pg_hba\.conf`)},
		when: func(_ *scene, found *match) bool {
			for _, line := range found.server.Log {
				if strings.Contains(line.Text, "pg_hba.conf\"") || strings.Contains(line.Text, "authentication method") {
					found.line.Text = line.Text
					break
				}
			}
			return true
		},
	},
	{
		id: "recovery-conf", what: "`recovery.conf` on PostgreSQL 12 or later",
		sees:  "`using recovery command file \"recovery.conf\" is not supported`",
		cause: "{server} finds a recovery.conf in its data directory, which PostgreSQL 12 and later refuse",
		cure:  "Write no recovery.conf. Call pg_basebackup with -R, which makes standby.signal and sets primary_conninfo.",
		log:   saying{any: []string{`using recovery command file`}},
	},
	{
		id: "standby-mode", what: "`standby_mode` or `trigger_file` on PostgreSQL 12 or later",
		sees:  "`unrecognized configuration parameter \"standby_mode\"`",
		cause: "{server} is given {parameter}, which PostgreSQL 12 and later do not know",
		cure:  "Remove {parameter}. An empty file standby.signal in the data directory makes a standby; pg_basebackup -R writes it.",
		log: saying{
			any:     []string{"unrecognized configuration parameter"},
			pattern: regexp.MustCompile(`unrecognized configuration parameter "(?P<parameter>standby_mode|trigger_file|promote_trigger_file)"`),
		},
	},
	{
		id: "unknown-parameter", what: "a setting that this version does not know",
		sees:  "`unrecognized configuration parameter \"…\"`",
		cause: "{server} is given {parameter}, which its PostgreSQL version does not know",
		cure:  "Remove or rename {parameter} in the command or the configuration file of {server}; the release notes tell what became of it.",
		log: saying{
			any:     []string{"unrecognized configuration parameter"},
			pattern: regexp.MustCompile(`FATAL:\s+unrecognized configuration parameter "(?P<parameter>[^"]*)"|LOG:\s+unrecognized configuration parameter "(?P<parameter>[^"]*)" in file`),
		},
	},
	{
		id: "wal-level-minimal", what: "`wal_level` is minimal",
		sees:  "`WAL streaming (max_wal_senders > 0) requires wal_level \"replica\" or \"logical\"`",
		cause: "{server} has wal_level = minimal, with which nothing can be replicated",
		cure:  "Give {server} `-c wal_level=replica`, which is the default, or remove the setting.",
		log:   saying{any: []string{"requires wal_level", "only be used if wal_level", "WAL level not sufficient"}},
	},
	{
		id: "no-room-for-slots", what: "`max_replication_slots` is too small",
		sees:  "`replication slots can only be used if max_replication_slots > 0`",
		cause: "{server} may have no more replication slots: max_replication_slots is too small",
		cure:  "Give {server} `-c max_replication_slots=10`, which is the default.",
		log:   saying{any: []string{"only be used if max_replication_slots", "all replication slots are in use"}},
	},
	{
		id: "init-file-is-a-directory", what: "the mounted init file does not exist on the host",
		sees:  "`could not read from input file: Is a directory`, or `ignoring /docker-entrypoint-initdb.d/…`",
		cause: "the init file that {server} mounts is not on the host, so that the engine made an empty directory of that name",
		cure:  "Correct the path on the left of the mount, which is relative to the compose file, and remove the directory that was made there. Then `docker compose down -v`.",
		log:   saying{any: []string{"could not read from input file: Is a directory"}},
	},
	{
		id: "init-script-failed", what: "an init script fails",
		sees:  "the last `running /docker-entrypoint-initdb.d/…` is followed by an error, not by `init process complete`",
		cause: "initialisation of {server} ended in {file}; what comes after the failing statement was not done, and no later start does it",
		cure:  "Correct {file} where the evidence says, then remove the half-made volume: `docker compose down -v`. Init scripts run on an empty data directory only.",
		when:  initFailed,
	},
	{
		id: "server-as-root", what: "the server is started as root",
		sees:  "`\"root\" execution of the PostgreSQL server is not permitted`",
		cause: "the command of {server} runs as root, and PostgreSQL refuses to",
		cure:  "Give {server} `user: postgres`, so that the base backup belongs to postgres too; then remove its volume, which holds root's files.",
		log:   saying{any: []string{`"root" execution of the PostgreSQL server is not permitted`, "cannot be run as root"}},
	},
	{
		id: "root-owned-data", what: "the data directory belongs to root",
		sees:  "`Permission denied`, `wrong ownership` or `could not change permissions of directory` on the data directory",
		cause: "files in the data directory of {server} belong to another user, usually root, than the one that the server runs as",
		cure:  "Run pg_basebackup and the server as one user: `user: postgres`, a named volume instead of a folder of the host. Remove the volume, or `chown -R postgres` the folder.",
		log: saying{
			any:     []string{"wrong ownership", "could not change permissions of directory", "Permission denied"},
			pattern: regexp.MustCompile(`wrong ownership|could not change permissions of directory|could not (?:access|open|create|read|stat|write)\b.*(?:postgresql\.conf|pg_control|PG_VERSION|pgdata|/data\b|backup_|pg_hba).*Permission denied`),
		},
	},
	{
		id: "data-directory-mode", what: "no `chmod 0700` after the base backup",
		sees:  "`data directory \"…\" has invalid permissions`",
		cause: "{server} refuses its data directory, which others may enter: pg_basebackup keeps the mode 1777 of the volume",
		cure:  "Put `chmod 0700 /var/lib/postgresql/data` between pg_basebackup and postgres.",
		log:   saying{any: []string{"has invalid permissions"}},
	},
	{
		id: "other-major-version", what: "the servers are of two major versions",
		sees:  "`database files are incompatible with server`, `incompatible server version`",
		cause: "the data of {server} or its primary are of another major version than its programs",
		cure:  "Give both services the same `image:`, then remove the volume of {server}: physical replication needs one major version.",
		log:   saying{any: []string{"database files are incompatible with server", "incompatible server version"}},
	},
	{
		id: "settings-too-small", what: "the standby has smaller settings than the primary",
		sees:  "`insufficient parameter settings`, and which parameter",
		cause: "{server} stops recovery, because a setting such as max_connections is smaller than on {primary}",
		cure:  "Give both services the same `-c` for max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions and max_locks_per_transaction.",
		log:   saying{any: []string{"insufficient parameter settings"}},
	},
	{
		id: "hot-standby-off", what: "`hot_standby` is off",
		sees:  "`the database system is not accepting connections`, `Hot standby mode is disabled`",
		cause: "{server} follows its primary but answers nobody, because hot_standby is off",
		cure:  "Remove `hot_standby=off` from {server}; on is the default.",
		log:   saying{any: []string{"Hot standby mode is disabled"}},
	},
	{
		id: "half-made-backup", what: "a test for the directory takes a half-made backup for a whole one",
		sees:  "`could not find the database system`, `could not access the server configuration file`, `could not locate a valid checkpoint record`",
		cause: "{server} starts on a base backup that was cut off: the test in its command looks for the directory or a file that comes early, not for a finished backup",
		cure:  "Back up into another name and rename it when pg_basebackup has succeeded (`pg_basebackup -D \"$PGDATA.new\" … && mv \"$PGDATA.new\" \"$PGDATA\"`), and test for that. Remove the volume of {server} once.",
		log: saying{any: []string{
			"could not find the database system", "could not access the server configuration file", "could not locate a valid checkpoint record",
			"could not locate required checkpoint record", "is not a database cluster directory", "is not a valid data directory", "could not find redo location",
		}},
		when: func(scene *scene, found *match) bool { return scene.isStandby(found.server) },
	},
	{
		id: "directory-not-empty", what: "the base backup meets a data directory that is not empty",
		sees:  "`directory \"/var/lib/postgresql/data\" exists but is not empty`, again and again",
		cause: "{server} makes its base backup at every start, and pg_basebackup refuses a directory that holds something",
		cure:  "Back up only where there is nothing yet: `[ -s \"$PGDATA/PG_VERSION\" ] || until pg_basebackup …`. To go on now, remove the volume of {server}.",
		log:   saying{any: []string{"exists but is not empty"}},
	},
	{
		id: "crlf-script", what: "a script with Windows line ends",
		sees:  "`$'\\r': command not found`, `bad interpreter`, names that end in a carriage return",
		cause: "a script of {server} has Windows line ends, which the shell takes for a part of each command",
		cure:  "Save it with Unix line ends (`dos2unix`, and `*.sh text eol=lf` in .gitattributes).",
		log:   saying{any: []string{"^M: bad interpreter", `$'\r'`, "\r: ", "\r\"", `invalid option name`}, pattern: regexp.MustCompile(`\^M|\\r|\r`)},
	},
	{
		id: "command-not-found", what: "a command of the script is not in the image",
		sees:  "`command not found`, exit code 127",
		cause: "the command of {server} calls {command}, which its image does not have",
		cure:  "Correct the name, or use an image that has it.",
		log:   saying{any: []string{": command not found"}, pattern: regexp.MustCompile(`(?:^|[\s:])(?P<command>[^\s:]+): command not found`)},
		when:  func(_ *scene, found *match) bool { return found.conclusive && found.server.Ended() },
	},
}

// anyServer says whether something conclusive holds for one of the servers.
func anyServer(holds func(*Server, *match) bool) func(*scene, *match) bool {
	return func(scene *scene, found *match) bool {
		for i := range scene.Servers {
			if holds(&scene.Servers[i], found) {
				found.server, found.conclusive = &scene.Servers[i], true
				return true
			}
		}
		return false
	}
}

var initFile = regexp.MustCompile(`: (?:running|sourcing) (` + initFolder + `/\S+)`)

// initFailed says whether the container ended, or was started again, while an
// init script ran. In the second case it is conclusive once the standby lacks
// something: the scripts never run again, but what they left out may not matter.
func initFailed(scene *scene, found *match) bool {
	for i := range scene.Servers {
		server := &scene.Servers[i]
		var file string
		var failure Line
		for _, line := range server.Log {
			var named []string
			if strings.Contains(line.Text, initFolder) {
				named = initFile.FindStringSubmatch(line.Text)
			}
			switch {
			case named != nil:
				file, failure = named[1], Line{}
			case strings.Contains(line.Text, "init process complete"):
				file = ""
			case file != "" && tellsError(line.Text) && (failure.Text == "" || strings.Contains(line.Text, file+":")):
				failure = line // rather psql's, which names file and line, than the server's
			}
		}
		if file == "" || failure.Text == "" || !server.Ended() && server.Container.Restarts == 0 {
			continue
		}
		found.server, found.line = server, failure
		found.values["file"] = file
		found.conclusive = server.Ended() || lacksSomething(scene)
		return true
	}
	return false
}

// lacksSomething says whether a standby misses what an init script makes.
func lacksSomething(scene *scene) bool {
	for _, table := range [][]rule{loginRules, slotRules} {
		for i := range table {
			if found, ok := table[i].find(scene); ok && found.conclusive {
				return true
			}
		}
	}
	return false
}

// lastWords are the last error of a server, or else how its container ended.
func (s *Server) lastWords() Line {
	if last := s.lastError(); last.Text != "" {
		return last
	}
	state := cmp.Or(s.Container.State, "not there")
	if s.Container.State == "exited" {
		state += " with exit code " + strconv.Itoa(s.Container.ExitCode)
	}
	return Line{Text: "container " + state}
}
