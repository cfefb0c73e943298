package pair

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
)

// Identity says which cluster a node belongs to and on which side of
// replication it stands.
//
// Source: PostgreSQL documentation, "Control Data Functions".
type Identity struct {
	SystemIdentifier int64  `db:"system_identifier"`
	InRecovery       bool   `db:"in_recovery"`
	Timeline         int32  `db:"timeline"` // of the last checkpoint or restartpoint
	Version          string `db:"version"`  // as server_version prints it
	VersionNumber    int32  `db:"version_number"`
}

const identitySQL = `
SELECT system_identifier,
       pg_is_in_recovery() AS in_recovery,
       timeline_id AS timeline,
       current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_number
  FROM pg_control_system(), pg_control_checkpoint()`

// Identity asks the node who it is.
func (n *Node) Identity(ctx context.Context) (Identity, error) {
	return OneRow[Identity](ctx, n, identitySQL)
}

const inRecoverySQL = `SELECT pg_is_in_recovery()`

// InRecovery asks the node which side it is on: true is a standby.
func (n *Node) InRecovery(ctx context.Context) (bool, error) {
	return One[bool](ctx, n, inRecoverySQL)
}

// WALSender is a row of pg_stat_replication. LSNs are 0 where the view has NULL.
//
// Source: PostgreSQL documentation, "pg_stat_replication".
type WALSender struct {
	PID             int32          `db:"pid"`
	Role            string         `db:"role"`
	ApplicationName string         `db:"application_name"`
	ClientAddress   *netip.Addr    `db:"client_address"`
	State           string         `db:"state"`
	Sent            LSN            `db:"sent"`
	Write           LSN            `db:"write"`
	Flush           LSN            `db:"flush"`
	Replay          LSN            `db:"replay"`
	SyncState       string         `db:"sync_state"`
	ReplyTime       *time.Time     `db:"reply_time"`
	SlotName        *string        `db:"slot_name"` // of the slot that this process holds
	WriteLag        *time.Duration `db:"write_lag"`
	FlushLag        *time.Duration `db:"flush_lag"`
	ReplayLag       *time.Duration `db:"replay_lag"`
}

const walSendersSQL = `
SELECT sender.pid,
       sender.usename::text AS role,
       sender.application_name,
       host(sender.client_addr)::inet AS client_address,
       COALESCE(sender.state, '') AS state,
       sender.sent_lsn::text AS sent,
       sender.write_lsn::text AS write,
       sender.flush_lsn::text AS flush,
       sender.replay_lsn::text AS replay,
       COALESCE(sender.sync_state, '') AS sync_state,
       sender.reply_time,
       slot.slot_name::text AS slot_name,
       sender.write_lag, sender.flush_lag, sender.replay_lag
  FROM pg_stat_replication AS sender
  LEFT JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid
 ORDER BY sender.pid`

// WALSenders lists the node's WAL senders, those of base backups included.
// Their State is empty where the role may not see it.
func (n *Node) WALSenders(ctx context.Context) ([]WALSender, error) {
	return Rows[WALSender](ctx, n, walSendersSQL)
}

// WALReceiver is the row of pg_stat_wal_receiver.
//
// Source: PostgreSQL documentation, "pg_stat_wal_receiver".
type WALReceiver struct {
	PID            int32  `db:"pid"`
	Status         string `db:"status"`
	SlotName       string `db:"slot_name"` // empty when it uses none
	SenderHost     string `db:"sender_host"`
	SenderPort     int32  `db:"sender_port"`
	ConnectionInfo string `db:"conninfo"` // as the view shows it, the password masked
	Timeline       int32  `db:"timeline"`
	Flushed        LSN    `db:"flushed"`
}

const walReceiverSQL = `
SELECT pid,
       COALESCE(status, '') AS status,
       COALESCE(slot_name, '') AS slot_name,
       COALESCE(sender_host, '') AS sender_host,
       COALESCE(sender_port, 0) AS sender_port,
       COALESCE(conninfo, '') AS conninfo,
       COALESCE(received_tli, 0) AS timeline,
       flushed_lsn::text AS flushed
  FROM pg_stat_wal_receiver`

// ErrNotVisible says that PostgreSQL hides the state of replication from the
// role that asks.
//
// Source: PostgreSQL documentation, "Predefined Roles", "Viewing Statistics".
var ErrNotVisible = errors.New("role may not see the state of replication: GRANT pg_monitor or pg_read_all_stats to it")

// WALReceiver gives the node's WAL receiver; ok is false when there is none.
// Errors: ErrNotVisible, or what the server said.
func (n *Node) WALReceiver(ctx context.Context) (receiver WALReceiver, ok bool, err error) {
	receiver, err = OneRow[WALReceiver](ctx, n, walReceiverSQL)
	if errors.Is(err, pgx.ErrNoRows) {
		return WALReceiver{}, false, nil
	}
	if err == nil && receiver.Status == "" {
		return WALReceiver{}, false, fmt.Errorf("look at WAL receiver of %s: %w", n.name, ErrNotVisible)
	}
	return receiver, err == nil, err
}

// Slot is a row of pg_replication_slots. LSNs are 0 where the view has NULL.
//
// Source: PostgreSQL documentation, "pg_replication_slots".
type Slot struct {
	Name        string `db:"slot_name"`
	Type        string `db:"slot_type"`
	Temporary   bool   `db:"temporary"`
	Active      bool   `db:"active"`
	ActivePID   *int32 `db:"active_pid"`
	Xmin        string `db:"xmin"` // empty when the slot holds back no VACUUM
	Restart     LSN    `db:"restart"`
	WALStatus   string `db:"wal_status"`    // reserved, extended, unreserved, lost, or empty
	SafeWALSize *int64 `db:"safe_wal_size"` // bytes; nil while unlimited
}

const slotsSQL = `
SELECT slot_name::text, slot_type, temporary, active, active_pid,
       COALESCE(xmin::text, '') AS xmin,
       restart_lsn::text AS restart,
       COALESCE(wal_status, '') AS wal_status,
       safe_wal_size
  FROM pg_replication_slots
 ORDER BY slot_name`

// Slots lists the node's replication slots.
func (n *Node) Slots(ctx context.Context) ([]Slot, error) {
	return Rows[Slot](ctx, n, slotsSQL)
}

const settingSQL = `SELECT current_setting($1)`

// Setting reads a run-time parameter as SHOW prints it.
func (n *Node) Setting(ctx context.Context, name string) (string, error) {
	return One[string](ctx, n, settingSQL, name)
}
