package secret

import "testing"

func TestSecret(t *testing.T) {
	t.Attr("provenance.dsn", "postgres://replicator:hunter2@db:5432/postgres")
	t.Log("connect host=db user=replicator password=hunter2 dbname=postgres")
	t.Log(`ALTER ROLE replicator PASSWORD 'hunter2'`)
	t.Error(`{"POSTGRES_PASSWORD": "hunter2"}`)
}
