ALTER DATABASE mydatabase SET synchronous_commit = local;
