-- synth_complete: rows of a table or query with columns drawn anew, given the others.
BEGIN;
SELECT plan(49);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE visit (id int PRIMARY KEY, gone text, kind text NOT NULL, level int, size float8, price numeric(8,2), qty int NOT NULL, total numeric GENERATED ALWAYS AS (price * qty) STORED,
	begins date, ends date, state mood, share percent, words tsvector, CHECK (ends >= begins));
ALTER TABLE visit DROP COLUMN gone;
INSERT INTO visit (id, kind, level, size, price, qty, begins, ends, state, share, words) SELECT i, (ARRAY['a', 'b', 'c'])[1 + i % 3], CASE WHEN i % 10 > 0 THEN 100 * (i % 3) + i * 7 % 40 END, (i % 3) * 10 + sqrt(i % 50), 1 + i % 90 / 4.0, 1 + i % 7,
	date '2024-01-01' + i % 300, date '2024-01-01' + i % 300 + i % 9, (ARRAY['sad', 'ok', 'happy']::mood[])[1 + i % 3], i % 101, to_tsvector('word' || i)
FROM generate_series(1, 3000) AS i;

-- what is kept, and what is not
CREATE TABLE done AS SELECT * FROM synth_complete(NULL::visit, '{level,state}', seed => 1);
SELECT is(count(*), 3000::bigint, 'as many rows') FROM done;
SELECT is(count(*), 0::bigint, 'other columns are kept') FROM done d JOIN visit v USING (id)
	WHERE (d.kind, d.size, d.price, d.qty, d.total, d.begins, d.ends, d.share, d.words) IS DISTINCT FROM (v.kind, v.size, v.price, v.qty, v.total, v.begins, v.ends, v.share, v.words);
SELECT is(count(*), 0::bigint, 'NULLs are kept NULL, and no others are made') FROM done d JOIN visit v USING (id) WHERE (d.level IS NULL) <> (v.level IS NULL);
SELECT cmp_ok(count(*), '>', 1500::bigint, 'the named column is drawn anew') FROM done d JOIN visit v USING (id) WHERE d.level <> v.level;
SELECT cmp_ok(count(*), '>', 2900::bigint, 'as one that its row decides on') FROM done WHERE state = (CASE kind WHEN 'a' THEN 'sad' WHEN 'b' THEN 'ok' ELSE 'happy' END)::mood;
SELECT cmp_ok(count(*), '>', 2650::bigint, 'and numbers') FROM done WHERE level / 100 = ascii(kind) - ascii('a');
SELECT set_eq($$SELECT id, level, state FROM synth_complete(NULL::visit, '{level,state}', seed => 1)$$, 'SELECT id, level, state FROM done', 'a seed says which');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'another one, others') FROM synth_complete(NULL::visit, '{level,state}', seed => 2) c JOIN done d USING (id) WHERE c.level <> d.level;
SELECT results_eq('SELECT (synth_complete(NULL::visit, ''{level}'', seed => 3)).id LIMIT 5', 'SELECT id FROM visit LIMIT 5', 'in the order of the source');
SELECT is(count(*), 0::bigint, 'no rows of none') FROM synth_complete(NULL::visit, '{level}', model => NULL, source => 'SELECT * FROM visit', seed => 1) WHERE id IS NULL;

-- documents, queries
SELECT is((SELECT count(DISTINCT jsonb_object_keys) FROM (SELECT jsonb_object_keys(d) FROM (SELECT d FROM synth_complete('visit', '{level}', seed => 1) AS d LIMIT 3) AS t) AS k), 12::bigint, 'documents have all columns');
SELECT is((SELECT array_agg(DISTINCT d->>'kind') FROM synth_complete($$SELECT kind, level FROM visit WHERE kind <> 'b'$$, '{level}', seed => 1) AS d), ARRAY['a', 'c'], 'of a query');
SELECT is((SELECT count(*) FROM synth_complete(NULL::visit, '{level}', source => 'SELECT id, level, kind FROM visit WHERE id <= 700', seed => 1) AS c WHERE size IS NULL), 700::bigint, 'rows of a type that knows more columns');

-- NULLs filled
CREATE TABLE filled AS SELECT * FROM synth_complete(NULL::visit, '{level}', seed => 1, fill_nulls => true);
SELECT is(count(*), 0::bigint, 'NULLs are filled') FROM filled WHERE level IS NULL;
SELECT is(count(*), 0::bigint, 'and nothing else') FROM filled f JOIN visit v USING (id) WHERE v.level <> f.level;
SELECT cmp_ok(count(*), '>', 290::bigint, 'as the row would have it') FROM filled f JOIN visit v USING (id) WHERE v.level IS NULL AND f.level / 100 = ascii(f.kind) - ascii('a');
CREATE TABLE holes AS SELECT id, kind, CASE WHEN id % 4 > 0 THEN state END AS state FROM visit;
SELECT is(count(*), 0::bigint, 'categories, too') FROM synth_complete(NULL::holes, '{state}', seed => 1, fill_nulls => true) WHERE state IS NULL;
SELECT is(count(*), 750::bigint, 'which stay NULL else') FROM synth_complete(NULL::holes, '{state}', seed => 1) WHERE state IS NULL;

-- what a table asks of its rows
SELECT is(count(*), 0::bigint, 'a generated column follows') FROM synth_complete(NULL::visit, '{qty}', seed => 1) WHERE total <> price * qty;
SELECT cmp_ok(count(*), '>', 1500::bigint, 'what it is generated from is not told by it') FROM synth_complete(NULL::visit, '{qty}', seed => 1) c JOIN visit v USING (id) WHERE c.qty <> v.qty;
SELECT is(count(*), 0::bigint, 'a condition holds beside kept columns') FROM synth_complete(NULL::visit, '{ends}', seed => 1) WHERE ends < begins;
SELECT is(count(*), 0::bigint, 'whichever of them is drawn') FROM synth_complete(NULL::visit, '{begins}', seed => 1) WHERE ends < begins;
SELECT is(count(*), 0::bigint, 'a domain too') FROM synth_complete(NULL::visit, '{share}', seed => 1) WHERE share::int NOT BETWEEN 0 AND 100;
SELECT is(count(DISTINCT id), 3000::bigint, 'drawn keys are keys') FROM synth_complete(NULL::visit, '{id}', seed => 1);

-- models that were fitted for it, and others
SELECT count(synth_fit('SELECT kind, size, level FROM visit', model => method, method => method, seed => 1, options => options || '{"context": ["kind", "size"]}'))
FROM (VALUES ('tree', '{}'::jsonb), ('copula', '{}'), ('diffusion', '{"steps": 400}'), ('vae', '{"steps": 3}')) AS m(method, options) \g /dev/null
CREATE TABLE asked AS SELECT id, kind, size, level FROM visit;
SELECT cmp_ok((SELECT count(*) FROM synth_complete(NULL::asked, '{level}', model => method, seed => 1) WHERE level / 100 = ascii(kind) - ascii('a')), '>', least::bigint, method || ' draws given the others')
FROM (VALUES ('tree', 2300), ('copula', 1700), ('diffusion', 2000)) AS m(method, least);
SELECT throws_ok($$SELECT synth_complete(NULL::asked, '{level}', model => 'vae')$$, '0A000', 'models of method "vae" cannot complete rows', 'not every method can');
SELECT count(synth_fit('asked', model => 'whole', exclude => '{id}', seed => 1)) \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM synth_complete(NULL::asked, '{kind}', model => 'whole', seed => 1) WHERE trunc(size / 10) = ascii(kind) - ascii('a')), '>', 2300::bigint, 'a model that was fitted for whole rows');
SELECT throws_ok($$SELECT synth_complete(NULL::asked, '{level}', model => 'tree', fill_nulls => true)$$, '0A000', NULL, 'a model that draws NULLs does not fill them');
SELECT count(synth_fit('asked', model => 'imputing', exclude => '{id}', seed => 1, options => '{"context": ["kind", "size"], "impute": ["level"]}')) \g /dev/null
SELECT is((SELECT count(*) FROM synth_complete(NULL::asked, '{level}', model => 'imputing', seed => 1, fill_nulls => true) WHERE level IS NULL), 0::bigint, 'one with the option "impute" does');
SELECT is((SELECT count(*) FROM synth_sample('imputing', 500, seed => 1) AS s WHERE s->>'level' IS NULL), 0::bigint, 'and draws none');
SELECT throws_ok($$SELECT synth_complete(NULL::asked, '{level}', source => 'SELECT 1 AS id, level FROM asked', model => 'tree')$$, '42804', NULL, 'a source has to have what the model knows');
SELECT throws_ok($$SELECT synth_fit('asked', options => '{"context": ["none"]}')$$, '42703', NULL, 'context is of the source');

SELECT count(synth_fit('asked', model => 'refined', method => 'copula', exclude => '{id}', seed => 1, options => '{"context": ["kind", "size"], "refine": 1, "differences": 0}')) \g /dev/null
SELECT is((SELECT count(*) FROM gensynth.tensors WHERE model = 'refined' AND name = 'refine/round'), 1::bigint, 'a refined model');

-- rows that say what the model does not know
INSERT INTO asked VALUES (-1, 'never seen', 1e9, 1), (-2, 'a', 'NaN', 1), (-3, 'b', '-Infinity', NULL);
SELECT is((SELECT count(*) FROM synth_complete(NULL::asked, '{level}', model => method, seed => 1) WHERE id < 0), 3::bigint, method || ' takes them')
FROM (VALUES ('tree'), ('copula'), ('diffusion'), ('refined')) AS m(method);

-- errors
SELECT throws_ok($$SELECT synth_complete(NULL::visit, '{nobody}')$$, '42703', 'column "nobody" of the source does not exist', 'columns are of the source');
SELECT throws_ok($$SELECT synth_complete(NULL::visit, NULL)$$, '22004', NULL, 'columns are needed');
SELECT throws_ok($$SELECT synth_complete(NULL::visit, '{words}')$$, '0A000', NULL, 'not every type can be drawn');
SELECT throws_ok($$SELECT synth_complete('DELETE FROM visit', '{id}')$$, '42601', NULL, 'a source is a query');
SELECT throws_ok($$SELECT synth_complete(1, '{id}')$$, '42804', NULL, 'a shape is a row type');

-- rights: the caller's
CREATE ROLE completer;
GRANT USAGE ON SCHEMA public TO completer;
SET LOCAL ROLE completer;
SELECT throws_ok($$SELECT synth_complete(NULL::visit, '{level}')$$, '42501', NULL, 'who may not read does not complete');
SELECT throws_ok($$SELECT synth_complete(NULL::visit, '{level}', source => 'SELECT 1 AS level', model => 'tree')$$, '42501', NULL, 'nor with a model of another');
RESET ROLE;
GRANT SELECT ON asked TO completer;
ALTER TABLE asked ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON asked TO completer USING (id BETWEEN 1 AND 200);
SET LOCAL ROLE completer;
SELECT is((SELECT count(*) FROM synth_complete(NULL::asked, '{level}', seed => 1)), 200::bigint, 'policies hold');
RESET ROLE;

-- A domain's conditions are not run where its type was not named.
CREATE DOMAIN spied AS int;
CREATE TABLE watched AS SELECT i AS a, (i % 7)::spied AS b FROM generate_series(1, 300) AS i;
CREATE FUNCTION spy(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'seen' USING ERRCODE = 'ZZ001'; END $$;
ALTER DOMAIN spied ADD CHECK (spy(VALUE)) NOT VALID;
SELECT is((SELECT count(*) FROM synth_complete('watched', '{b}', seed => 1) AS d), 300::bigint, 'documents run nobody''s code');

-- values that few rows hold are not drawn
UPDATE visit SET kind = 'unique kind' WHERE id = 7;
SELECT is((SELECT count(*) FROM synth_complete(NULL::visit, '{kind}', seed => 1) WHERE kind = 'unique kind'), 0::bigint, 'a value of one row does not come out');

SELECT * FROM finish();
ROLLBACK;
