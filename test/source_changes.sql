-- After a fit the source may change: sampling goes on as the model learned it.
BEGIN;
SELECT plan(22);
SET LOCAL client_min_messages = warning;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN small AS int CHECK (VALUE BETWEEN 0 AND 9);
CREATE TABLE c AS SELECT g % 10 AS a, 'x' || g % 3 AS b, g % 7 AS retyped, g % 5 AS renamed, g % 4 AS dropped,
	(enum_range(NULL::mood))[1 + g % 3] AS mood, (g % 10)::small AS small
FROM generate_series(1, 300) g;
SELECT synth_fit('c', seed => 1) \g /dev/null
CREATE TABLE before AS SELECT d, ordinality AS i FROM synth_sample('c', 100, seed => 1) WITH ORDINALITY s (d, ordinality);

-- Columns added, dropped, renamed.
ALTER TABLE c ADD COLUMN added int DEFAULT 7;
ALTER TABLE c DROP COLUMN dropped;
ALTER TABLE c RENAME COLUMN renamed TO other;
SELECT results_eq('SELECT d FROM synth_sample(''c'', 100, seed => 1) d', 'SELECT d FROM before ORDER BY i', 'jsonb as the model learned it');
SELECT is((SELECT count(added) + count(other) FROM synth_sample(NULL::c, 100, seed => 1)), 0::bigint, 'columns that the model lacks are NULL');
SELECT results_eq('SELECT a, b, mood FROM synth_sample(NULL::c, 100, seed => 1)',
	'SELECT (d ->> ''a'')::int, d ->> ''b'', (d ->> ''mood'')::mood FROM before ORDER BY i', 'the others are as they were');

-- A retyped one is converted, or it says that it can't.
ALTER TABLE c ALTER COLUMN retyped TYPE numeric(6,2);
SELECT results_eq('SELECT retyped::text FROM synth_sample(NULL::c, 100, seed => 1)',
	'SELECT (d ->> ''retyped'') || ''.00'' FROM before ORDER BY i', 'int to numeric(6,2)');
ALTER TABLE c ALTER COLUMN retyped TYPE text;
SELECT results_eq('SELECT retyped FROM synth_sample(NULL::c, 100, seed => 1)',
	'SELECT d ->> ''retyped'' FROM before ORDER BY i', 'int to text');
ALTER TABLE c ALTER COLUMN b TYPE varchar(1) USING 'x';
SELECT throws_ok('SELECT * FROM synth_sample(NULL::c, 100, seed => 1)', '22001', NULL, 'text too long for varchar(1)');
ALTER TABLE c ALTER COLUMN b TYPE date USING NULL;
SELECT throws_like('SELECT * FROM synth_sample(NULL::c, 100, seed => 1)', '%', 'text that is no date');
ALTER TABLE c DROP COLUMN b;
ALTER TABLE c ALTER COLUMN retyped TYPE point USING NULL;
SELECT throws_ok('SELECT * FROM synth_sample(NULL::c, 100, seed => 1)', '42804',
	'column "retyped" of the model is of type integer, which cannot be converted to point', 'int to point');
SELECT is((SELECT count(*) FROM synth_rows('c', 100, seed => 1) AS t(a int8, mood text)), 100::bigint, 'the column list is free');
SELECT results_eq('SELECT d FROM synth_sample(''c'', 100, seed => 1) d', 'SELECT d FROM before ORDER BY i', 'jsonb is still the same');
ALTER TABLE c DROP COLUMN retyped;

-- Types change beneath the model.
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
SELECT throws_like('SELECT * FROM synth_sample(''c'', 100, seed => 1)', '%sad%', 'a label that was renamed is named');
ALTER TYPE mood RENAME VALUE 'blue' TO 'sad';
ALTER TYPE mood ADD VALUE 'glad';
SELECT results_eq('SELECT d FROM synth_sample(''c'', 100, seed => 1) d', 'SELECT d FROM before ORDER BY i', 'a label that was added does no harm');
ALTER DOMAIN small DROP CONSTRAINT small_check;
ALTER DOMAIN small ADD CONSTRAINT even CHECK (VALUE % 2 = 0) NOT VALID;
SELECT lives_ok('SELECT count(*) FROM synth_sample(''c'', 100, seed => 1)', 'a domain that became stricter');

-- The relation gets another name, and goes.
ALTER TABLE c RENAME TO c2;
SELECT is((SELECT count(*) FROM synth_sample('c', 10)), 10::bigint, 'the model keeps its name');
SELECT throws_ok('SELECT * FROM synth_sample(NULL::c2, 10)', '42704', 'no model was learned from public.c2', 'the relation has another');
SELECT is((SELECT count(*) FROM synth_sample(NULL::c2, 10, model => 'c')), 10::bigint, 'which may be told');
DROP TABLE c2;
SELECT is((SELECT count(*) FROM synth_sample('c', 10)), 10::bigint, 'without the table');
SELECT is((SELECT count(*) FROM synth_rows('c', 10) AS t(a int)), 10::bigint, 'with a column list too');
DROP TYPE mood;
SELECT results_eq('SELECT d FROM synth_sample(''c'', 100, seed => 1) d', 'SELECT d FROM before ORDER BY i', 'without one of its types');
SELECT results_eq('SELECT name FROM synth_columns(''c'') ORDER BY ordinal', ARRAY['a', 'b', 'retyped', 'renamed', 'dropped', 'mood', 'small'],
	'synth_columns still tells');
SELECT lives_ok('SELECT synth_drop(''c'')', 'and it can be dropped');

-- A foreign table, where file_fdw is at hand.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'file_fdw') THEN
		CREATE EXTENSION file_fdw;
		CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE far (a int) SERVER files OPTIONS (program 'seq 1 60');
	ELSE
		CREATE TABLE far AS SELECT generate_series(1, 60) AS a;
	END IF;
END $$;
SELECT is((SELECT rows FROM synth_fit('far', seed => 1)), 60::bigint, 'a foreign table is a source');

SELECT * FROM finish();
ROLLBACK;
