SELECT pg_create_physical_replication_slot('second_standby', true);
