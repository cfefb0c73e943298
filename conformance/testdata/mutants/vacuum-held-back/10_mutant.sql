CREATE TABLE forgotten (id int);
BEGIN;
INSERT INTO forgotten VALUES (1);
PREPARE TRANSACTION 'forgotten';
