package conformance

import (
	"fmt"
	"time"
)

func propagationOrder() []Check {
	return []Check{
		{
			ID:         "propagation/atomic",
			Obligation: "A reader on the standby must see a transaction over several tables whole or not at all, however often it looks.",
			Level:      Must,
			Source:     "PostgreSQL documentation, Transactions; Hot Standby",
			Run:        func(c *C) { c.underReader(transferTablesSQL, transferSQL, balanceSQL, judgeBalance) },
		},
		{
			ID:         "propagation/session-order",
			Obligation: "A reader on the standby must never see a commit without those that the same session made before it.",
			Level:      Must,
			Source:     "PostgreSQL documentation, Hot Standby; Log-Shipping Standby Servers",
			Run:        func(c *C) { c.underReader(orderedTablesSQL, orderedSQL, orderSQL, judgeOrder) },
		},
	}
}

const (
	enoughReads   = 1000
	enoughChanges = 50
	readingLimit  = 15 * time.Second
)

// underReader executes writes on the primary again and again while a reader
// looks, until it has looked often enough, or for long enough, and seen enough
// changes: a reader that sees nothing happen proves nothing.
func (c *C) underReader(tablesSQL, writesSQL, readSQL string, judge func(row []int64) string) {
	primary := c.writer()
	primary.Do(tablesSQL)
	c.Replay()
	reader := c.startReader(readSQL, judge)
	defer reader.stop()
	start, limit := time.Now(), c.scaled(readingLimit)
	for !reader.stopping.Load() && (reader.reads.Load() < enoughReads || reader.changes.Load() < enoughChanges) {
		if time.Since(start) > limit {
			if changes := reader.changes.Load(); changes < enoughChanges {
				c.Errorf("only %d changes seen in %s, want %d", changes, limit, enoughChanges)
			}
			break // few reads are the way to a server far away
		}
		primary.Do(writesSQL)
	}
	reader.verdict(c)
}

const (
	// Balances are kept as entries that are only added: rows that are updated
	// leave dead ones, whose removal may end a read on the standby.
	transferTablesSQL = `
CREATE TABLE savings (amount int NOT NULL);
CREATE TABLE checking (amount int NOT NULL);
INSERT INTO savings VALUES (1000);
INSERT INTO checking VALUES (1000)`

	transferSQL = `
BEGIN;
INSERT INTO savings VALUES (-1);
INSERT INTO checking VALUES (1);
COMMIT`

	balanceSQL = `SELECT ARRAY[(SELECT sum(amount) FROM savings), (SELECT sum(amount) FROM checking)]::bigint[]`

	allMoney = 2000
)

func judgeBalance(row []int64) string {
	if sum := row[0] + row[1]; sum != allMoney {
		return fmt.Sprintf("half a transaction is visible: the balances add up to %d, must be %d", sum, allMoney)
	}
	return ""
}

const (
	orderedTablesSQL = `
CREATE TABLE causes (id serial PRIMARY KEY);
CREATE TABLE effects (id serial PRIMARY KEY)`

	orderedSQL = `
BEGIN; INSERT INTO causes DEFAULT VALUES; COMMIT;
BEGIN; INSERT INTO effects DEFAULT VALUES; COMMIT`

	// orderSQL reads the later commits first: what is there must have its cause in the same snapshot.
	orderSQL = `SELECT ARRAY[(SELECT COALESCE(max(id), 0) FROM effects), (SELECT COALESCE(max(id), 0) FROM causes)]::bigint[]`
)

func judgeOrder(row []int64) string {
	if effects, causes := row[0], row[1]; effects > causes || causes > effects+1 {
		return "commits are visible out of order: effects and causes must be equal, or one cause ahead"
	}
	return ""
}
