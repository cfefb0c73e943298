package conformance

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// sessionAttribute is one value of target_session_attrs.
type sessionAttribute struct {
	mode      string
	accepts   pgconn.ValidateConnectFunc
	toStandby bool
}

func sessionAttributes() []sessionAttribute {
	return []sessionAttribute{
		{"read-write", pgconn.ValidateConnectTargetSessionAttrsReadWrite, false},
		{"primary", pgconn.ValidateConnectTargetSessionAttrsPrimary, false},
		{"read-only", pgconn.ValidateConnectTargetSessionAttrsReadOnly, true},
		{"standby", pgconn.ValidateConnectTargetSessionAttrsStandby, true},
		{"prefer-standby", pgconn.ValidateConnectTargetSessionAttrsPreferStandby, true},
	}
}

func sessionAttributesRoute(c *C) {
	primary, standby := c.address(c.Pair().Primary), c.address(c.Pair().Standby())
	anyOne := sessionAttribute{mode: "any"}
	c.leads(anyOne, false, primary, standby)
	c.leads(anyOne, true, standby, primary)
	for _, attribute := range sessionAttributes() {
		// The wanted server comes second, so that the first must be passed over.
		order := []address{standby, primary}
		if attribute.toStandby {
			order = []address{primary, standby}
		}
		c.leads(attribute, attribute.toStandby, order...)
	}
	// Where the wanted kind is missing, the other one must not be passed off for it.
	readWrite := sessionAttributes()[0]
	if _, err := c.route(readWrite, standby); !errors.Is(err, pgconn.ErrReadOnlyConnection) {
		c.Errorf("target_session_attrs=%s, %s alone: error is %v, must be %v",
			readWrite.mode, standby.node.Name(), err, pgconn.ErrReadOnlyConnection)
	}
}

// leads wants a client that names servers in an order to reach a standby, or
// the primary.
func (c *C) leads(attribute sessionAttribute, toStandby bool, order ...address) {
	inRecovery, err := c.route(attribute, order...)
	switch {
	case err != nil:
		c.Errorf("target_session_attrs=%s, %s named first: %v", attribute.mode, order[0].node.Name(), err)
	case inRecovery != toStandby:
		c.Errorf("target_session_attrs=%s, %s named first: reached a server with pg_is_in_recovery() = %t, must be %t",
			attribute.mode, order[0].node.Name(), inRecovery, toStandby)
	}
}

// address is a node and how it is reached.
type address struct {
	node   *pair.Node
	config *pgx.ConnConfig
}

func (c *C) address(node *pair.Node) address {
	config, err := node.Config(c.ctx)
	c.Harness(err)
	for _, other := range config.Fallbacks {
		if other.Host != config.Host || other.Port != config.Port {
			c.Skipf("the connection string of %s names several servers: a client may reach any of them", node.Name())
		}
	}
	return address{node: node, config: config}
}

const inRecoverySQL = `SELECT pg_is_in_recovery()`

// route connects as a client that names several servers, and tells whether
// the one that it reaches is in recovery.
func (c *C) route(attribute sessionAttribute, order ...address) (inRecovery bool, err error) {
	config := order[0].config.Copy()
	for _, next := range order[1:] {
		config.Fallbacks = append(config.Fallbacks,
			&pgconn.FallbackConfig{Host: next.config.Host, Port: next.config.Port, TLSConfig: next.config.TLSConfig})
		config.Fallbacks = append(config.Fallbacks, next.config.Fallbacks...)
	}
	config.ValidateConnect = attribute.accepts
	session, err := pgx.ConnectConfig(c.ctx, config)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, session.Close(c.ctx)) }()
	err = session.QueryRow(c.ctx, inRecoverySQL).Scan(&inRecovery)
	return inRecovery, err
}
