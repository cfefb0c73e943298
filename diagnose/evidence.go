package diagnose

import "time"

// Evidence is what is known of a recipe at one moment of its start.
type Evidence struct {
	At      time.Time // when it was gathered, by the clock of the logs
	Missing Missing
	Failure string    // why containers could not be made or started, as the engine said; or empty
	Images  []string  // of the recipe, that the engine lacks; filled in with Failure
	Servers []Server  // the services that should be primary and standbys
	Others  []Service // the other services of the recipe
	Secrets []string  `json:"-"` // passwords that are known otherwise than by the services' variables: no text may hold them
}

// Missing is the fact of a working pair that is being waited for.
type Missing struct {
	Server string // who lacks it; empty when it is nobody's alone
	Fact   string // such as "server answers over TCP"
	Since  time.Duration
}

// NotStarted is the missing fact while containers are still being started.
const NotStarted = "every container is started"

// Service is a service as the recipe describes it.
type Service struct {
	Name        string
	Names       []string // others by which containers of its networks may find it
	Port        uint16   // where its server listens; 0 is what its variables say, or 5432
	Image       string
	User        string
	Command     []string // entrypoint and command
	Environment map[string]string
	Ports       []uint16 // of the container, those that are published
	Networks    []string // names of those it is connected to
	Files       []File
	Container   Container
}

// File is a text that the recipe mounts: a script or a configuration file.
type File struct {
	Path string // in the container
	Text string
}

// Container is the state of a service's container.
type Container struct {
	State     string // created, running, restarting, exited, dead; empty when there is none
	ExitCode  int
	OOMKilled bool
	Health    string // starting, healthy, unhealthy; empty without a health check
	Restart   string // policy
	Restarts  int    // how often that policy has started it again
	Terminal  bool   // somebody could type something, if anybody were there
	Started   time.Time
}

// Server is a service that should be a primary or a standby.
type Server struct {
	Service
	Log      []Line
	Answer   *Answer   // what it last answered; nil when it does not answer
	Answered time.Time // since when it has answered without a break
	Error    string    // why it does not answer
}

// Line is a line of a container's log.
type Line struct {
	At   time.Time // when it was written
	Text string
}

// Answer is what a server says of itself.
type Answer struct {
	InRecovery       bool
	SystemIdentifier int64
	Version          int32    // server_version_num
	ConnectionInfo   string   // primary_conninfo without its password
	SlotName         string   // primary_slot_name
	Receiver         string   // status of the WAL receiver; empty when there is none
	Slots            []string // names of its physical replication slots
	Senders          []string // state and role of each WAL sender
	HBAErrors        []string // of pg_hba_file_rules
	WALLevel         string
	MaxWALSenders    int32
}
