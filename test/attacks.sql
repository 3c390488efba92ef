-- Attacks by role, each with what it must not get: code of one role that runs with the rights of another.
BEGIN;
SELECT plan(75);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

CREATE ROLE gensynth_attacker;
CREATE ROLE gensynth_owner;
CREATE ROLE gensynth_reader;
CREATE SCHEMA m AUTHORIZATION gensynth_attacker;
GRANT USAGE, CREATE ON SCHEMA m TO PUBLIC;
CREATE TABLE secret AS SELECT 'canary'::text AS s;

-- What the attacker has: a function that tells who runs it, and all that can hide a call of it.
SET LOCAL ROLE gensynth_attacker;
CREATE TABLE m.seen (who text);
GRANT INSERT ON m.seen TO PUBLIC;
-- Volatile, so that functions which call it do not keep its result.
CREATE FUNCTION m.note() RETURNS boolean LANGUAGE plpgsql PARALLEL SAFE AS $$
BEGIN
	INSERT INTO m.seen VALUES (current_user);
	RETURN true;
END $$;
CREATE FUNCTION m.spy(x int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ BEGIN RETURN m.note(); END $$;
CREATE FUNCTION m.spy_text(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM m.note(); RETURN x; END $$;
CREATE DOMAIN m.dom AS int CHECK (m.spy(VALUE));
CREATE DOMAIN m.word AS text CHECK (m.spy(length(VALUE)));
CREATE TYPE m.comp AS (a m.dom);
CREATE TYPE m.mood AS ENUM ('sad', 'ok', 'happy');
CREATE FUNCTION m.mood_json(m.mood) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM m.note(); RETURN '"x"'; END $$;
CREATE FUNCTION m.mood_text(m.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM m.note(); RETURN 'x'; END $$;
CREATE CAST (m.mood AS json) WITH FUNCTION m.mood_json(m.mood);
CREATE CAST (m.mood AS text) WITH FUNCTION m.mood_text(m.mood) AS ASSIGNMENT;
CREATE TYPE m.span AS RANGE (subtype = m.dom);
CREATE FUNCTION m.span_json(m.span) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM m.note(); RETURN '"x"'; END $$;
CREATE CAST (m.span AS json) WITH FUNCTION m.span_json(m.span);
CREATE FUNCTION m.lt(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN m.note(); END $$;
CREATE OPERATOR m.< (LEFTARG = int, RIGHTARG = int, FUNCTION = m.lt);
CREATE FUNCTION m.xml_of(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN m.note(); END $$;
CREATE VIEW m.view AS SELECT m.spy(1) AS a;

-- A table for each condition: the attacker's, with what the condition hides.
CREATE TABLE m.conditions (name text, condition text);
INSERT INTO m.conditions VALUES
	('cast', '(a::m.dom) IS NOT NULL'), ('composite', '(ROW(a)::m.comp) IS NOT NULL'), ('literal', '(''(1)''::m.comp) IS NOT NULL OR a > 0'),
	('array', '(ARRAY[a]::m.dom[]) IS NOT NULL'), ('array_literal', '(''{1,2}''::m.dom[]) IS NOT NULL OR a > 0'), ('range', '(int4range(a, a + 1)::text::m.span) IS NOT NULL'),
	('populate', '(jsonb_populate_record(NULL::m.comp, jsonb_build_object(''a'', a))) IS NOT NULL'),
	('xml', '(table_to_xml(''m.view'', true, true, '''')) IS NOT NULL'), ('query', '(query_to_xml(''SELECT m.spy(1)'', true, true, '''')) IS NOT NULL'),
	('function', 'm.spy(a)'), ('operator', 'a OPERATOR(m.<) 100000'), ('enum', '(CASE WHEN a > 0 THEN ''sad''::m.mood END)::text IS DISTINCT FROM ''a'''),
	('coalesce', 'COALESCE(m.spy(a), true)'), ('case', 'CASE WHEN a > 0 THEN m.spy(a) ELSE true END');
SELECT format('CREATE TABLE m.%I AS SELECT i AS a, i %% 7 AS b FROM generate_series(1, 100) AS i', name) FROM m.conditions \gexec
SELECT format('ALTER TABLE m.%I ADD CHECK (%s) NOT VALID', name, condition) FROM m.conditions \gexec
CREATE TABLE m.columns (a int, d m.dom, w m.word, ds m.dom[], e m.mood, es m.mood[], r m.span, k m.dom UNIQUE, kw m.word UNIQUE,
	g m.dom GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO m.columns SELECT i, i % 50, 'word ' || i % 9, ARRAY[i, i % 7], (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::m.mood,
	ARRAY['sad', (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]]::m.mood[], m.span(i, i + 3), i * 13, 'word' || i * 7 FROM generate_series(1, 300) AS i;
GRANT SELECT ON ALL TABLES IN SCHEMA m TO PUBLIC;
RESET ROLE;

-- Who has run the attacker's function since the last look, but for the attacker.
CREATE FUNCTION runners() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	seen text := COALESCE((SELECT string_agg(DISTINCT who || ' ', '') FROM m.seen WHERE who <> 'gensynth_attacker'), '');
BEGIN
	DELETE FROM m.seen;
	RETURN seen;
END $$;
GRANT ALL ON FUNCTION runners() TO PUBLIC;
SELECT m.spy(1) \g /dev/null
SELECT is(runners(), current_user || ' ', 'who runs the function is seen');

-- A superuser learns and samples what the attacker has made.
SELECT lives_ok(format($$SELECT synth_fit('m.%I', model => %L, seed => 1);
	SELECT count(a), count(b) FROM synth_rows(%2$L, 50, seed => 1) AS t(a int, b int);
	SELECT count(s) FROM synth_sample(%2$L, 50, seed => 1) AS s; SELECT synth_check(%2$L, 50)$$, name, name), 'condition ' || name) FROM m.conditions;
SELECT is(runners(), '', 'no condition has run it');
SELECT is((SELECT string_agg(DISTINCT met, ' ') FROM m.conditions AS m, synth_constraints(m.name) AS c WHERE c.kind = 'check'), 'database', 'they are left to a table');

SELECT FROM synth_fit('m.columns', model => 'columns', seed => 1, options => '{"refine": 1}');
SELECT is(runners(), '', 'learning columns has not run it');
SELECT count(s) FROM synth_sample('columns', 2000, seed => 1) AS s \g /dev/null
SELECT is(runners(), '', 'nor have documents');
SELECT is((SELECT (s->'e' <@ '["sad", "ok", "happy"]' AND jsonb_typeof(s->'ds') = 'array' AND s->>'r' LIKE '[%' AND s->'es'->>0 = 'sad')::text
	FROM synth_sample('columns', 1, seed => 1) AS s), 'true', 'which show what there is');
SELECT count(s) FROM synth_rows('columns', 2000, seed => 1) AS s(d int, w text, ds int[], e text, es text[], r text, k int, kw text, g int) \g /dev/null
SELECT is(runners(), '', 'nor have rows of plain types');
SELECT is((SELECT count(*) FROM synth_rows('columns', 300, seed => 1) AS s(e text) WHERE e = 'x'), 0::bigint, 'nor has the cast that the attacker has made');
EXPLAIN (COSTS off) SELECT * FROM synth_sample(NULL::m.columns, 100, model => 'columns', seed => 1) \g /dev/null
SELECT is(runners(), '', 'nor has EXPLAIN');
SELECT count(*) FROM synth_check('columns', 500) \g /dev/null
SELECT is(runners(), '', 'nor has synth_check');
SELECT count(s) FROM synth_sample('columns', 20, seed => 1, given => '{"d": [1, 2, 3], "w": "word 1"}') AS s \g /dev/null
SELECT is(runners(), '', 'nor have given values');
SELECT synth_view('columns', 'columns_view', 100, 1) \g /dev/null
SELECT count(v.*) FROM columns_view AS v \g /dev/null
SELECT is(runners(), '', 'nor has a view');
CREATE TABLE plain_target (d int, w text, e text, k int);
CALL synth_into('plain_target', 100, model => 'columns', seed => 1);
SELECT is(runners(), '', 'nor has a fill of plain types');
SELECT count(s) FROM synth_sample(NULL::m.columns, 10, model => 'columns', seed => 1) AS s \g /dev/null
SELECT is(runners() ~ '^(\w+ )+$', true, 'it runs, as the caller, where the caller names the type');

-- The owner of a model and who samples it have no power over each other.
SET LOCAL ROLE gensynth_owner;
SELECT FROM synth_fit('m.columns', model => 'owned', seed => 1);
SELECT synth_grant('owned', 'gensynth_reader') \g /dev/null
SET LOCAL ROLE gensynth_reader;
SELECT count(s) FROM synth_sample('owned', 500, seed => 1) AS s \g /dev/null
SELECT count(*) FROM synth_check('owned', 200) \g /dev/null
SELECT is(runners(), '', 'a reader does not run code as the owner');
SELECT count(s) FROM synth_sample(NULL::m.columns, 10, model => 'owned', seed => 1) AS s \g /dev/null
SELECT is(replace(runners(), 'gensynth_reader ', ''), '', 'only as itself, for a type that it has named');
RESET ROLE;

-- A condition of the catalog, whoever wrote it there, is no code.
CREATE FUNCTION tampered(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE gensynth.constraints SET expression = $1, met = 'rejection' WHERE model = 'cast' AND kind = 'check';
	PERFORM count(a) FROM synth_rows('cast', 20, seed => 1) AS t(a int);
	RETURN 'sampled';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(tampered(c), s, c) FROM (VALUES
	('m.spy($1)', '0A000'), ('($1::m.dom) IS NOT NULL', '0A000'), ('''(1)''::m.comp IS NULL', '0A000'), ('$1 OPERATOR(m.<) 3', '0A000'),
	('lower(current_user) = ''x''', '42P17'), ('random() < $1', '42P17'), ('pg_read_file(''/etc/passwd'') = ''''', '42P17'),
	('EXISTS (SELECT FROM secret)', '0A000'), ('$9 > 1', '42P02'), ('$1 > 1', 'sampled')) AS v(c, s);
SELECT is(runners(), '', 'and runs none');

-- Errors show nothing but the row's own.
SET LOCAL ROLE gensynth_attacker;
CREATE TABLE m.leak AS SELECT i AS a FROM generate_series(1, 100) AS i;
ALTER TABLE m.leak ADD CHECK ((table_to_xml('secret', true, false, ''))::text::int > a) NOT VALID;
RESET ROLE;
SELECT FROM synth_fit('m.leak', model => 'leak', seed => 1);
SELECT synth_grant('leak', 'gensynth_attacker') \g /dev/null
SET LOCAL ROLE gensynth_attacker;
SELECT lives_ok($$SELECT count(a) FROM synth_rows('leak', 10) AS t(a int)$$, 'what a condition could read is not in an error');
RESET ROLE;

-- Whose rights a fit has used besides the caller's is told.
SET LOCAL ROLE gensynth_owner;
CREATE FUNCTION m.rows_of() RETURNS SETOF m.conditions LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM m.conditions';
CREATE MATERIALIZED VIEW m.kept AS SELECT i % 5 AS a FROM generate_series(1, 50) AS i;
CREATE VIEW m.window AS SELECT a FROM m.populate;
CREATE FUNCTION m.fit_it() RETURNS text[] LANGUAGE sql SECURITY DEFINER AS $$SELECT notes FROM synth_fit('SELECT i % 5 AS a FROM generate_series(1, 50) AS i', model => 'definer')$$;
GRANT SELECT ON m.kept, m.window TO PUBLIC;
RESET ROLE;
SELECT matches((SELECT notes::text FROM synth_fit('SELECT name FROM m.rows_of()', model => 'noted')), 'function m\.rows_of\(\), which runs with the rights of role ..gensynth_owner', 'a function');
SELECT matches((SELECT notes::text FROM synth_fit('m.kept', model => 'noted')), 'materialized view m\.kept holds what role ..gensynth_owner', 'a materialized view');
SELECT matches((SELECT notes::text FROM synth_fit('m.window', model => 'noted')), 'm\.populate was read through a view with the rights of role ..gensynth_owner', 'a view');
SELECT matches(m.fit_it()::text, 'called by a function that runs with the rights of role ..gensynth_owner', 'a function around the fit');
SELECT is((SELECT notes::text FROM synth_fit('SELECT a FROM m.cast', model => 'noted')), '{}', 'none');

-- What a table's owner has put into its statistics and policies does not run for who has not named the table.
CREATE SCHEMA n AUTHORIZATION gensynth_attacker;
SET LOCAL ROLE gensynth_attacker;
CREATE FUNCTION n.spy(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM m.note(); RETURN x; END $$;
CREATE TABLE n.people (id int PRIMARY KEY, name text, mood m.mood);
INSERT INTO n.people SELECT i, 'a' || i || '@example.com', 'ok' FROM generate_series(1, 100) AS i;
CREATE TABLE n.people_too AS SELECT * FROM n.people;
CREATE STATISTICS n.computed ON (id + n.spy(1)), name FROM n.people;
CREATE TABLE n.parents AS SELECT i AS id FROM generate_series(1, 20) AS i;
ALTER TABLE n.parents ADD PRIMARY KEY (id), ENABLE ROW LEVEL SECURITY;
CREATE POLICY watched ON n.parents USING (m.spy(id));
GRANT USAGE ON SCHEMA n TO PUBLIC;
GRANT SELECT, REFERENCES ON ALL TABLES IN SCHEMA n TO PUBLIC;
RESET ROLE;
SET LOCAL client_min_messages = error;
SELECT count(*) FROM n.people \g /dev/null
SELECT is(runners(), current_user || ' ', 'SELECT runs it, for who names the table');
SELECT is((SELECT string_agg(relation || '.' || "column" || ' ' || level, ', ' ORDER BY relation::text COLLATE "C") FROM synth_find_pii('n')), 'n.people.name sure, n.people_too.name sure', 'personal columns of a schema');
SELECT is(runners(), '', 'are found without');
SET LOCAL ROLE gensynth_owner;
SELECT is((SELECT string_agg(relation || '.' || "column" || ' ' || level, ', ' ORDER BY relation::text COLLATE "C") FROM synth_find_pii('n') WHERE level = 'sure'), 'n.people_too.name sure', 'by who has not the rights of the owner, by names alone');
SELECT is(runners(), '', 'without it');
RESET ROLE;
SELECT is((SELECT string_agg(relation, ' ' ORDER BY relation COLLATE "C") FROM synth_fit_schema('{n}', model => 'n', seed => 1)), 'n.parents n.people_too', 'of a schema such tables are not learned');
SELECT is(runners(), '', 'so it does not run');
SELECT count(*) FROM synth_mask_plan('n.people') \g /dev/null
SELECT is(runners(), '', 'nor where one is to be masked');
SET LOCAL ROLE gensynth_owner;
CREATE TABLE m.children (parent int REFERENCES n.parents, v int);
INSERT INTO m.children SELECT 1 + i % 20, i % 7 FROM generate_series(1, 200) AS i;
SELECT FROM synth_fit('m.children', seed => 1);
SELECT is(runners(), '', 'a table is learned without looking at what it refers to');
CREATE TABLE m.children_too (LIKE m.children, FOREIGN KEY (parent) REFERENCES n.parents);
SELECT throws_ok($$CALL synth_into('m.children_too', 10, model => 'm.children', seed => 1)$$, '42501', 'function m.spy(integer) of role "gensynth_attacker" would run as you when table "parents" is read', 'nor is one filled');
SELECT is(runners(), '', 'by running it');
RESET ROLE;
CALL synth_into('m.children_too', 10, model => 'm.children', seed => 1);
SELECT is((SELECT count(*) FROM m.children_too), 10::bigint, 'but with the rights of the parent''s owner');

-- Nor does a cast of who made a type.
SELECT count(*) FROM synth_mask_report('n.people_too', 'n.people_too') \g /dev/null
SELECT is(runners(), '', 'a report runs no cast');
CREATE SCHEMA o;
CREATE TABLE o.readings AS SELECT i % 20 AS sensor, 'ok'::m.mood AS mood, i AS at, i % 5 AS v FROM generate_series(1, 400) AS i;
SELECT FROM synth_fit_schema('{o}', seed => 1, options => '{"order_by": {"o.readings": "at"}, "sequence_key": {"o.readings": "sensor"}}');
SELECT is(runners(), '', 'nor does what rows have in common');
CREATE TABLE o.homes (id int PRIMARY KEY, mood m.mood, v int);
CREATE TABLE o.goods (LIKE o.homes INCLUDING ALL);
CREATE TABLE o.visits (id int PRIMARY KEY, home int NOT NULL REFERENCES o.homes, good int NOT NULL REFERENCES o.goods, at date, v int);
INSERT INTO o.homes SELECT i, (ARRAY['sad', 'ok', 'happy']::m.mood[])[1 + i % 3], i % 7 FROM generate_series(1, 100) AS i;
INSERT INTO o.goods SELECT * FROM o.homes;
INSERT INTO o.visits SELECT i, 1 + i % 100, 1 + i * 7 % 100, date '2024-01-01' + i, i % 5 FROM generate_series(1, 400) AS i;
SELECT FROM synth_fit_schema('{o}', exclude => '{o.readings}', model => 'visits', seed => 1, options => '{"remake": ["o.goods", "o.homes"]}');
SELECT is(runners(), '', 'nor does what rows refer to, and what that is like');
-- Not even into the type that a model says.
SET LOCAL ROLE gensynth_attacker;
CREATE FUNCTION m.mood_of(text) RETURNS m.mood LANGUAGE plpgsql AS $$ BEGIN PERFORM m.note(); RETURN 'ok'; END $$;
CREATE CAST (text AS m.mood) WITH FUNCTION m.mood_of(text);
RESET ROLE;
CREATE SCHEMA q;
CREATE TABLE q.homes (id int PRIMARY KEY, mood m.mood, v int);
CREATE TABLE q.goods (id int PRIMARY KEY, mood text, v int);
CREATE TABLE q.visits (id int PRIMARY KEY, home int NOT NULL REFERENCES q.homes, good int NOT NULL REFERENCES q.goods, at date, v int);
INSERT INTO q.homes SELECT i, 'ok', i % 7 FROM generate_series(1, 20) AS i;
INSERT INTO q.goods SELECT i, 'ok', i % 7 FROM generate_series(1, 20) AS i;
SELECT throws_ok($$CALL synth_into('q.visits', 20, model => 'visits/visits', seed => 1)$$, '42804', 'column "mood" of q.goods is of type text, and rows of the model know it as m.mood', 'a column of what rows refer to is not cast');
ALTER TABLE q.goods ALTER mood TYPE m.mood USING 'ok'::m.mood;
ALTER TABLE q.homes ALTER mood TYPE text USING 'ok'::text;
DELETE FROM m.seen;
SELECT throws_ok($$CALL synth_into('q.visits', 20, model => 'visits/visits', seed => 1)$$, '42804', 'column "mood" of q.homes is of type text, and rows of the model know it as m.mood', 'nor one of what they belong to');
SELECT is(runners(), '', 'so no cast runs');
ALTER TABLE q.homes ALTER mood TYPE m.mood USING 'ok'::m.mood;
DELETE FROM m.seen;
CALL synth_into('q.visits', 20, model => 'visits/visits', seed => 1);
SELECT is((SELECT count(*) FROM q.visits) || runners(), '20', 'nor where the types are the same');
CREATE TABLE q.lived AS SELECT i AS id, 'Ort ' || i % 5 AS city, (ARRAY['sad', 'ok']::m.mood[])[1 + i % 2] AS state FROM generate_series(1, 200) AS i;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f') \g /dev/null
CALL synth_mask('q.lived', rules => '{"id": "keep", "city": "city(from=table)", "state": "keep"}');
SELECT is(runners(), '', 'nor for places of the table that is masked');
SELECT is((SELECT count(*) FROM q.lived WHERE city LIKE 'Ort %'), 200::bigint, 'which are drawn');

-- What a model says of other tables leads to tables alone.
SET LOCAL ROLE gensynth_attacker;
CREATE TABLE n.cities AS SELECT i AS city FROM generate_series(1, 30) AS i;
CREATE TABLE n.visits AS SELECT 1 + i * 7 % 30 AS city, i % 5 AS v FROM generate_series(1, 300) AS i;
SELECT FROM synth_fit_schema('{n}', exclude => '{n.people,n.people_too,n.parents}', model => 'linked', seed => 1, options => '{"links": {"n.visits.city": "n.cities.city"}}');
SELECT synth_grant('linked/visits', 'gensynth_reader') \g /dev/null
RESET ROLE;
CREATE SCHEMA p;
GRANT USAGE, CREATE ON SCHEMA p TO PUBLIC;
SET LOCAL ROLE gensynth_attacker;
CREATE VIEW p.cities AS SELECT i AS city FROM generate_series(1, 30) AS i WHERE m.note();
GRANT SELECT ON p.cities TO PUBLIC;
SET LOCAL ROLE gensynth_reader;
CREATE TABLE p.visits (city int, v int);
CALL synth_into('p.visits', 20, model => 'linked/visits', seed => 1);
SELECT is((SELECT count(*) FROM p.visits), 20::bigint, 'a table beside a view of the name that a model says');
SELECT is(runners(), '', 'which is not read');
CREATE TABLE p.visits_too (city int, v int);
RESET ROLE;
DROP VIEW p.cities;
SET LOCAL ROLE gensynth_attacker;
CREATE TABLE p.cities (city m.mood);
CREATE FUNCTION p.number_of(m.mood) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM m.note(); RETURN 1; END $$;
CREATE CAST (m.mood AS int) WITH FUNCTION p.number_of(m.mood) AS IMPLICIT;
INSERT INTO p.cities VALUES ('ok');
GRANT SELECT ON p.cities TO PUBLIC;
SET LOCAL ROLE gensynth_reader;
CALL synth_into('p.visits_too', 20, model => 'linked/visits', seed => 1);
SELECT is(runners(), '', 'nor is a cast called');
RESET ROLE;

-- What a policy's synthesized columns are checked by runs as the table's owner.
SET LOCAL ROLE gensynth_attacker;
CREATE TABLE m.drawn AS SELECT i AS id, 'g' || i % 3 AS g, (i * 7 % 1009)::m.dom AS d FROM generate_series(1, 300) AS i;
SELECT FROM synth_fit('m.drawn', exclude => '{id}', seed => 1, options => '{"context": ["g"]}');
SELECT synth_label('m.drawn', 'd', 'synthesize(m.drawn)'), synth_label('m.drawn', 'g', 'keep'), synth_mask_grant('m.drawn', 'gensynth_reader') \g /dev/null
SET LOCAL ROLE gensynth_reader;
SELECT is((SELECT count(d) FROM synth_masked(NULL::m.drawn)), 300::bigint, 'columns that are drawn from a model');
SELECT is(runners(), '', 'run no code as their reader');
RESET ROLE;
SET LOCAL client_min_messages = warning;

-- Stored values of another table are copied, not pointed to.
CREATE TABLE big (t text);
ALTER TABLE big ALTER COLUMN t SET STORAGE EXTERNAL;
INSERT INTO big VALUES (repeat('x', 100000));
CREATE TYPE wrapped AS ENUM ('a', 'b');
CREATE DOMAIN longer AS text;
CREATE FUNCTION big_text(wrapped) RETURNS text LANGUAGE sql STABLE AS 'SELECT t FROM big';
CREATE FUNCTION big_box(text) RETURNS xml LANGUAGE sql STABLE AS 'SELECT t::xml FROM big';
CREATE TABLE few AS SELECT i AS a, 'v' || i % 3 AS t FROM generate_series(1, 50) AS i;
CREATE TYPE holder AS (t text);
CREATE FUNCTION hold(text) RETURNS holder LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT ROW(t)::holder FROM big); END';
CREATE CAST (text AS holder) WITH FUNCTION hold(text) AS ASSIGNMENT;
CREATE TABLE held (a int, t holder);
CREATE FUNCTION fetched_text(text) RETURNS jsonb LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT j FROM big_json); END';
CREATE TABLE big_json (j jsonb);
ALTER TABLE big_json ALTER COLUMN j SET STORAGE EXTERNAL;
INSERT INTO big_json SELECT to_jsonb(t) FROM big;
CREATE CAST (text AS jsonb) WITH FUNCTION fetched_text(text) AS ASSIGNMENT;
CREATE TABLE fetched (a int, t jsonb);
SELECT FROM synth_fit('few', seed => 1);
CALL synth_into('fetched', 3, model => 'few', seed => 1);
CALL synth_into('held', 3, model => 'few', seed => 1);
TRUNCATE big, big_json;
SELECT is((SELECT sum(length(t::text)) FROM fetched), 3 * 100002::bigint, 'a value of a cast');
SELECT is((SELECT sum(length((t).t)) FROM held), 3 * 100000::bigint, 'also within a row');

SELECT * FROM finish();
ROLLBACK;
