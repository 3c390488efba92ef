-- Models whose parts are missing, as after half a restore.
BEGIN;
SELECT plan(25);
SET LOCAL client_min_messages = warning;
CREATE TABLE t AS SELECT i % 40 AS a, 'b' || i % 3 AS b FROM generate_series(1, 200) AS i;
ALTER TABLE t ADD CHECK (a >= 0);
SELECT synth_fit('t', model => 'parts', seed => 1) \g /dev/null
SELECT synth_fit('t', model => 'parts', seed => 2) \g /dev/null

SELECT is((SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'gensynth'::regnamespace), 0::bigint,
	'no foreign keys: tables are restored in any order');
-- Without a part, what is to be read of a version is corrupted.
CREATE FUNCTION broken(change text, call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE change;
	EXECUTE call;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(broken(format('DELETE FROM gensynth.%s WHERE model = ''parts'' AND version = 2 AND ctid = (SELECT min(ctid) FROM gensynth.%1$s WHERE model = ''parts'' AND version = 2)', part),
	format('SELECT * FROM %s', call)), 'XX001', format('a row of %s less: %s', part, call))
FROM unnest(ARRAY['columns', 'constraints', 'tensors']) AS part, unnest(ARRAY['synth_sample(''parts'', 1)', 'synth_columns(''parts'')',
	'synth_training(''parts'')']) AS call;
SELECT is(broken('INSERT INTO gensynth.tensors SELECT model, version, ''one more'', type, shape, data FROM gensynth.tensors WHERE model = ''parts'' AND version = 2 LIMIT 1',
	'SELECT synth_sample(''parts'', 1)'), 'XX001', 'one more is too many');
SELECT is(broken('DELETE FROM gensynth.versions WHERE model = ''parts'' AND version = 2', 'SELECT synth_sample(''parts'', 1)'), 'XX001', 'no current version');
SELECT is(broken('DELETE FROM gensynth.versions WHERE model = ''parts'' AND version = 1', 'SELECT synth_columns(''parts'', 1)'), '42704', 'another version may be gone');
SELECT is(broken('DELETE FROM gensynth.tensors WHERE model = ''parts'' AND version = 2', 'SELECT synth_use(''parts'', 1); SELECT synth_sample(''parts'', 1)'),
	'no error', 'one can go back to a whole version');
SELECT lives_ok('SELECT synth_drop(''parts'', 2)', 'and drop the one that is not');
SELECT is((SELECT sum(n) FROM (SELECT count(*) FROM gensynth.columns WHERE model = 'parts' AND version = 2 UNION ALL SELECT count(*) FROM gensynth.versions
	WHERE model = 'parts' AND version = 2) AS u(n)), 0::numeric, 'with all that is left of it');

-- A session keeps what it has loaded, until that may be something else.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE felt AS SELECT (ARRAY['sad', 'ok'])[1 + i % 2]::mood AS m, i % 7 AS a FROM generate_series(1, 200) AS i;
SELECT synth_fit('felt', model => 'felt', seed => 1) \g /dev/null
CREATE FUNCTION felt() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(DISTINCT s->>'m', ' ' ORDER BY s->>'m') FROM synth_sample('felt', 50, seed => 1) AS s $$;
SELECT is(felt(), 'ok sad', 'loaded');
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
SELECT throws_ok('SELECT felt()', '22P02', NULL, 'a type that changed is read anew');
ALTER TYPE mood RENAME VALUE 'blue' TO 'sad';
SELECT is(broken('UPDATE gensynth.tensors SET data = data || ''\x00'' WHERE model = ''felt''', 'SELECT felt()'), 'XX001', 'what changes in the catalog is seen');
SELECT is(felt(), 'ok sad', 'and so is that it is undone');
SELECT synth_fit('SELECT ''glad'' AS m, i AS a FROM generate_series(1, 50) AS i', model => 'felt', seed => 1) \g /dev/null
SELECT is(felt(), 'glad', 'another version is another model');
SELECT synth_use('felt', 1) \g /dev/null
SELECT is(felt(), 'ok sad', 'as is the one before');
SELECT synth_fit('felt', model => 'felt', seed => 1, options => '{"keep_versions": 0}') \g /dev/null
SELECT is((SELECT string_agg(DISTINCT version::text, ' ') FROM (SELECT model, version FROM gensynth.versions UNION ALL SELECT model, version FROM gensynth.columns
	UNION ALL SELECT model, version FROM gensynth.constraints UNION ALL SELECT model, version FROM gensynth.tensors) AS v WHERE model = 'felt'), '3', 'versions that are not kept leave nothing');
SELECT synth_drop('felt') \g /dev/null
SELECT throws_ok('SELECT felt()', '42704', NULL, 'one that was dropped is gone');
SELECT is((SELECT count(*) FROM synth_sample('parts', 20, seed => 5, given => '{"b": "b1"}') AS y, synth_sample('parts', 20, seed => 5) AS x WHERE y->>'b' <> 'b1'), 0::bigint, 'two streams share a model, and not their conditions');
SELECT * FROM finish();
ROLLBACK;
