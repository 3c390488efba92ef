-- What a table asks of its rows holds for synthetic ones, and what a model
-- knows of it is told.
BEGIN;
SELECT plan(71);
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
	('check', 'kind', 'rejection'), ('exclusion', 'span', 'rejection'), ('domain', 'share', 'database'),
	('enum', 'mood', 'construction'), ('identity', 'id', 'database'), ('serial', 'number', 'database'),
	('generated', 'twice', 'construction'), ('collation', 'mail', 'construction'), ('user', 'share', 'rejection')$$, 'constraints of all kinds');
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
SELECT throws_ok('SELECT count(a) FROM synth_sample(NULL::plain, 10)', '23514', 'could not make rows that meet condition "a = 1234"', 'an error names it');
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

-- types that stand for objects: all that this major has, and their arrays, and no others
CREATE FUNCTION pg_temp.uses_type(type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('SELECT a FROM plain LIMIT 10', model => 'typed', options => jsonb_build_object('constraints', ARRAY['a >= 0 OR NULL::' || type || ' IS NULL']));
	RETURN 'fits';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT string_agg(format_type(oid, NULL) || ' ' || uses, ', ') FROM pg_type, pg_temp.uses_type(format_type(oid, NULL)) AS uses
	WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname !~ '^_?pg_|^_?char$|^_cstring$'
	AND uses <> CASE WHEN typname ~ '^_?(reg|aclitem)' THEN '0A000' ELSE 'fits' END), NULL, 'types that stand for objects are refused');

-- conditions that raise are not met
CREATE ROLE gensynth_constraints_reader;
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["100 / b < 30"]}');
SELECT is((SELECT count(*) FROM synth_sample(NULL::plain, 3000, seed => 1) WHERE b = 0 OR 100 / nullif(b, 0) >= 30), 0::bigint, 'where they raise errors, rows are made again');
SELECT is((SELECT count(a) FROM synth_sample(NULL::plain, 3000, seed => 1)), 3000::bigint, 'as many as asked for');
SELECT is((SELECT (violations, acceptance < 0.9, acceptance > 0.4)::text FROM synth_check('plain', 3000)), '(0,t,t)', 'and are counted as refused');
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["1 / (b - b) = a"]}');
SELECT throws_matching('SELECT count(a) FROM synth_sample(NULL::plain, 10)', 'could not make rows that meet condition "1 / \(b - b\) = a"', 'where all rows raise, an error names the condition');
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["a = 1000 / b"], "on_violation": "ignore"}');
SELECT is((SELECT count(a) FROM synth_sample(NULL::plain, 3000, seed => 1)), 3000::bigint, 'a value that cannot be computed stays as it was');
SELECT is((SELECT count(*) FROM synth_sample(NULL::plain, 3000, seed => 1) WHERE b <> 0 AND a <> 1000 / nullif(b, 0)), 0::bigint, 'others are computed');

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

--
-- What a review has found
--
-- what is not PostgreSQL's own is left to the table that takes the rows
CREATE FUNCTION fine(x int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x % 2 = 0; END';
CREATE TABLE fussy AS SELECT i * 2 AS x, i % 7 AS y FROM generate_series(1, 300) AS i;
ALTER TABLE fussy ADD CONSTRAINT even CHECK (fine(x)), ADD CONSTRAINT small CHECK (x < 10000), ADD CONSTRAINT recent CHECK (x < extract(epoch FROM now()));
SELECT FROM synth_fit('fussy', seed => 1, options => '{"rare_threshold": 1}');
SELECT set_eq($$SELECT name, met FROM synth_constraints('fussy') WHERE kind = 'check'$$, $$VALUES ('even', 'database'), ('small', 'rejection'), ('recent', 'database')$$,
	'functions of others, and stable ones');
CREATE TABLE fussy_too (LIKE fussy INCLUDING ALL, CHECK (fine(y)));
SELECT lives_ok($$CALL synth_into('fussy_too', 300, model => 'fussy', seed => 1)$$, 'which makes up for those that it refuses');
SELECT is((SELECT count(*) FROM fussy_too WHERE x % 2 = 0 AND y % 2 = 0), 300::bigint, 'all of them');

-- settings do not change what a condition means
CREATE TABLE slashes AS SELECT CASE i % 2 WHEN 0 THEN 'a\b' ELSE 'c' END AS s, date '2024-02-01' + i % 50 AS d, i % 9 AS y FROM generate_series(1, 300) AS i;
ALTER TABLE slashes ADD CHECK (s <> 'x\'' OR 1 = 1 --'), ADD CHECK (d >= '2024-02-01' AND d < '2024-04-03'), ADD CHECK (s = 'c' OR s = E'a\\b');
SET LOCAL datestyle = 'SQL, DMY';
-- (19 has no other strings)
SELECT current_setting('server_version_num')::int >= 190000 AS standard \gset
\if :standard
SELECT FROM synth_fit('slashes', seed => 1, options => '{"constraints": ["d <> ''05/02/2024''", "s <> ''a\\b''"]}');
\else
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
SELECT FROM synth_fit('slashes', seed => 1, options => '{"constraints": ["d <> ''05/02/2024''", "s <> ''a\\\\\\\\b''"]}');
SET LOCAL standard_conforming_strings = on;
\endif
SET LOCAL datestyle = 'SQL, MDY';
SELECT is((SELECT array_agg(DISTINCT (s, d = date '2024-02-05')::text) FROM synth_sample(NULL::slashes, 1000, seed => 1)), '{"(c,f)"}', 'of who reads it');
SELECT is((SELECT count(*) FROM synth_constraints('slashes') WHERE met = 'rejection'), 5::bigint, 'all of them are met');
RESET datestyle;

-- functions of others are not run
GRANT CREATE ON SCHEMA public TO gensynth_constraints_reader;
SET LOCAL ROLE gensynth_constraints_reader;
CREATE FUNCTION trap(x int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE ''as %'', current_user; END';
CREATE TABLE bait AS SELECT i AS x, i % 7 AS y FROM generate_series(1, 200) AS i;
ALTER TABLE bait ADD CHECK (trap(x + y)) NOT VALID, ADD CHECK (trap(1) OR x > 0) NOT VALID;
RESET ROLE;
SELECT lives_ok($$SELECT synth_fit('bait', seed => 1); SELECT count(x) FROM synth_sample(NULL::bait, 10)$$, 'a source''s functions do not run with the rights of who learns it');
SELECT throws_ok($$SELECT synth_fit('bait', options => '{"constraints": ["public.trap(x)"]}')$$, '0A000', 'condition "public.trap(x)" uses function public.trap', 'not even if asked for');
SELECT throws_ok($$SELECT synth_fit('bait', options => '{"constraints": ["random() < x"]}')$$, '42P17', NULL, 'nor volatile ones');
SELECT throws_ok($$SELECT synth_fit('bait', options => '{"constraints": ["current_user <> ''x'' OR x > 1"]}')$$, '42P17', NULL, 'nor what depends on who runs it');
SELECT throws_ok($$SELECT synth_fit('rows', options => '{"constraints": ["code <> ''x''"]}')$$, '0A000', NULL, 'nor conditions on keys');
SELECT throws_ok($$SELECT synth_fit('bait', options => '{"constraints": ["x > 0 AS y"]}')$$, '42601', NULL, 'a condition has no name');
SELECT FROM synth_fit('plain', seed => 1, options => '{"constraints": ["a > 0 -- and so on"]}');
SELECT is((SELECT violations FROM synth_check('plain', 500) WHERE kind = 'user'), 0::bigint, 'but may have a comment');

-- foreign keys to partitioned tables, two on one column, names with slashes
CREATE TABLE pp (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE pp1 PARTITION OF pp FOR VALUES FROM (0) TO (1000);
CREATE TABLE pp2 PARTITION OF pp FOR VALUES FROM (1000) TO (2000);
INSERT INTO pp SELECT generate_series(1, 200);
CREATE TABLE pc (p int NOT NULL REFERENCES pp REFERENCES parents DEFERRABLE, "a/b" int REFERENCES pp, a int, b int);
INSERT INTO pc SELECT 10 * (1 + i % 20), 1 + i % 200, 1, 2 FROM generate_series(1, 500) AS i;
SELECT lives_ok($$SELECT synth_fit('pc', seed => 1); CALL synth_into('pc', 100)$$, 'keys of partitioned parents, and two of one column');

-- keys go on after those of a table that the owner may read as such
CREATE TABLE counted (id int PRIMARY KEY, v int);
INSERT INTO counted SELECT i, i % 7 FROM generate_series(1, 500) AS i;
SELECT FROM synth_fit('counted', seed => 1);
CREATE TABLE longer (LIKE counted INCLUDING ALL);
INSERT INTO longer SELECT i, 0 FROM generate_series(1, 5000) AS i;
CALL synth_into('longer', 30, model => 'counted', seed => 1);
SELECT results_eq('SELECT max(id), count(*) FROM longer', 'VALUES (5030, 5030::bigint)', 'sequences count on');

-- rows that the model drops
SELECT FROM synth_fit('counted', seed => 1, options => '{"constraints": ["v > 1000"], "on_violation": "drop"}');
CREATE TABLE never (LIKE counted);
SELECT throws_ok($$CALL synth_into('never', 10, model => 'counted', seed => 1)$$, '23505', NULL, 'a fill of nothing ends');

-- foreign keys that share a column; one to one
CREATE TABLE tenants (id int PRIMARY KEY);
INSERT INTO tenants SELECT generate_series(1001, 1100);
CREATE TABLE customers (tenant int REFERENCES tenants, id int, PRIMARY KEY (tenant, id));
INSERT INTO customers SELECT 1001 + i % 50, i FROM generate_series(1, 500) AS i;
CREATE TABLE orders (tenant int NOT NULL, customer int NOT NULL, amount float8, CONSTRAINT a_fk FOREIGN KEY (tenant) REFERENCES tenants,
	CONSTRAINT z_fk FOREIGN KEY (tenant, customer) REFERENCES customers);
CREATE TABLE old_orders AS SELECT 1 + i % 30 AS tenant, i % 400 AS customer, random() AS amount FROM generate_series(1, 1000) AS i;
SELECT FROM synth_fit('old_orders', seed => 1);
SELECT lives_ok($$CALL synth_into('orders', 1000, model => 'old_orders', seed => 1)$$, 'foreign keys that share a column');
CREATE TABLE details (id int PRIMARY KEY REFERENCES parents, v int);
INSERT INTO details SELECT i * 10, i % 7 FROM generate_series(1, 150) AS i;
SELECT FROM synth_fit('details', seed => 1);
CREATE TABLE more_details (id int PRIMARY KEY REFERENCES parents, v int);
SELECT lives_ok($$CALL synth_into('more_details', 280, model => 'details', seed => 1)$$, 'one to one, of nearly all parents');

-- all combinations that there are
CREATE TABLE stores (id int PRIMARY KEY);
INSERT INTO stores SELECT generate_series(1, 30);
CREATE TABLE sales (store int REFERENCES stores, day date, kind text, sold int, PRIMARY KEY (store, day, kind));
INSERT INTO sales SELECT s, date '2024-01-01' + d, k, s * d % 17 FROM generate_series(1, 30) AS s, generate_series(0, 39) AS d, unnest(ARRAY['a', 'b']) AS k;
SELECT FROM synth_fit('sales', seed => 1);
CREATE TABLE all_sales (LIKE sales INCLUDING ALL, FOREIGN KEY (store) REFERENCES stores);
SELECT lives_ok($$CALL synth_into('all_sales', model => 'sales', seed => 1)$$, 'as many combinations as there are');
SELECT is((SELECT count(*) FROM all_sales), 2400::bigint, 'all of them');
SELECT throws_ok($$CALL synth_into('all_sales', 1, model => 'sales', seed => 2)$$, '23505', NULL, 'and no more');

-- a partition's own condition; sums; generated columns
CREATE TABLE part (id int, v int) PARTITION BY RANGE (v);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT i, i % 50 FROM generate_series(1, 1000) AS i;
SELECT FROM synth_fit('part', seed => 1);
SELECT lives_ok($$CALL synth_into('part1', 100, model => 'part', seed => 1)$$, 'a partition');
CREATE TABLE bills (net numeric(8,2), tax numeric(8,2), total numeric(9,2), each numeric(9,2), qty int, half numeric GENERATED ALWAYS AS (net / 2) STORED,
	CONSTRAINT a CHECK (round(total / qty, 2) = each), CONSTRAINT b CHECK (total = net + tax));
INSERT INTO bills SELECT n, t, n + t, round((n + t) / q, 2), q FROM (SELECT round(i * 37 % 1000 / 7.0, 2) AS n, round(i * 13 % 100 / 9.0, 2) AS t,
	1 + i % 9 AS q FROM generate_series(1, 2000) AS i) AS s;
SELECT FROM synth_fit('bills', seed => 1);
SELECT is((SELECT count(*) FROM synth_sample(NULL::bills, 20000, seed => 1) WHERE total <> net + tax OR each <> round(total / qty, 2) OR half <> net / 2),
	0::bigint, 'sums and ratios are exact');
SELECT is((SELECT string_agg(met, ', ' ORDER BY name) FROM synth_constraints('bills') WHERE name IN ('a', 'b')), 'construction, construction', 'and said to be');
-- what a generated column's definition makes is cast to the column's type
CREATE TABLE cast_bills (net numeric, whole int GENERATED ALWAYS AS (net + 1) STORED, tenth numeric(5,1) GENERATED ALWAYS AS (net / 7) STORED,
	short varchar(3) GENERATED ALWAYS AS (left(net::text, 3)) STORED, padded text GENERATED ALWAYS AS (net::text::char(9)) STORED,
	day date GENERATED ALWAYS AS ('2020-01-01'::timestamp + '1 h') STORED, small float4 GENERATED ALWAYS AS (net / 3) STORED);
INSERT INTO cast_bills SELECT i / 3.0 FROM generate_series(1, 200) AS i;
SELECT FROM synth_fit('cast_bills', seed => 1);
SELECT is((SELECT count(*) FROM synth_sample(NULL::cast_bills, 1000, seed => 1) WHERE whole = (net + 1)::int AND tenth = round(net / 7, 1) AND short = left(net::text, 3)
	AND padded = rtrim(left(net::text, 9)) AND day = '2020-01-01' AND small = (net / 3)::float4), 1000::bigint, 'generated columns of another type than their definition''s');
CREATE TABLE texts (a varchar(9), b varchar(3), CHECK (b = left(a, 3)));
INSERT INTO texts SELECT 'v' || i % 300, left('v' || i % 300, 3) FROM generate_series(1, 600) AS i;
SELECT FROM synth_fit('texts', seed => 1);
SELECT is((SELECT met FROM synth_constraints('texts') WHERE kind = 'check'), 'construction', 'a varchar, which is compared as text, is computed');
SELECT * FROM finish();
ROLLBACK;
