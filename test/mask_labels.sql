-- Labels of columns, rules, and keys.
BEGIN;
SELECT plan(86);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

CREATE ROLE gensynth_owner;
CREATE ROLE gensynth_member IN ROLE gensynth_owner;
CREATE ROLE gensynth_stranger;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
CREATE DOMAIN code AS varchar(6);
CREATE TABLE people (id int PRIMARY KEY, email text, short varchar(4), code code, born date, seen timestamptz,
	score numeric(6,2), flag boolean, doc jsonb, uid uuid, twice int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE people OWNER TO gensynth_owner;
CREATE TABLE parted (id int, name text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE VIEW people_seen AS SELECT id, email FROM people;
CREATE TYPE pair AS (a int, b text);
CREATE SEQUENCE numbers;

CREATE FUNCTION rule_of(col name) RETURNS text LANGUAGE sql AS $$SELECT rule FROM synth_labels WHERE relation = 'people'::regclass AND "column" = col$$;
-- What a statement does to a role: 'no error', or its SQLSTATE.
\ir lib/as_role.sql
CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;

-- rules that there are
SELECT lives_ok(format('SELECT synth_label(''people'', %L, %L)', c, r), r || ' on ' || c) FROM (VALUES
	('email', 'email'), ('email', 'phone(locale=de_DE)'), ('email', ' phone ( locale = ja_JP ) '), ('email', 'keep'), ('email', 'null'),
	('email', 'shuffle'), ('email', 'synthesize'), ('email', 'pseudonym'), ('email', 'pseudonym(persons)'), ('id', 'pseudonym'), ('uid', 'pseudonym'),
	('email', 'pattern:AA-9999'), ('short', 'pattern:A-99'), ('email', 'constant:'), ('id', 'constant:7'), ('email', 'constant:a:b(c)'),
	('born', 'generalise:month'), ('seen', 'generalise:day'), ('id', 'generalise:10'), ('score', 'generalise:0.5'), ('born', 'birth_date'), ('code', 'pseudonym'),
	('twice', 'keep'), ('doc', 'null')) AS v (c, r);
SELECT is(rule_of('email'), 'constant:a:b(c)', 'a label replaces the one before');
SELECT lives_ok($$SELECT synth_label('people', 'email', NULL)$$, 'NULL takes a label away');
SELECT is(rule_of('email'), NULL, 'it is gone');
SELECT lives_ok($$SECURITY LABEL FOR gensynth ON COLUMN people.email IS 'email'$$, 'SECURITY LABEL says the same');
SELECT is(rule_of('email'), 'email', 'and is seen');
SELECT lives_ok($$SELECT synth_label('people_seen', 'email', 'email')$$, 'a view''s column');
DROP VIEW people_seen;
SELECT is((SELECT count(*) FROM synth_labels WHERE relation::text LIKE '%seen%'), 0::bigint, 'labels go with their tables');

-- what is wrong with a rule
SELECT throws_ok(format('SELECT synth_label(''people'', %L, %L)', c, r), code, NULL, r || ' on ' || c) FROM (VALUES
	('email', 'emial', '42704'), ('email', '', '42704'), ('email', 'phone(locale=de_XX)', '42704'), ('email', 'phone(colour=red)', '42704'), ('email', 'phone(de_DE)', '22023'), ('email', 'pseudonym(', '22023'),
	('email', 'pseudonym()', '22023'), ('email', 'keep(a)', '22023'), ('email', 'pattern', '22023'), ('email', 'pattern:-', '22023'), ('born', 'generalise:moon', '22023'),
	('id', 'generalise:0', '22023'), ('id', 'generalise:-1', '22023'), ('id', 'generalise:1.5', '42804'), ('id', 'generalise:month', '42804'), ('born', 'generalise:10', '42804'),
	('id', 'email', '42804'), ('flag', 'pseudonym', '42804'), ('doc', 'pattern:9', '42804'), ('short', 'pattern:99999', '42804'), ('id', 'constant:x', '22P02'), ('twice', 'null', '42809')) AS v (c, r, code);
SELECT is(hint_of($$SELECT synth_label('people', 'email', 'emial')$$), 'Perhaps you meant "email".', 'the nearest name');
SELECT is(hint_of($$SELECT synth_label('people', 'email', 'pseudonim')$$), 'Perhaps you meant "pseudonym".', 'also of a rule');
SELECT throws_ok(format('SELECT synth_label(''people'', ''email'', %L)', repeat('x', 5000)), '42704', NULL, 'a long name that does not exist');
SELECT throws_ok($$SELECT synth_label('people', 'nix', 'email')$$, '42703', NULL, 'a column that is not there');
SELECT throws_ok($$SELECT synth_label('people', 'ctid', 'null')$$, '42809', NULL, 'a system column');
SELECT throws_ok($$SELECT synth_label('parted_1', 'name', 'last_name')$$, '42809', NULL, 'a partition');
SELECT throws_ok($$SELECT synth_label('numbers', 'last_value', 'null')$$, '42809', NULL, 'a sequence');
SELECT throws_ok($$SELECT synth_label(NULL, 'email', 'email')$$, '22004', NULL, 'no table');
SELECT throws_ok($$SELECT synth_label('people', NULL, 'email')$$, '22004', NULL, 'no column');
SELECT throws_ok($$SECURITY LABEL FOR gensynth ON TABLE people IS 'email'$$, '42809', NULL, 'a table as a whole');
SELECT throws_ok($$SECURITY LABEL FOR gensynth ON COLUMN people.email IS 'emial'$$, '42704', NULL, 'SECURITY LABEL looks at the rule, too');

-- attacks: labels of others' columns
SELECT is(as_role('gensynth_stranger', $$SELECT synth_label('people', 'email', 'keep')$$), '42501', 'a stranger cannot label');
SELECT is(as_role('gensynth_stranger', $$SELECT synth_label('people', 'email', NULL)$$), '42501', 'nor take a label away');
SELECT is(as_role('gensynth_stranger', $$SECURITY LABEL FOR gensynth ON COLUMN people.email IS NULL$$), '42501', 'nor by SECURITY LABEL');
SELECT is(as_role('gensynth_stranger', $$SELECT synth_label('pg_catalog.pg_authid', 'rolpassword', 'null')$$), '42501', 'nor the catalog');
SELECT is(as_role('gensynth_member', $$SELECT synth_label('people', 'email', 'shuffle')$$), 'no error', 'a member of the owner can');

-- keys
SELECT is(as_role('gensynth_owner', $$SELECT synth_key()$$), 'no error', 'a key');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key()$$), '42710', 'not twice');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key('k', '\x000102030405060708090a0b0c0d0e0f')$$), 'no error', 'a key that is passed');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key('k', '\x000102030405060708090a0b0c0d0e0f')$$), 'no error', 'the same is there already');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key('k', '\x000102030405060708090a0b0c0d0e00')$$), '42710', 'another one of the name');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key('k2', '\x0001')$$), '22023', 'too short');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key('')$$), '22023', 'no name');
SELECT is(as_role('gensynth_owner', $$SELECT synth_key(NULL)$$), '22004', 'NULL');
SELECT is(as_role('gensynth_stranger', $$SELECT synth_key('k')$$), 'no error', 'another role has keys of its own');
SELECT is((SELECT count(DISTINCT value) FROM gensynth.keys), 3::bigint, 'all others');
SET LOCAL ROLE gensynth_stranger;
SELECT is((SELECT string_agg(name || ' of ' || owner, ', ') FROM synth_keys), 'k of gensynth_stranger', 'a role sees its own keys');
RESET ROLE;
SET LOCAL ROLE gensynth_member;
SELECT is((SELECT string_agg(name || ' of ' || owner, ', ' ORDER BY name) FROM synth_keys), 'default of gensynth_owner, k of gensynth_owner', 'and those of roles that it is a member of');
RESET ROLE;
SELECT is(as_role('gensynth_stranger', 'SELECT * FROM gensynth.keys'), '42501', 'nobody else reads the table');
SELECT is(as_role('gensynth_member', $$SELECT synth_drop_key('default')$$), '42704', 'a key is dropped by its very owner');
SELECT is(as_role('gensynth_stranger', $$SELECT synth_drop_key('default')$$), '42704', 'and by no stranger');
SELECT is(as_role('gensynth_owner', $$SELECT synth_drop_key('default')$$), 'no error', 'drop');
SELECT is((SELECT count(*) FROM pg_extension, unnest(extconfig) AS c WHERE c = 'gensynth.keys'::regclass), 0::bigint, 'keys are in no dump');

SELECT * FROM finish();
ROLLBACK;
