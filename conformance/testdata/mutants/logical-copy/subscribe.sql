CREATE SUBSCRIPTION copy CONNECTION 'host=postgres_master user=replicator password=replicator_password dbname=mydatabase' PUBLICATION everything;
