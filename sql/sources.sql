-- What can be learned from, and as whom it is read.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
DROP ROLE IF EXISTS regress_gs_owner, regress_gs_reader;
RESET client_min_messages;
CREATE SCHEMA sources;
CREATE SCHEMA "Odd.Schema";
CREATE ROLE regress_gs_owner;
CREATE ROLE regress_gs_reader;
GRANT regress_gs_owner, regress_gs_reader TO CURRENT_USER;
GRANT USAGE, CREATE ON SCHEMA sources TO regress_gs_owner, regress_gs_reader;
SET search_path = sources, public;
\set SHOW_CONTEXT never

-- What a fit says of itself, but for the time it took.
CREATE FUNCTION fit(source text, model text DEFAULT NULL, columns text[] DEFAULT NULL,
    exclude text[] DEFAULT NULL, options jsonb DEFAULT '{}')
    RETURNS TABLE (model text, version int, source text, rows bigint, columns int, notes text[])
    LANGUAGE sql AS $$
        SELECT f.model, f.version, f.source, f.rows, f.columns, f.notes
        FROM public.synth_fit($1, model => $2, columns => $3, exclude => $4, seed => 1, options => $5) AS f
    $$;

--
-- Relations
--
CREATE TABLE people (id int, age int, sex text, city text);
INSERT INTO people
    SELECT i, 18 + i % 50, (ARRAY['F', 'M'])[1 + i % 2], 'city ' || i % 5
    FROM generate_series(1, 200) AS i;
SELECT * FROM fit('people');
SELECT * FROM fit('  Sources . PEOPLE  ');
SELECT * FROM fit('"sources"."people"', exclude => '{id}');
SELECT * FROM fit('people', columns => '{age,sex,sex}');
SELECT synth_drop('sources.people');

-- names that need quotes; text that only looks like a query
CREATE TABLE "Odd.Schema"."SELECT ""it""" AS TABLE people;
SELECT * FROM fit('"Odd.Schema"."SELECT ""it"""');
SELECT count(*) FROM synth_sample(NULL::"Odd.Schema"."SELECT ""it""", 10);
SELECT count(*) FROM synth_sample('"Odd.Schema"."SELECT ""it"""', 10);
CREATE TABLE "ändern" AS TABLE people;
SELECT * FROM fit('ändern');
CREATE TABLE "values" AS TABLE people;
SELECT * FROM fit('values');
-- in public, the model has the bare name
CREATE TABLE public.gs_people AS TABLE people;
SELECT * FROM fit('public.gs_people');
SELECT synth_drop('gs_people');
DROP TABLE public.gs_people;

-- views of all kinds, partitions, children, temporary and foreign tables
CREATE VIEW adults AS SELECT age, sex FROM people WHERE age >= 21;
SELECT * FROM fit('adults');
CREATE VIEW barrier WITH (security_barrier) AS SELECT age, sex FROM people WHERE age >= 21;
SELECT * FROM fit('barrier');
CREATE MATERIALIZED VIEW by_age AS SELECT age, count(*) AS n FROM people GROUP BY age WITH NO DATA;
SELECT * FROM fit('by_age');
REFRESH MATERIALIZED VIEW by_age;
SELECT * FROM fit('by_age');
CREATE TABLE parts (id int, half int) PARTITION BY LIST (half);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 (half int, gone int, id int);
ALTER TABLE parts_1 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1);
INSERT INTO parts SELECT i, i % 2 FROM generate_series(1, 100) AS i;
SELECT * FROM fit('parts');
SELECT * FROM fit('parts_1');
CREATE TABLE mother (id int);
CREATE TABLE daughter (toy text) INHERITS (mother);
INSERT INTO mother SELECT generate_series(1, 30);
INSERT INTO daughter SELECT i, 'ball' FROM generate_series(1, 20) AS i;
SELECT * FROM fit('mother');
SELECT * FROM fit('SELECT * FROM ONLY mother', 'only mother');
CREATE TEMP TABLE short_lived AS TABLE people;
SELECT model, rows FROM fit('short_lived');
SELECT model, rows FROM fit('short_lived', 'short');
SELECT count(*) FROM synth_sample(NULL::short_lived, 10);
SELECT count(*) FROM synth_sample(NULL::short_lived, 10, model => 'short');
CREATE TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED ALWAYS AS IDENTITY);
INSERT INTO computed (a) SELECT generate_series(1, 50);
SELECT * FROM fit('computed');

--
-- Queries
--
SELECT * FROM fit('SELECT age, sex FROM people WHERE age < 30', 'young');
SELECT * FROM fit($$  -- comment
    select age /* ; */ from people; $$, 'comment');
SELECT * FROM fit('SELECT age, sex FROM people -- no end', 'comment', columns => '{age}');
SELECT * FROM fit('SELECT age, sex FROM people ;', 'semicolon', exclude => '{sex}');
SELECT * FROM fit('WITH a AS (SELECT age FROM people) SELECT age, age * 2 AS "double" FROM a', 'with');
SELECT * FROM fit('VALUES (1, ''a''), (2, ''b''), (3, ''a''), (4, ''b''), (5, ''a'')', 'list');
SELECT * FROM fit('TABLE people', 'table');
SELECT * FROM fit('(SELECT age FROM people) UNION ALL (SELECT age FROM people)', 'union');
SELECT * FROM fit('SELECT i, random() < 2 AS always FROM generate_series(1, 50) AS i', 'volatile');
-- a model of a model
SELECT * FROM fit('SELECT * FROM synth_sample(NULL::sources.computed, 500, seed => 1)', 'again');

-- rows of this transaction are read, and those of another's abort are not
BEGIN;
INSERT INTO people SELECT i, 20, 'F', 'city 1' FROM generate_series(201, 300) AS i;
SELECT model, rows FROM fit('people');
ROLLBACK;
SELECT count(*) FROM synth_models WHERE model = 'sources.people';

--
-- Samples of large sources
--
SELECT * FROM fit('SELECT i, i % 10 AS d FROM generate_series(1, 5000) AS i', 'sample', options => '{"max_rows": 1000}');
SELECT count(*) AS rows, avg((r->>'i')::int) BETWEEN 2000 AND 3000 AS centred
FROM synth_sample('sample', seed => 1) AS r;
SET maintenance_work_mem = '1MB';
-- a thousand rows are always read, here of many wide columns
SELECT 'SELECT ' || string_agg('make_interval(days => i % ' || k + 7 || ') AS c' || k, ', ')
    || ' FROM generate_series(1, 3000) AS i' AS wide
FROM generate_series(1, 60) AS k \gset
SELECT model, rows, columns, notes FROM fit(:'wide', 'shrunk');
RESET maintenance_work_mem;

--
-- As whom: privileges on tables, columns and rows are the caller's
--
CREATE TABLE secrets (id int, age int, pin text);
INSERT INTO secrets SELECT i, 18 + i % 50, i * 7919 FROM generate_series(1, 100) AS i;
GRANT SELECT (id, age) ON secrets TO regress_gs_reader;
CREATE TABLE rows_of (id int, reader name);
INSERT INTO rows_of
    SELECT i, CASE WHEN i % 4 = 0 THEN 'regress_gs_reader' ELSE 'regress_gs_owner' END
    FROM generate_series(1, 100) AS i;
ALTER TABLE rows_of OWNER TO regress_gs_owner;
ALTER TABLE rows_of ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rows_of USING (reader = current_user);
GRANT SELECT ON rows_of TO regress_gs_reader;

SET ROLE regress_gs_reader;
SELECT * FROM fit('people', 'mine'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM fit('SELECT age FROM people', 'mine'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM fit('secrets', 'mine'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM fit('secrets', 'mine', exclude => '{id}'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM fit('secrets', 'mine', columns => '{id,age}');
SELECT * FROM fit('secrets', 'mine', exclude => '{pin}');
-- row-level security: the policy holds ...
SELECT * FROM fit('rows_of', 'rows of the reader');
SET row_security = off;
SELECT * FROM fit('rows_of', 'rows of the reader'); \echo :LAST_ERROR_SQLSTATE
RESET row_security;
RESET ROLE;
-- ... but for the table's owner, a superuser, and the readers of their views
SET ROLE regress_gs_owner;
SELECT * FROM fit('rows_of', 'rows of the owner');
ALTER TABLE rows_of FORCE ROW LEVEL SECURITY;
SELECT * FROM fit('rows_of', 'rows of the owner');
ALTER TABLE rows_of NO FORCE ROW LEVEL SECURITY;
CREATE VIEW owners_view AS SELECT id FROM rows_of;
CREATE VIEW readers_view WITH (security_invoker) AS SELECT id FROM rows_of;
GRANT SELECT ON owners_view, readers_view TO regress_gs_reader;
RESET ROLE;
SELECT * FROM fit('rows_of', 'rows of the superuser');
SET ROLE regress_gs_reader;
SELECT * FROM fit('owners_view', 'rows of the view');
SELECT * FROM fit('SELECT id FROM (SELECT * FROM readers_view) AS v', 'rows of the view');
CREATE VIEW policed AS SELECT id FROM rows_of;
RESET ROLE;
-- a superuser through a view, to whose owner a policy applies
CREATE POLICY first_ten ON rows_of TO regress_gs_reader USING (id <= 10);
SELECT * FROM fit('policed', 'rows of the superuser');

--
-- What runs in a source runs as the caller
--
SET ROLE regress_gs_owner;
CREATE FUNCTION spy() RETURNS text VOLATILE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_gs_reader' OR has_schema_privilege('gensynth', 'USAGE') THEN
        RAISE EXCEPTION 'not running as the caller';
    END IF;
    RETURN 'as it should';
END $$;
CREATE FUNCTION spy_check(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sources.spy();
    RETURN true;
END $$;
CREATE VIEW trap AS SELECT i, sources.spy() FROM generate_series(1, 20) AS i;
GRANT SELECT ON trap TO regress_gs_reader;
RESET ROLE;
SET ROLE regress_gs_reader;
CREATE DOMAIN watched AS int CHECK (sources.spy_check(VALUE));
CREATE TABLE watch (id watched, "check" text);
INSERT INTO watch SELECT i, i % 3 FROM generate_series(1, 50) AS i;
SELECT * FROM fit('trap', 'trap');
SELECT * FROM fit('SELECT i, sources.spy() FROM generate_series(1, 20) AS i', 'trap');
SELECT * FROM fit('watch');
SELECT r->>'spy' AS spy, count(*) FROM synth_sample('trap', 10) AS r GROUP BY 1;
SELECT count(*) FROM synth_sample(NULL::sources.watch, 10);
SELECT count(*) FROM synth_rows('trap', 10) AS t(i sources.watched);
RESET ROLE;
-- the superuser is not the reader, and the spy knows
SELECT count(t) FROM synth_sample(NULL::sources.watch, 10, model => 'sources.watch') t;

--
-- A fit that does not come to its end leaves the old version and nothing else
--
SELECT version FROM fit('people', 'stopped');
SET statement_timeout = '300ms';
SELECT * FROM fit('SELECT i, pg_sleep(0.01)::text AS s FROM generate_series(1, 10000) AS i', 'stopped');
SELECT * FROM fit('SELECT i, i % 1000 AS a, sqrt(i) AS b, md5(i::text) AS c FROM generate_series(1, 100000000) AS i', 'stopped');
RESET statement_timeout;
SELECT model, version, current, source FROM synth_models WHERE model = 'stopped';

RESET search_path;
SET client_min_messages = warning;
SELECT count(synth_drop(model)) > 0 AS dropped FROM (
    SELECT DISTINCT model FROM synth_models WHERE source ~ 'sources|Odd|pg_temp|^SELECT' OR owner ~ '^regress_gs_') AS d;
DROP SCHEMA sources, "Odd.Schema" CASCADE;
DROP OWNED BY regress_gs_owner, regress_gs_reader;
DROP ROLE regress_gs_owner, regress_gs_reader;
