-- Attacks on masking: others' tables, others' code, rows that are hidden, names.
BEGIN;
SELECT plan(38);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
CREATE ROLE gensynth_owner;
CREATE ROLE gensynth_member IN ROLE gensynth_owner;
CREATE ROLE gensynth_stranger;
CREATE ROLE gensynth_passer BYPASSRLS IN ROLE gensynth_owner;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
CREATE FUNCTION as_role(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', role, true);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		PERFORM set_config('role', 'none', true);
		RETURN SQLSTATE;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN 'no error';
END $$;
CREATE FUNCTION detail_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail;
END $$;

-- not the owner
CREATE TABLE person (id int PRIMARY KEY, name text);
INSERT INTO person SELECT i, 'Person ' || i FROM generate_series(1, 50) AS i;
ALTER TABLE person OWNER TO gensynth_owner;
GRANT ALL ON person TO gensynth_stranger;
SELECT is(as_role('gensynth_stranger', $$CALL synth_mask('person', '{name}')$$), '42501', 'all privileges do not make an owner');
SELECT is(as_role('gensynth_stranger', $$SELECT synth_mask_plan('person', '{name}')$$), '42501', 'nor for a plan');
SELECT is(as_role('gensynth_stranger', $$CALL synth_mask('person', '{name}', dry_run => true)$$), '42501', 'nor for a dry run');
CREATE TABLE visit (id int, person int REFERENCES person);
INSERT INTO visit SELECT i, i FROM generate_series(1, 50) AS i;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('person', '{id}')$$), '42501', 'a table that refers to it is somebody else''s');
SELECT is((SELECT count(*) FROM person JOIN visit ON person = person.id), 50::bigint, 'nothing was done');
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('person', '{name}')$$), 'no error', 'what no key leads to is masked all the same');
SELECT is(as_role('gensynth_member', $$CALL synth_mask('person', '{name}', '{"name": "last_name"}')$$), 'no error', 'a member of the owner may');
ALTER TABLE visit OWNER TO gensynth_owner;
SELECT is(as_role('gensynth_member', $$CALL synth_mask('person', '{id}')$$), 'no error', 'now all are its own');
SELECT is((SELECT count(*) FROM person JOIN visit ON person = person.id), 50::bigint, 'keys lead where they led');
CREATE TABLE parts (id int, name text) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
ALTER TABLE parts OWNER TO gensynth_owner;
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('parts', '{name}')$$), '42501', 'a partition is somebody else''s');

-- keys
SELECT synth_key('mine');
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('visit', '{id}', key => 'mine')$$), '42501', 'a key that is somebody else''s');

SELECT is(as_role('gensynth_stranger', 'SELECT synth_key()'), 'no error', 'a default of one''s own');
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('visit', '{id}')$$), 'no error', 'somebody else''s default is not in the way');
CREATE TABLE for_dba (id int);
SELECT lives_ok($$CALL synth_mask('for_dba', '{id}')$$, 'nor in a superuser''s');
SELECT is((SELECT count(*) FROM gensynth.keys WHERE name = 'default'), 3::bigint, 'each has one');

-- rows that are hidden
CREATE TABLE hidden (id int, name text, who text);
INSERT INTO hidden SELECT i, 'Hidden ' || i, CASE WHEN i % 2 = 0 THEN 'gensynth_owner' ELSE 'x' END FROM generate_series(1, 50) AS i;
ALTER TABLE hidden OWNER TO gensynth_owner;
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden USING (who = current_user);
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('hidden', '{name}', '{"name": "pseudonym"}')$$), 'no error', 'an owner sees all rows');
SELECT is((SELECT count(*) FROM hidden WHERE name ~ '^Hidden'), 0::bigint, 'and all are masked');
ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('hidden', '{name}')$$), '42501', 'but not with FORCE');
SELECT is(as_role('gensynth_passer', $$CALL synth_mask('hidden', '{name}', '{"name": "shuffle"}')$$), 'no error', 'BYPASSRLS does');
SELECT is((SELECT count(*) FROM hidden), 50::bigint, 'no row is lost');

-- the owner's code does not run as whoever calls
CREATE FUNCTION spy(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN current_user = 'gensynth_owner'; END $$;
CREATE FUNCTION spied(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN current_user; END $$;
SET LOCAL ROLE gensynth_owner;
CREATE DOMAIN watched AS text CHECK (spy(VALUE));
CREATE TABLE trap (id int, name watched CHECK (spy(name)), seen text GENERATED ALWAYS AS (spied(name)) STORED);
CREATE INDEX trap_spied ON trap (spied(name)) WHERE spy(name);
INSERT INTO trap SELECT i, 'name ' || i FROM generate_series(1, 20) AS i;
RESET ROLE;
SELECT lives_ok($$CALL synth_mask('trap', '{name}', '{"name": "pseudonym"}')$$, 'conditions, domains and indexes run as the owner');
SELECT is((SELECT string_agg(DISTINCT seen, ' ') FROM trap), 'gensynth_owner', 'and so do generated columns');
SELECT is(current_user, session_user, 'the caller is the caller again');
CREATE FUNCTION escape(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN true; END $$;
ALTER TABLE trap ADD CHECK (escape(name));
CREATE OR REPLACE FUNCTION escape(t text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$BEGIN EXECUTE 'RESET ROLE'; RETURN true; END $$;
SELECT is(detail_of($$CALL synth_mask('trap', '{name}', '{"name": "pseudonym"}')$$) ~ '^42501 .*within security-restricted operation', true, 'nor gets out of there');

-- names
CREATE SCHEMA "a'b";
CREATE TABLE "a'b"."x""; DROP TABLE person; --" ("c""d" text, "select" serial PRIMARY KEY);
INSERT INTO "a'b"."x""; DROP TABLE person; --" SELECT 'Value ' || i FROM generate_series(1, 20) AS i;
SELECT lives_ok($$CALL synth_mask('"a''b"."x""; DROP TABLE person; --"', ARRAY['c"d', 'select'], '{"c\"d": "shuffle"}')$$, 'names that need quotes');
SELECT is((SELECT count(*) FROM "a'b"."x""; DROP TABLE person; --" WHERE "select" > 20), 20::bigint, 'are masked');
SELECT lives_ok($$CALL synth_mask_schema('"a''b"', dry_run => true)$$, 'and those of schemas');

-- what the search_path leads to
CREATE SCHEMA evil;
CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
CREATE FUNCTION evil.synth_find_pii(text) RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'called'; END $$;
CREATE FUNCTION under_path(path text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', path, true);
	EXECUTE statement;
	PERFORM set_config('search_path', 'public', true);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SELECT is(under_path('evil, pg_catalog, public', $$CALL public.synth_mask('public.person', '{id}')$$), 'no error', 'operators and functions are PostgreSQL''s and ours');

-- across schemas
CREATE SCHEMA one; CREATE SCHEMA two;
CREATE TABLE one.p (id int PRIMARY KEY, t text);
CREATE TABLE two.c (p int REFERENCES one.p);
INSERT INTO one.p SELECT i, 'text ' || i FROM generate_series(1, 20) AS i; INSERT INTO two.c SELECT id FROM one.p;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT throws_ok($$CALL synth_mask('one.p', '{id}')$$, '22023', 'table two.c is in another schema', 'a key leads out of the schema');
SELECT throws_ok($$CALL synth_mask_schema('one', '{"id": "pseudonym"}')$$, '22023', 'table two.c is in another schema', 'also of a whole one');
SELECT throws_ok($$CALL synth_mask_schema('one, two', '{"id": "pseudonym"}', exclude => '{c}')$$, '22023', 'table two.c is excluded', 'a table that is left out');
SELECT throws_ok($$CALL synth_mask_schema('one, nix')$$, '3F000', NULL, 'a schema that is not there');
SELECT throws_ok($$CALL synth_mask_schema('one', exclude => '{nix}')$$, '42P01', NULL, 'a table that is not there');
SELECT lives_ok($$CALL synth_mask_schema('one, two', '{"p.id": "pseudonym", "one.p.t": "shuffle"}')$$, 'both');
SELECT is((SELECT count(*) FROM one.p JOIN two.c ON c.p = p.id WHERE p.id > 20), 20::bigint, 'and they fit');

-- what is told of it to whom
CREATE TABLE unseen (id int); INSERT INTO unseen VALUES (1);
CALL synth_mask('unseen', '{id}');
SELECT is(as_role('gensynth_stranger', 'SELECT 1 / count(*) FROM synth_provenance WHERE relation = ''public.unseen'''), '22012', 'whoever cannot read a table is not told how it was masked');
SELECT is(as_role('gensynth_stranger', 'SELECT * FROM gensynth.provenance'), '42501', 'nor by the table below');
DROP TABLE unseen;
SELECT lives_ok('SELECT * FROM synth_provenance', 'a table that is gone');

SELECT * FROM finish();
ROLLBACK;
