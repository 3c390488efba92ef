-- Attacks on masking: others' tables, others' code, rows that are hidden, names.
BEGIN;
SELECT plan(47);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
CREATE ROLE gensynth_owner;
CREATE ROLE gensynth_member IN ROLE gensynth_owner;
CREATE ROLE gensynth_stranger;
CREATE ROLE gensynth_passer BYPASSRLS IN ROLE gensynth_owner;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
\ir lib/as_role.sql
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

-- nor in a copy, which is the caller's
CREATE SCHEMA copies; GRANT USAGE, CREATE ON SCHEMA copies TO PUBLIC;
SET LOCAL ROLE gensynth_owner;
CREATE FUNCTION own_check(t text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION own_text(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE DOMAIN own_domain AS text CHECK (own_check(VALUE));
CREATE OPERATOR public.### (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE FUNCTION own_eq(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 OPERATOR(pg_catalog.=) $2';
CREATE OPERATOR public.#### (LEFTARG = text, RIGHTARG = text, FUNCTION = own_eq);
CREATE TABLE by_check (id int, name text CHECK (own_check(name)));
CREATE TABLE by_domain (id int, name text, other own_domain[]);
CREATE TABLE by_generated (id int, name text, g text GENERATED ALWAYS AS (own_text(name)) STORED);
CREATE TABLE by_index (id int, name text);
CREATE INDEX ON by_index (own_text(name));
CREATE TABLE by_operator (id int, name text CHECK (name OPERATOR(public.####) name));
CREATE TABLE by_default (id int, name text DEFAULT own_text('x') CHECK (name OPERATOR(public.###) name));
RESET ROLE;
SELECT is((SELECT string_agg(t || ' ' || left(as_role('none', format('CALL synth_mask(%L, ''{name}'', "into" => %L)', 'public.' || t, 'copies.' || t)), 5), ' ')
	FROM unnest('{by_check,by_domain,by_generated,by_index,by_operator}'::text[]) AS t), 'by_check 42501 by_domain 42501 by_generated 42501 by_index 42501 by_operator 42501', 'no copy calls functions of the source''s owner');
SELECT is(as_role('none', $$CALL synth_mask('public.by_default', '{name}', "into" => 'copies.by_default')$$), 'no error', 'a default is not called');
SELECT is(as_role('gensynth_member', $$CALL synth_mask('public.by_check', '{name}', "into" => 'copies.by_check')$$), '42501', 'members are not the owner');
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('public.by_check', '{name}', "into" => 'copies.by_check')$$), 'no error', 'the owner may copy its own');

-- nor while it is planned, on behalf of tables that keys tie to it
CREATE TABLE mine (id int PRIMARY KEY, name text); INSERT INTO mine VALUES (1, 'abcdef');
GRANT REFERENCES ON mine TO gensynth_owner;
SET LOCAL ROLE gensynth_owner;
CREATE FUNCTION owner_only(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'gensynth_owner' THEN RAISE EXCEPTION 'ran as %', current_user; END IF;
	RETURN t;
END $$;
CREATE TABLE refers (mine int REFERENCES mine, t text);
CREATE UNIQUE INDEX ON refers ((owner_only('x') || t), mine);
RESET ROLE;
SELECT lives_ok($$SELECT * FROM synth_mask_plan('mine', '{id}')$$, 'an index of another''s table is not evaluated by a plan');
SELECT lives_ok($$CALL synth_mask('mine', '{id}')$$, 'nor while it is masked, but as its owner');

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

CREATE DOMAIN evil.regclass AS pg_catalog.text CHECK (evil.never(VALUE, VALUE));
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.never(VALUE, VALUE));
CREATE DOMAIN evil.int8 AS pg_catalog.int8 CHECK (evil.never(VALUE::pg_catalog.text, ''));
CREATE TABLE counted (id serial PRIMARY KEY, name pg_catalog.text); INSERT INTO counted (name) VALUES ('abcdef');
CREATE MATERIALIZED VIEW shows AS SELECT * FROM counted;
SELECT is(under_path('evil, pg_catalog, public', $$CALL public.synth_mask('public.counted', '{id}')$$), 'no error', 'and so are types');

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

-- a table that keys tie to it, and that nobody has named
SET LOCAL ROLE gensynth_stranger;
CREATE FUNCTION filters(id int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE TABLE filtered (id int PRIMARY KEY);
INSERT INTO filtered SELECT generate_series(1, 20);
CREATE POLICY filters ON filtered USING (filters(id));
GRANT SELECT, REFERENCES ON filtered TO gensynth_owner;
SET LOCAL ROLE gensynth_owner;
CREATE TABLE filtering (id int REFERENCES filtered);
RESET ROLE;
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('filtering', '{id}', "into" => 'copies.filtering')$$), 'no error', 'is copied, too');
DROP TABLE copies.filtering, copies.filtered;
ALTER TABLE filtered ENABLE ROW LEVEL SECURITY;
SELECT is(as_role('gensynth_owner', $$CALL synth_mask('filtering', '{id}', "into" => 'copies.filtering')$$), '42501', 'unless its policies would run');

-- what is told of it to whom
CREATE TABLE unseen (id int); INSERT INTO unseen VALUES (1);
CALL synth_mask('unseen', '{id}');
SELECT is(as_role('gensynth_stranger', 'SELECT 1 / count(*) FROM synth_provenance WHERE relation = ''public.unseen'''), '22012', 'whoever cannot read a table is not told how it was masked');
SELECT is(as_role('gensynth_stranger', 'SELECT * FROM gensynth.provenance'), '42501', 'nor by the table below');
DROP TABLE unseen;
SELECT lives_ok('SELECT * FROM synth_provenance', 'a table that is gone');

SELECT * FROM finish();
ROLLBACK;
