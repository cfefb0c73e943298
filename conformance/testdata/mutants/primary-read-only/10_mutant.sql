ALTER DATABASE mydatabase SET default_transaction_read_only = on;
