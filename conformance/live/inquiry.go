package live

import (
	"context"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// inquiry asks one server about itself, one question at a time, so that a
// server that is slow to answer holds nobody up. It is not safe for concurrent use.
type inquiry struct {
	cancel  context.CancelFunc
	reply   chan reply // of the question that is under way; nil when there is none
	current reply      // the last that came
}

type reply struct {
	answer *diagnose.Answer
	since  time.Time // when it began to answer
	err    string
}

// ask gives what the server says in time, or else what it said last.
func (q *inquiry) ask(ctx context.Context, node *pair.Node, patience time.Duration) reply {
	if q.reply == nil {
		// A question that is cut off leaves an error in the server's log.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerLimit)
		replied := make(chan reply, 1)
		q.cancel, q.reply = cancel, replied
		go func() {
			defer cancel()
			said, err := pair.OneRow[answer](asking, node, answerSQL)
			if err != nil {
				replied <- reply{err: err.Error()}
				return
			}
			replied <- reply{answer: said.of(), since: time.Now()}
		}()
	}
	select {
	case came := <-q.reply:
		if came.answer != nil && q.current.answer != nil {
			came.since = q.current.since
		}
		q.current, q.reply = came, nil
	case <-time.After(patience):
	case <-ctx.Done():
	}
	return q.current
}

// end waits for the question that is under way, and cuts it off when that
// takes long.
func (q *inquiry) end() {
	if q.reply == nil {
		return
	}
	stop := time.AfterFunc(answerPatience, q.cancel)
	defer stop.Stop()
	<-q.reply
	q.reply = nil
}

// answer is what a server says of itself, in one row.
type answer struct {
	InRecovery       bool     `db:"in_recovery"`
	SystemIdentifier int64    `db:"system_identifier"`
	Version          int32    `db:"version"`
	ConnectionInfo   string   `db:"connection_info"`
	SlotName         string   `db:"slot_name"`
	Receiver         string   `db:"receiver"`
	Slots            []string `db:"slots"`
	Senders          []string `db:"senders"`
	HBAErrors        []string `db:"hba_errors"`
	WALLevel         string   `db:"wal_level"`
	MaxWALSenders    int32    `db:"max_wal_senders"`
}

func (a answer) of() *diagnose.Answer {
	said := diagnose.Answer(a)
	return &said
}

// answerSQL leaves the password of primary_conninfo on the server.
const answerSQL = `
SELECT pg_is_in_recovery() AS in_recovery,
       (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
       current_setting('server_version_num')::int AS version,
       COALESCE(regexp_replace(current_setting('primary_conninfo', true),
                'password\s*=\s*(''([^''\\]|\\.)*''|[^\s'']\S*)', 'password=***', 'g'), '') AS connection_info,
       COALESCE(current_setting('primary_slot_name', true), '') AS slot_name,
       COALESCE((SELECT status FROM pg_stat_wal_receiver), '') AS receiver,
       ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE slot_type = 'physical' ORDER BY 1) AS slots,
       ARRAY(SELECT concat_ws(' ', state, usename, application_name) FROM pg_stat_replication ORDER BY 1) AS senders,
       ARRAY(SELECT format('line %s: %s', line_number, error) FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number) AS hba_errors,
       current_setting('wal_level') AS wal_level,
       current_setting('max_wal_senders')::int AS max_wal_senders`
