-- Masking row by row, with commits: what happens between two batches, and how large they are.
SELECT plan(2);
-- a column becomes another one between two batches
SET client_min_messages = error;
SELECT synth_key();
CREATE TABLE turns (id int PRIMARY KEY, c text, d text);
INSERT INTO turns SELECT i, 'value ' || i, repeat('x', 1000) FROM generate_series(1, 100) AS i;
CREATE TABLE fired (a int);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO fired VALUES (1); RETURN NULL; END $$;
CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'turns'::regclass AND attname = 'c' AND atttypid = 'text'::regtype) THEN
		ALTER TABLE turns RENAME c TO was;
		ALTER TABLE turns ADD c date DEFAULT '2020-02-02';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER fire AFTER UPDATE ON turns FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE CONSTRAINT TRIGGER turn AFTER INSERT ON fired DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION turn();
\set ON_ERROR_STOP off
CALL synth_mask('turns', '{c}', '{"c": "pseudonym"}', mode => 'update', batch_size => 10);
\set ON_ERROR_STOP on
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42804', 'a column that becomes another one between two batches');

-- as many rows at a time as was said, though the table was counted before it grew
CREATE TABLE grown (id int, c text) WITH (autovacuum_enabled = false);
INSERT INTO grown VALUES (0, 'value 0');
ANALYZE grown;
INSERT INTO grown SELECT i, 'value ' || i FROM generate_series(1, 5000) AS i;
CALL synth_mask('grown', '{c}', '{"c": "pseudonym"}', mode => 'update', batch_size => 500);
SELECT cmp_ok((SELECT array_length(xids, 1) FROM gensynth.mask_runs WHERE target = 'public.grown'), '>', 5, 'a table that has grown since it was counted');
SELECT * FROM finish();
