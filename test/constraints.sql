-- What a table asks of its rows holds for synthetic ones, and what a model
-- knows of it is told.
BEGIN;
SELECT plan(40);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE towns (country text, town text, PRIMARY KEY (country, town));
INSERT INTO towns SELECT 'c' || i % 5, 't' || i FROM generate_series(1, 60) AS i;
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents SELECT i * 10 FROM generate_series(1, 300) AS i;
CREATE TABLE rows (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, number serial, mail text COLLATE "C",
	parent int NOT NULL REFERENCES parents DEFERRABLE INITIALLY DEFERRED, country text, town text, boss int REFERENCES rows,
	mood mood NOT NULL, share percent, lo int, hi int, twice int GENERATED ALWAYS AS (lo * 2) STORED,
	admission timestamptz NOT NULL, discharge timestamptz, kind text CHECK (kind IN ('a', 'b', 'c')), x numeric(6,1), span int4range,
	UNIQUE (parent, lo), UNIQUE NULLS NOT DISTINCT (mail, hi),
	FOREIGN KEY (country, town) REFERENCES towns,
	CHECK (hi >= lo), CHECK (discharge >= admission), CONSTRAINT implied CHECK (kind <> 'a' OR x > 50),
	EXCLUDE USING gist (span WITH &&));
CREATE UNIQUE INDEX rows_lower ON rows (lower(code));
CREATE UNIQUE INDEX rows_part ON rows (x, admission) WHERE kind = 'a';
INSERT INTO rows (code, mail, parent, country, town, boss, mood, share, lo, hi, admission, discharge, kind, x, span)
SELECT 'C-' || lpad(i::text, 5, '0'), 'm' || i % 400, 10 * (1 + (i * i) % 200), CASE WHEN i % 4 > 0 THEN 'c' || (1 + i % 60) % 5 END,
	CASE WHEN i % 4 > 0 THEN 't' || 1 + i % 60 END, CASE WHEN i > 3 THEN 1 + i % 3 END, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood,
	i % 101, i * 7 % 500, i * 7 % 500 + i % 13, timestamptz '2024-01-01 UTC' + i * interval '5 hours',
	CASE WHEN i % 5 > 0 THEN timestamptz '2024-01-01 UTC' + i * interval '5 hours' + i % 40 * interval '20 min' END,
	(ARRAY['a', 'b', 'c'])[1 + i % 3], CASE WHEN i % 3 = 0 THEN 51 + i % 40 ELSE i % 90 END, int4range(i * 20, i * 20 + 5)
FROM generate_series(1, 1200) AS i ON CONFLICT DO NOTHING;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT FROM synth_fit('rows', seed => 1, options => '{"constraints": ["share IS NULL OR share <> 13"]}');

--
-- What is known, and how it is met
--
SELECT set_eq($$SELECT kind, array_to_string(columns, ','), met FROM synth_constraints('rows') WHERE kind <> 'not null'$$, $$VALUES
	('primary key', 'id', 'construction'), ('unique', 'code', 'construction'), ('unique', 'parent,lo', 'rejection'),
	('unique', 'mail,hi', 'rejection'), ('unique', '', 'rejection'), ('unique', 'x,admission', 'rejection'),
	('foreign key', 'parent', 'construction'), ('foreign key', 'country,town', 'construction'), ('foreign key', 'boss', 'construction'),
	('check', 'hi,lo', 'rejection'), ('check', 'discharge,admission', 'rejection'), ('check', 'kind,x', 'rejection'),
	('check', 'kind', 'rejection'), ('exclusion', 'span', 'rejection'), ('domain', 'share', 'rejection'),
	('enum', 'mood', 'construction'), ('identity', 'id', 'database'), ('serial', 'number', 'database'),
	('generated', 'twice', 'database'), ('collation', 'mail', 'construction'), ('user', 'share', 'rejection')$$, 'constraints of all kinds');
SELECT is((SELECT definition FROM synth_constraints('rows') WHERE name = 'implied'), 'CHECK (((kind <> ''a''::text) OR (x > (50)::numeric)))', 'as PostgreSQL writes them');
SELECT is((SELECT string_agg(format('%s %s', kind, violations), ', ') FROM synth_check('rows', 3000)
	WHERE violations > 0 AND cardinality(columns) < 2 OR kind = 'check' AND violations > 0), NULL, 'none of them is violated');
SELECT cmp_ok((SELECT min(acceptance) FROM synth_check('rows', 3000)), '<', 1::float8, 'though some rows were made again');
SELECT throws_ok($$SELECT synth_constraints('rows', 7)$$, '42704', NULL, 'a version that is not there');

--
-- Conditions
--
SELECT is((SELECT count(*) FROM synth_sample(NULL::rows, 20000, seed => 3) WHERE kind = 'a' AND NOT x > 50 OR share = 13 OR hi < lo
	OR discharge < admission), 0::bigint, 'typed rows');
SELECT is((SELECT count(*) FROM synth_sample('rows', 20000, seed => 3) AS r WHERE r->>'kind' = 'a' AND NOT (r->>'x')::numeric > 50
	OR (r->>'share')::int = 13), 0::bigint, 'jsonb rows');
CREATE TEMP TABLE whole AS SELECT row_number() OVER () AS i, * FROM synth_sample(NULL::rows, 5000, seed => 4);
SELECT is((SELECT count(*) FROM (SELECT row_number() OVER () AS i, share, code FROM synth_sample(NULL::rows, 5000, seed => 4)) AS p
	JOIN whole AS w USING (i) WHERE (p.share, p.code) IS DISTINCT FROM (w.share, w.code)), 0::bigint, 'the same rows, whatever is asked for');
SELECT is((SELECT count(*) FROM (SELECT row_number() OVER () + 1500 AS i, t::text FROM synth_sample(NULL::rows, 100, seed => 4, start => 1501) AS t) AS p
	JOIN (SELECT i, (SELECT r::text FROM (SELECT id, code, number, mail, parent, country, town, boss, mood, share, lo, hi, twice, admission, discharge,
		kind, x, span) AS r) AS t FROM whole) AS w USING (i) WHERE p.t <> w.t), 0::bigint, 'wherever they start');
SELECT is((SELECT count(*) FROM synth_sample(NULL::rows, 777)), 777::bigint, 'as many as asked for');
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is((SELECT sum(hashtextextended(t::text, 0)::numeric) FROM synth_sample(NULL::rows, 150000, seed => 4) AS t),
	(SELECT sum(hashtextextended(t::text, 0)::numeric) FROM (SELECT * FROM synth_sample(NULL::rows, 150000, seed => 4) OFFSET 0) AS t), 'by workers too');
SET LOCAL max_parallel_workers_per_gather = 0;

-- a condition that hardly any row meets
CREATE TABLE plain AS SELECT i % 1000 AS a, i % 7 AS b FROM generate_series(1, 5000) AS i;
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["a = 1234"]}');
SELECT throws_ok('SELECT count(a) FROM synth_sample(NULL::plain, 10)', '23514', 'could not make rows that meet user "a = 1234"', 'an error names it');
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["a < 1"], "on_violation": "drop"}');
SELECT cmp_ok((SELECT count(*) FROM synth_sample(NULL::plain, 3000, seed => 1)), '<', 3000::bigint, 'dropped, even if no column is asked for');
SELECT is((SELECT count(*) FROM synth_sample(NULL::plain, 3000, seed => 1)), (SELECT count(a) FROM synth_sample(NULL::plain, 3000, seed => 1) WHERE a < 1), 'all others meet it');
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["a = 1234"], "on_violation": "ignore"}');
SELECT is((SELECT count(a) FROM synth_sample(NULL::plain, 3000)), 3000::bigint, 'ignored');

-- conditions that are none
SELECT throws_ok(format('SELECT synth_fit(''plain'', options => %L)', o), s, NULL, o) FROM (VALUES
	('{"constraints": "a > 1"}', '22023'), ('{"constraints": [1]}', '22023'), ('{"on_violation": "mend"}', '22023'),
	('{"constraints": ["a > 1); DROP TABLE plain; --"]}', '42601'), ('{"constraints": ["a FROM plain"]}', '42601'), ('{"constraints": ["*"]}', '42601'), ('{"constraints": ["a"]}', '42804'),
	('{"constraints": ["nowhere > 1"]}', '42703'), ('{"constraints": ["EXISTS (SELECT 1)"]}', '0A000'), ('{"constraints": ["count(*) > 1"]}', '42803')) AS v(o, s);

-- conditions run as the model's owner
CREATE ROLE gensynth_constraints_reader;
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["current_user <> ''gensynth_constraints_reader'' OR a IS NULL"]}');
SELECT synth_grant('plain', 'gensynth_constraints_reader');
GRANT SELECT ON plain TO gensynth_constraints_reader;
SET LOCAL ROLE gensynth_constraints_reader;
SELECT is((SELECT count(a) FROM synth_sample(NULL::plain, 100)), 100::bigint, 'and not as who samples');
RESET ROLE;

--
-- Differences and dependencies
--
CREATE TABLE stays AS SELECT timestamp '2024-01-01' + i * interval '7 hours' AS came, timestamp '2024-01-01' + i * interval '7 hours' + i % 30 * interval '1 min' AS went,
	i % 9 AS code, 'text ' || i % 9 AS description FROM generate_series(1, 4000) AS i;
SELECT FROM synth_fit('stays', seed => 1);
SELECT is((SELECT detail->>'from' FROM synth_columns('stays') WHERE name = 'went'), 'came', 'an end is learned by its beginning');
SELECT is((SELECT count(*) FROM synth_sample(NULL::stays, 20000, seed => 1) WHERE went NOT BETWEEN came AND came + interval '29 min'
	OR description <> 'text ' || code), 0::bigint, 'and is never before it; a description is that of its code');
SELECT cmp_ok((SELECT abs(extract(epoch FROM avg(went - came)) - 870) FROM synth_sample(NULL::stays, 20000, seed => 1)), '<', 20::numeric, 'stays last as long');
SELECT throws_ok($$SELECT * FROM synth_sample('stays', 1, given => '{"went": "2024-02-01"}')$$, '0A000', NULL, 'it cannot be given');
SELECT FROM synth_fit('stays', seed => 1, options => '{"differences": 0, "dependencies": 0}');
SELECT is((SELECT detail->>'from' FROM synth_columns('stays') WHERE name = 'went'), NULL, 'unless it is turned off');

--
-- Filling
--
CREATE TABLE clone (LIKE rows INCLUDING ALL, FOREIGN KEY (parent) REFERENCES parents, FOREIGN KEY (country, town) REFERENCES towns, FOREIGN KEY (boss) REFERENCES clone);
SELECT lives_ok($$CALL synth_into('clone', 500, model => 'rows', seed => 5)$$, 'a clone takes the rows');
SELECT lives_ok($$CALL synth_into('clone', 300, model => 'rows', seed => 5)$$, 'and more');
SELECT results_eq('SELECT count(*), count(DISTINCT code) FROM clone', 'VALUES (800::bigint, 800::bigint)', 'all of them');
SELECT cmp_ok((SELECT abs(avg((town IS NULL)::int) - 0.25) FROM clone), '<', 0.06, 'NULLs keep their share in foreign keys');
SELECT cmp_ok((SELECT count(DISTINCT parent) FROM clone), '<', 160::bigint, 'parents without children stay so');
WITH RECURSIVE tree AS (SELECT id FROM clone WHERE boss IS NULL UNION ALL SELECT c.id FROM clone AS c JOIN tree AS t ON c.boss = t.id)
	SELECT is(count(*), 800::bigint, 'references to itself are a forest') FROM tree;
CREATE TABLE narrow (parent int REFERENCES parents, lo int CHECK (lo % 2 = 0), PRIMARY KEY (parent, lo));
SELECT lives_ok($$CALL synth_into('narrow', 400, model => 'rows', seed => 5)$$, 'what the target asks for beyond the source');
CREATE TABLE nobody (id int PRIMARY KEY);
CREATE TABLE orphans (parent int NOT NULL REFERENCES nobody);
SELECT throws_ok($$CALL synth_into('orphans', 10, model => 'rows')$$, '23503', NULL, 'a parent without rows');
GRANT INSERT ON narrow TO gensynth_constraints_reader;
SELECT synth_grant('rows', 'gensynth_constraints_reader');
SET LOCAL ROLE gensynth_constraints_reader;
SELECT throws_ok($$CALL synth_into('narrow', 10, model => 'rows')$$, '42501',
	'permission denied for the keys of public.parents, which foreign key "narrow_parent_fkey" refers to', 'a parent that may not be read');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
