-- Models whose parts are missing, as after half a restore.
BEGIN;
SELECT plan(16);
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
SELECT * FROM finish();
ROLLBACK;
