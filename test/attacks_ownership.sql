-- Attacks by role on names and owners of models: who gets whose rows by a name.
BEGIN;
SELECT plan(59);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

CREATE ROLE gensynth_attacker;
CREATE ROLE gensynth_victim;
CREATE ROLE gensynth_member IN ROLE gensynth_victim;
CREATE ROLE gensynth_other;
CREATE ROLE gensynth_dba SUPERUSER;
CREATE SCHEMA a;
GRANT USAGE, CREATE ON SCHEMA public, a TO PUBLIC;
CREATE TABLE secrets AS SELECT 'secret ' || i % 7 AS s FROM generate_series(1, 200) AS i;
ALTER TABLE secrets OWNER TO gensynth_dba;

-- What a statement does to a role: 'no error', or its SQLSTATE.
\ir lib/as_role.sql
-- And the hint of its error.
CREATE FUNCTION hint_for(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM set_config('role', role, true);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN hint;
END $$;

-- A name that somebody else holds already: who fits it again would hand over what only he can read.
SET LOCAL ROLE gensynth_attacker;
SELECT synth_fit('SELECT i % 3 AS s FROM generate_series(1, 50) AS i', model => 'secrets', seed => 1) \g /dev/null
RESET ROLE;
SELECT is(as_role('gensynth_dba', 'SELECT synth_fit(''secrets'', seed => 1)'), '42501', 'a superuser does not fit a stranger''s model');
SELECT is(hint_for('gensynth_dba', 'SELECT synth_fit(''secrets'', seed => 1)'),
	'Choose another name, such as model => ''secrets of gensynth_dba'', or SET ROLE gensynth_attacker first.', 'and is told so');
SELECT is(as_role('gensynth_dba', 'SELECT synth_fit(''secrets'', model => ''dba secrets'', seed => 1)'), 'no error', 'but one of another name');
SELECT is((SELECT array_agg(source) FROM synth_models WHERE model = 'secrets'), ARRAY['SELECT i % 3 AS s FROM generate_series(1, 50) AS i'],
	'nothing landed in the stranger''s model');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_sample(''dba secrets'', 1)'), '42501', 'nor is the other one the stranger''s');
SELECT is(as_role('gensynth_victim', 'SELECT synth_fit(''VALUES (1), (2), (3), (4), (5)'', model => ''mine'', seed => 1)'), 'no error', 'a role''s own model');
SELECT is(as_role('gensynth_member', 'SELECT synth_fit(''VALUES (1), (2), (3), (4), (5)'', model => ''mine'', seed => 1)'), '42501', 'a member of the owner does not fit it as itself');
SELECT is(as_role('gensynth_member', 'SELECT synth_use(''mine'', 1)'), 'no error', 'but may manage it');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_use(''mine'', 1)'), '42501', 'as a stranger may not');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_drop(''mine'')'), '42501', 'nor drop it');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_grant(''mine'', ''gensynth_attacker'')'), '42501', 'nor grant it to itself');

-- Two relations whose names look alike.
CREATE TABLE public."a.pat" AS SELECT 'public' AS x FROM generate_series(1, 50);
CREATE TABLE a.pat AS SELECT 'schema' AS x FROM generate_series(1, 50);
GRANT SELECT ON a.pat, public."a.pat" TO PUBLIC;
SELECT is(as_role('gensynth_attacker', 'SELECT synth_fit(''public."a.pat"'', seed => 1)'), 'no error', 'a table with a dot in its name');
SELECT is(as_role('gensynth_victim', 'SELECT synth_fit(''a.pat'', seed => 1)'), 'no error', 'does not take the name of another table''s model');
SELECT results_eq('SELECT model, source, owner COLLATE "default" FROM synth_models WHERE source ~ ''pat'' ORDER BY model',
	$$VALUES ('"a.pat"', 'public."a.pat"', 'gensynth_attacker'), ('a.pat', 'a.pat', 'gensynth_victim')$$, 'there are two');
SET LOCAL ROLE gensynth_victim;
SELECT is((SELECT x FROM synth_sample(NULL::a.pat, 1)), 'schema', 'the typed form finds the right one');
SELECT is((SELECT r->>'x' FROM synth_sample('a.pat', 1) AS r), 'schema', 'and so does its name');
RESET ROLE;
SELECT is(as_role('gensynth_victim', 'SELECT synth_sample(''"a.pat"'', 1)'), '42501', 'the other one stays the other''s');

-- Temporary tables: each session has its own.
SET LOCAL ROLE gensynth_attacker;
CREATE TEMP TABLE passing AS SELECT i % 5 AS x FROM generate_series(1, 50) AS i;
RESET ROLE;
SELECT is(as_role('gensynth_attacker', 'SELECT synth_fit(''passing'', seed => 1)'), '22023', 'a model of a temporary table needs a name');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_fit(''passing'', model => ''pg_temp.passing'', seed => 1)'), 'no error', 'even that of one');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_grant(''pg_temp.passing'', ''gensynth_victim'')'), 'no error', 'and granted to another');
DROP TABLE passing;
SET LOCAL ROLE gensynth_victim;
CREATE TEMP TABLE passing (x int);
RESET ROLE;
SELECT is(as_role('gensynth_victim', 'SELECT synth_sample(NULL::passing, 1)'), '42704', 'it is not found by a temporary table of that name');
SELECT is(as_role('gensynth_victim', 'SELECT synth_sample(''passing'', 1)'), '42704', 'nor by its name');
SELECT is(as_role('gensynth_victim', 'CALL synth_into(''passing'', 1)'), '42704', 'nor to fill it');
SELECT is((SELECT relation FROM gensynth.versions WHERE model = 'pg_temp.passing'), NULL, 'no relation is kept');
SELECT is(as_role('gensynth_attacker', 'SELECT synth_drop(''pg_temp.passing'')'), 'no error', 'it is dropped by its own name');

-- A stranger's model of the victim's table: whoever may read the table can make one.
CREATE TABLE patients AS SELECT 'real' AS x FROM generate_series(1, 50);
ALTER TABLE patients OWNER TO gensynth_victim;
GRANT SELECT ON patients TO gensynth_attacker;
SELECT is(as_role('gensynth_attacker', 'SELECT synth_fit(''patients'', model => ''lure'', seed => 1)'), 'no error', 'a stranger''s model of a table');
SELECT ok(as_role('gensynth_victim', 'SELECT synth_sample(NULL::patients, 1)') IN ('42501', '42704'), 'the table''s owner does not get it by the typed form');
SELECT ok(as_role('gensynth_victim', 'SELECT synth_sample(''patients'', 1)') IN ('42501', '42704'), 'nor by the table''s name');
SELECT ok(as_role('gensynth_victim', 'SELECT synth_sample(''patients''::regclass, 1)') IN ('42501', '42704'), 'nor by the table');
SELECT is(as_role('gensynth_dba', 'SELECT synth_sample(NULL::patients, 1)'), '42704', 'nor does a superuser by the typed form');
SELECT is(as_role('gensynth_dba', 'SELECT synth_sample(''patients'', 1)'), '42704', 'nor by the table''s name');
SELECT is(as_role('gensynth_dba', 'CALL synth_into(''patients'', 1)'), '42704', 'nor to fill the table');
SELECT is(hint_for('gensynth_dba', 'SELECT synth_sample(NULL::patients, 1)'), 'Those of other roles have to be named: model => ''lure''.', 'a superuser is told to name it');
SELECT is(as_role('gensynth_dba', 'SELECT synth_sample(NULL::patients, 1, model => ''lure'')'), 'no error', 'and samples it by its name');
SELECT is(as_role('gensynth_victim', 'SELECT synth_fit(''patients'', seed => 1)'), 'no error', 'the owner''s own model');
SELECT is(as_role('gensynth_victim', 'SELECT synth_sample(NULL::patients, 1)'), 'no error', 'is the one of the typed form');
SELECT is(as_role('gensynth_member', 'SELECT synth_sample(NULL::patients, 1)'), 'no error', 'for members too');
SELECT is(as_role('gensynth_dba', 'SELECT synth_sample(NULL::patients, 1)'), '42704', 'a superuser names one of the two');
-- Granted ones are meant too, so two of them are one too many.
SELECT is(as_role('gensynth_attacker', 'SELECT synth_grant(''lure'', ''gensynth_other'')'), 'no error', 'a granted model');
GRANT SELECT ON patients TO gensynth_other;
SELECT is(as_role('gensynth_other', 'SELECT synth_sample(NULL::patients, 1)'), 'no error', 'is found by the typed form');
SELECT is(as_role('gensynth_victim', 'SELECT synth_grant(''patients'', ''gensynth_other'')'), 'no error', 'a second one');
SELECT is(as_role('gensynth_other', 'SELECT synth_sample(NULL::patients, 1)'), '42P08', 'makes it ambiguous');
SELECT is(as_role('gensynth_other', 'SELECT synth_sample(NULL::patients, 1, model => ''patients'')'), 'no error', 'until it is named');

-- Models of a role that is gone.
REASSIGN OWNED BY gensynth_attacker TO gensynth_dba;
DROP OWNED BY gensynth_attacker;
DROP ROLE gensynth_attacker;
SELECT is((SELECT owner FROM synth_models WHERE model = 'lure'), NULL, 'nobody owns them');
SELECT is(as_role('gensynth_other', 'SELECT synth_sample(''lure'', 1)'), 'no error', 'grants of it hold');
SELECT is(as_role('gensynth_victim', 'SELECT synth_sample(''lure'', 1)'), '42501', 'others have no more than before');
SELECT is(as_role('gensynth_other', 'SELECT synth_drop(''lure'')'), '42501', 'grantees do not own it');
SELECT is(as_role('gensynth_dba', 'SELECT synth_fit(''patients'', model => ''lure'', seed => 1)'), '42501', 'nor do superusers, to fit it again');
SELECT is(as_role('gensynth_other', 'SELECT synth_own(''lure'', ''gensynth_other'')'), '42501', 'only superusers give models away');
SELECT is(as_role('gensynth_victim', 'SELECT synth_own(''patients'', ''gensynth_other'')'), '42501', 'even their owner does not');
SELECT is(as_role('gensynth_dba', 'SELECT synth_own(''lure'', ''gensynth_other'')'), 'no error', 'a superuser does');
SELECT is((SELECT owner FROM synth_models WHERE model = 'lure'), 'gensynth_other', 'to the role that was named');
SELECT is(as_role('gensynth_other', 'SELECT synth_fit(''patients'', model => ''lure'', seed => 1)'), 'no error', 'which may fit it again');

-- The tables are nobody's business.
SELECT is((SELECT string_agg(DISTINCT as_role('gensynth_victim', format('SELECT FROM %s', c.oid::regclass)), ' ')
	FROM pg_class c WHERE c.relnamespace = 'gensynth'::regnamespace AND c.relkind = 'r'), '42501', 'no table can be read');
SELECT is(as_role('gensynth_victim', 'INSERT INTO gensynth.grants VALUES (''dba secrets'', ''gensynth_victim'')'), '42501', 'no grant be written');
SELECT is(as_role('gensynth_victim', 'UPDATE gensynth.models SET owner = ''gensynth_victim'''), '42501', 'no owner be changed');
SELECT is(as_role('gensynth_victim', 'DELETE FROM gensynth.tensors'), '42501', 'no parameter be deleted');

-- A model that is made again under the name of one that was dropped has none of its grants and fills.
SET LOCAL ROLE gensynth_victim;
CREATE TABLE filled (x text);
CALL synth_into('filled', 10, model => 'patients', seed => 1);
SELECT synth_drop('patients') \g /dev/null
SELECT synth_fit('patients', seed => 1) \g /dev/null
RESET ROLE;
SELECT is((SELECT count(*) FROM gensynth.grants WHERE model = 'patients') + (SELECT count(*) FROM gensynth.fills WHERE model = 'patients'),
	0::bigint, 'a dropped model leaves nothing');
SELECT is(as_role('gensynth_other', 'SELECT synth_sample(''patients'', 1)'), '42501', 'to whoever makes one of its name');

SELECT * FROM finish();
ROLLBACK;
