-- Masking: types, values and settings that are odd, and what others put in the way.
BEGIN;
SELECT plan(35);
SET LOCAL client_min_messages = warning;
CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT synth_key();

-- a schema that the role may not use is no error of the view
CREATE ROLE gensynth_odd_reader;
CREATE SCHEMA closed; CREATE SCHEMA "op'en";
CREATE TABLE closed.t (a text); CREATE TABLE "op'en"."t""1" (a text);
INSERT INTO closed.t VALUES ('abcdef'); INSERT INTO "op'en"."t""1" VALUES ('abcdef');
CALL synth_mask('closed.t', '{a}'); CALL synth_mask('"op''en"."t""1"', '{a}');
GRANT SELECT ON ALL TABLES IN SCHEMA closed, "op'en" TO gensynth_odd_reader;
GRANT USAGE ON SCHEMA "op'en" TO gensynth_odd_reader;
SET LOCAL ROLE gensynth_odd_reader;
SELECT is((SELECT string_agg(relation, ' ') FROM synth_provenance), '"op''en"."t""1"', 'provenance is told of tables that one may read');
RESET ROLE;

-- a text or a uuid may own a sequence
CREATE TABLE customer (id text PRIMARY KEY, n int);
CREATE SEQUENCE customer_seq OWNED BY customer.id;
ALTER TABLE customer ALTER id SET DEFAULT 'CUST-' || nextval('customer_seq');
INSERT INTO customer SELECT 'CUST-' || i, i FROM generate_series(1000, 1100) AS i;
SELECT is(state_of($$CALL synth_mask('customer', '{id}')$$), 'no error', 'a text that owns a sequence');
CREATE TABLE visit (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
CREATE SEQUENCE visit_seq OWNED BY visit.id;
INSERT INTO visit SELECT FROM generate_series(1, 5);
SELECT is(state_of($$CALL synth_mask('visit', '{id}')$$), 'no error', 'a uuid that does');

-- generated values are drawn until a domain takes them
CREATE DOMAIN early AS text CHECK (VALUE ~ '^[A-D]');
CREATE TABLE named (id int PRIMARY KEY, first early, n int);
INSERT INTO named SELECT i, 'Anna', i FROM generate_series(1, 100) AS i;
SELECT is(state_of($$CALL synth_mask('named', '{first,n}', '{"first": "first_name", "n": "shuffle"}')$$), 'no error', 'a domain that few names are of');
SELECT is((SELECT count(DISTINCT first) > 10 AND bool_and(first ~ '^[A-D]') FROM named), true, 'has others of them');
SELECT is((SELECT count(DISTINCT n) FROM named), 100::bigint, 'and what is shuffled beside comes once');
CREATE DOMAIN never AS text CHECK (VALUE ~ '^Xyzzy');
ALTER TABLE named ADD other never DEFAULT 'Xyzzy';
SELECT is(state_of($$CALL synth_mask('named', '{other}', '{"other": "first_name"}')$$), '23514 value for domain never violates check constraint "never_check"', 'one that none is of');

-- dates that nobody is born on
CREATE TABLE born (id int PRIMARY KEY, day date);
INSERT INTO born VALUES (1, '5874897-12-31'), (2, '4713-11-24 BC'), (3, 'infinity'), (4, '-infinity'), (5, '0001-01-01 BC'), (6, NULL), (7, '0001-01-01'), (8, '2023-05-05');
SELECT is(state_of($$CALL synth_mask('born', '{day}', '{"day": "birth_date"}')$$), 'no error', 'dates that nobody is born on');
SELECT is((SELECT bool_and(extract(year FROM day) BETWEEN 1900 AND 2030) FROM born), true, 'become such as one is');

-- words for the sex, in columns that hold only some of them
CREATE TABLE short (id int PRIMARY KEY, a varchar(5), b char(5));
INSERT INTO short SELECT i, 'male', 'Man' FROM generate_series(1, 50) AS i;
SELECT is(state_of($$CALL synth_mask('short', '{a,b}', '{"a": "sex", "b": "sex"}')$$), 'no error', 'a column too short for a word');
SELECT is((SELECT max(length(a)) <= 5 AND min(length(b)) > 0 FROM short), true, 'holds what fits');

-- lists
SELECT is(state_of($$SELECT synth_list('city', NULL, ARRAY[repeat('x', 512)])$$), '22001 a value of the list has more than 511 bytes', 'a value of a list that is too long');
SELECT is(state_of($$SELECT synth_list('city', NULL, ARRAY[repeat('x', 511), NULL]), length(synth_fake('city'))$$), 'no error', 'one that is not');
SELECT synth_list('city', NULL, NULL);

-- numbers without pseudonyms
CREATE TABLE big (n numeric, short numeric(4));
INSERT INTO big VALUES (1e30, 1);
SELECT is(state_of($$CALL synth_mask('big', '{n}', '{"n": "pseudonym"}')$$), '22003 column "n" of table big has numbers beyond those of bigint, which have no pseudonyms', 'a number that is too large');
UPDATE big SET n = 'NaN';
SELECT is(state_of($$CALL synth_mask('big', '{n}', '{"n": "pseudonym"}')$$), '22003 column "n" of table big has numbers beyond those of bigint, which have no pseudonyms', 'one that is none');
UPDATE big SET n = -7;
SELECT is(state_of($$CALL synth_mask('big', '{n}', '{"n": "pseudonym"}')$$), 'no error', 'one below 0');
INSERT INTO big SELECT 0, i FROM generate_series(1, 9999) AS i;
SELECT is(state_of($$CALL synth_mask('big', '{short}', '{"short": "pseudonym"}')$$), 'no error', 'a type of few digits');
SELECT is((SELECT count(DISTINCT short) FROM big WHERE short BETWEEN 1 AND 9999), 9999::bigint, 'has pseudonyms of its own');
CREATE TABLE wide (id numeric(8) PRIMARY KEY); CREATE TABLE narrow (wide numeric(4) REFERENCES wide, three numeric(3));
INSERT INTO wide SELECT i FROM generate_series(1, 12000) AS i; INSERT INTO narrow SELECT i FROM generate_series(1, 9999) AS i;
SELECT is((SELECT bool_and(rows BETWEEN 3000 AND 48000) FROM synth_mask_plan('wide', '{id}')), true, 'rows of tables that were never analyzed are estimated by their size');
SELECT is(state_of($$CALL synth_mask('wide', '{id}')$$), 'no error', 'a key that another type of few digits refers to');
SELECT is((SELECT count(DISTINCT id) FROM wide), 12000::bigint, 'stays unique');
SELECT alike(state_of($$CALL synth_mask('narrow', '{three}', '{"three": "pseudonym"}')$$), '42804 column "three" of table %.narrow, of type numeric, cannot be masked%', 'three digits are too few');

-- what the first rows of two tables say against it is told at once
CREATE TABLE checked (id int PRIMARY KEY, name text CHECK (name ~ '^Person')); CREATE TABLE checked_too (checked int REFERENCES checked, twice int GENERATED ALWAYS AS (checked * 2) STORED);
INSERT INTO checked VALUES (1, 'Person 1'); INSERT INTO checked_too VALUES (1);
ALTER TABLE checked_too ADD CONSTRAINT two CHECK (twice = 2);
SELECT is(state_of($$CALL synth_mask('checked', '{id,name}', '{"name": "constant:x"}')$$), '23514 there are 2 reasons against masking', 'conditions of two tables');
SELECT is(state_of($$CALL synth_mask('checked', '{name}', '{"name": "constant:x"}')$$), '23514 masked rows of table "checked" violate check constraint "checked_name_check"', 'and of one');

-- texts that are equal whatever the case
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') AS has_citext \gset
\if :has_citext
CREATE EXTENSION citext;
CREATE TABLE folded (mail citext PRIMARY KEY, code citext UNIQUE, name citext, empty citext); CREATE TABLE refers (mail citext REFERENCES folded);
INSERT INTO folded SELECT 'User' || i || '@Shop.test', 'AB-' || i, 'Clara', '' FROM generate_series(1, 2000) AS i; INSERT INTO refers SELECT upper(mail::text) FROM folded;
SELECT is(state_of($$CALL synth_mask('folded', '{mail,code,name,empty}', '{"mail": "pseudonym", "code": "pseudonym", "name": "first_name", "empty": "first_name"}')$$), 'no error', 'citext');
SELECT is((SELECT count(*) FROM folded JOIN refers USING (mail) WHERE mail !~* '@shop[.]test$'), 2000::bigint, 'keys lead where they led');
SELECT is((SELECT count(DISTINCT code) || ' ' || count(*) FILTER (WHERE code ~ '^[a-z]{2}-[0-9]+$' AND empty = '') FROM folded), '2000 2000', 'codes stay distinct, and what is empty stays so');
\else
SELECT skip('citext is not installed', 3);
\endif

-- types that no array holds, or that unnest() takes apart
CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('low', 'high'); CREATE DOMAIN words AS text[];
CREATE TABLE odd (id int PRIMARY KEY, list text[], p pair, m mood, r int4range, w words, j jsonb, gone int, mail text);
INSERT INTO odd SELECT i, ARRAY['a' || i], ROW(i, 'x')::pair, 'low', int4range(i, i + 1), '{a,b}', '{}', 0, 'a' || i || '@b.test' FROM generate_series(1, 30) AS i;
INSERT INTO odd (id) VALUES (31);
ALTER TABLE odd DROP gone;
SELECT is(state_of($$CALL synth_mask('odd', '{list,p,m,r,w,j,mail}', '{"list": "constant:{q}", "p": "constant:(7,y)", "m": "constant:high", "r": "null", "w": "constant:{s,t}", "j": "null", "mail": "email"}', mode => 'update')$$), 'no error', 'row by row');
SELECT is((SELECT count(*) FROM odd WHERE list = '{q}' AND p = (7, 'y')::pair AND m = 'high' AND r IS NULL AND w = '{s,t}' AND j IS NULL AND mail ~ '@example'), 30::bigint, 'all are replaced');
SELECT is((SELECT num_nonnulls(list, p, m, r, w, j, mail) FROM odd WHERE id = 31), 0, 'and NULL stays NULL');
SELECT is(state_of($$CALL synth_mask('odd', '{list,p,r,w}', '{"list": "shuffle", "p": "shuffle", "r": "constant:empty", "w": "shuffle"}')$$), 'no error', 'all together');

-- nobody's policies run where a caller names no table
CREATE ROLE gensynth_odd_owner; CREATE ROLE gensynth_odd_finder;
CREATE TABLE ran (who text); GRANT INSERT ON ran TO PUBLIC;
CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END $$;
CREATE SCHEMA bait; GRANT USAGE ON SCHEMA bait TO PUBLIC;
CREATE TABLE bait.t (email text, x text); INSERT INTO bait.t VALUES ('a@b.test', 'c@d.test');
ALTER TABLE bait.t ENABLE ROW LEVEL SECURITY; CREATE POLICY spy ON bait.t USING (spy());
GRANT SELECT ON bait.t TO PUBLIC;
SET LOCAL ROLE gensynth_odd_finder;
SELECT is((SELECT string_agg("column", ' ') FROM synth_find_pii('bait')), 'email', 'a table with policies is looked at by its names');
SELECT is(state_of('SELECT synth_find_pii()'), 'no error', 'among all tables, too');
SET LOCAL row_security = off;
SELECT is(state_of('SELECT synth_find_pii()'), 'no error', 'and where policies are errors');
RESET row_security;
RESET ROLE;
SELECT is((SELECT count(*) FROM ran), 0::bigint, 'nothing of whoever owns it has run');
SELECT * FROM finish();
ROLLBACK;
