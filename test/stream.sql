-- The custom scan and the plain function give the same rows, whatever the query.
BEGIN;
SELECT plan(49);

CREATE TABLE src (id int, city text, age int, height numeric(5,1), born date, note text);
INSERT INTO src SELECT g, (ARRAY['Bonn','Ulm','Kiel','Jena'])[1 + (g * 7) % 4], CASE WHEN g % 9 > 0 THEN 20 + (g * 13) % 50 END,
	150 + (g * 17) % 400 / 10.0, date '1960-01-01' + (g * 31) % 15000, 'note ' || g FROM generate_series(1, 5000) g;
SELECT FROM synth_fit('src', seed => 1);
CREATE TYPE pair AS (age int, city text);

-- Rows of a query as text, in order.
CREATE FUNCTION rows_of(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	r record;
	a text[] := '{}';
BEGIN
	FOR r IN EXECUTE query LOOP
		a := a || r::text;
	END LOOP;
	RETURN a;
END $$;
CREATE FUNCTION same(query text, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	streamed text[];
	plain text[];
BEGIN
	SET LOCAL gensynth.enable_custom_scan = on;
	streamed := rows_of(query);
	SET LOCAL gensynth.enable_custom_scan = off;
	plain := rows_of(query);
	SET LOCAL gensynth.enable_custom_scan = on;
	RETURN ok(streamed = plain AND cardinality(plain) > 0, description);
END $$;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END $$;

SELECT matches(plan_of('SELECT * FROM synth_sample(NULL::src, 10)'), 'Custom Scan \(SynthScan\)', 'the typed form is streamed');
SELECT matches(plan_of($$SELECT * FROM synth_sample('src', 10)$$), 'Custom Scan \(SynthScan\)', 'the jsonb form is streamed');
SELECT matches(plan_of($$SELECT * FROM synth_sample('src'::regclass, 10)$$), 'Custom Scan \(SynthScan\)', 'the regclass form is streamed');
SELECT matches(plan_of($$SELECT * FROM synth_rows('src', 10) AS t(age int)$$), 'Custom Scan \(SynthScan\)', 'the record form is streamed');
SET LOCAL gensynth.enable_custom_scan = off;
SELECT matches(plan_of('SELECT * FROM synth_sample(NULL::src, 10)'), 'Function Scan', 'the setting turns it off');
SET LOCAL gensynth.enable_custom_scan = on;

SELECT same('SELECT * FROM synth_sample(NULL::src, 3000, seed => 7)', 'typed');
SELECT same($$SELECT * FROM synth_sample('src', 3000, seed => 7)$$, 'jsonb');
SELECT same($$SELECT * FROM synth_sample('src'::regclass, 3000, seed => 7)$$, 'regclass');
SELECT same($$SELECT * FROM synth_rows('src', 3000, seed => 7) AS t(born date, age bigint, nothing text, city varchar(8))$$, 'record, with casts');
SELECT same($$SELECT * FROM synth_sample(NULL::pair, 3000, 'src', 7)$$, 'a row type of its own');
SELECT same('SELECT city, age FROM synth_sample(NULL::src, 3000, seed => 7)', 'two columns');
SELECT same('SELECT count(*) FROM synth_sample(NULL::src, 3000, seed => 7)', 'no column');
SELECT same($$SELECT count(*) FROM synth_sample('src', 3000, seed => 7)$$, 'no column of jsonb');
SELECT same('SELECT 1 FROM synth_sample(NULL::src, 30, seed => 7)', 'a constant');
SELECT same('SELECT t FROM synth_sample(NULL::src, 300, seed => 7) t', 'the whole row');
SELECT same('SELECT t, t.age FROM synth_sample(NULL::src, 300, seed => 7) t WHERE t.city = ''Ulm''', 'the whole row, a column and a condition');
SELECT same('SELECT to_jsonb(t), row_to_json(t) FROM synth_sample(NULL::src, 300, seed => 7) t', 'to_jsonb of the whole row');
SELECT same($$SELECT to_jsonb(t), t FROM synth_sample('src', 300, seed => 7) t$$, 'to_jsonb of jsonb');
SELECT same($$SELECT t FROM synth_rows('src', 300, seed => 7) AS t(age int, city text)$$, 'the whole record');
SELECT same($$SELECT (t).age FROM (SELECT synth_sample(NULL::src, 300, seed => 7) t) s$$, 'in the select list');
SELECT same('SELECT * FROM synth_sample(NULL::src, 3000, seed => 7) WHERE age > 30 AND city <> ''Bonn'' ORDER BY id, age LIMIT 50', 'condition, order, limit');
SELECT same('SELECT * FROM synth_sample(NULL::src, 3000, seed => 7) WHERE age IS NULL LIMIT 20 OFFSET 30', 'limit above a condition');
SELECT same('SELECT city, count(*), avg(age) FROM synth_sample(NULL::src, 3000, seed => 7) GROUP BY 1 ORDER BY 1', 'aggregate');
SELECT same('SELECT * FROM synth_sample(NULL::src, 300, seed => 7, start => 1000)', 'start');
SELECT same('SELECT * FROM synth_sample(NULL::src, 20, seed => 7) WITH ORDINALITY', 'with ordinality');
SELECT same('SELECT * FROM ROWS FROM (synth_sample(NULL::src, 20, seed => 7), generate_series(1, 25))', 'rows from');
SELECT same('SELECT g, t.age FROM generate_series(1, 3) g, LATERAL synth_sample(NULL::src, g * 2, seed => g) t', 'lateral');
SELECT same('SELECT g, (SELECT sum(age) FROM synth_sample(NULL::src, g * 10, seed => 7)) FROM generate_series(0, 30) g', 'a correlated subquery');
SELECT same('SELECT g, (SELECT count(*) FROM synth_sample(NULL::src, 10, seed => 7) t WHERE t.age > g) FROM generate_series(20, 60) g', 'a rescan with other conditions');
SELECT same('SELECT * FROM synth_sample(NULL::src, (SELECT 20 + 30), seed => 7)', 'an InitPlan as argument');
SELECT same('SELECT * FROM synth_sample(NULL::src, 50, seed => (SELECT max(g) FROM generate_series(1, 9) g))', 'an InitPlan as seed');
SELECT same('SELECT a.age, b.age FROM synth_sample(NULL::src, 40, seed => 7) a JOIN synth_sample(NULL::src, 40, seed => 8) b ON a.city = b.city AND a.age < b.age ORDER BY 1, 2', 'a join of two');
SELECT same('SELECT * FROM synth_sample(NULL::src, 40, seed => 7) UNION ALL SELECT * FROM synth_sample(NULL::src, 40, seed => 8)', 'union all');
SELECT same('WITH t AS MATERIALIZED (SELECT * FROM synth_sample(NULL::src, 40, seed => 7)) SELECT * FROM t, t u WHERE t.id = u.id', 'a CTE');
SELECT same('SELECT * FROM src s WHERE EXISTS (SELECT FROM synth_sample(NULL::src, 400, seed => 7) t WHERE t.age = s.age) AND s.id < 100 ORDER BY id', 'a semijoin');
SELECT same('SELECT age, rank() OVER (PARTITION BY city ORDER BY age, id) FROM synth_sample(NULL::src, 400, seed => 7)', 'a window');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SELECT same('SELECT a.id, b.age FROM src a LEFT JOIN synth_sample(NULL::src, 40, seed => 7) b ON a.age = b.age WHERE a.id < 60 ORDER BY 1, 2', 'a nested loop rescans');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- a drawn seed is one seed for the whole query
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SELECT is((SELECT count(DISTINCT b.s) FROM generate_series(1, 5) g LEFT JOIN LATERAL
	(SELECT sum(t.id) AS s FROM synth_sample(NULL::src, 50) t WHERE g > 0) b ON true), 1::bigint, 'a rescan repeats the drawn seed''s rows');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- prepared statements
PREPARE q(float8, bigint) AS SELECT * FROM synth_sample(NULL::src, $1, seed => $2);
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT same('EXECUTE q(100, 7)', 'a generic plan');
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT same('EXECUTE q(100, 7)', 'a custom plan');

-- views, tables, updates
CREATE VIEW v AS SELECT * FROM synth_sample(NULL::src, 500, seed => 7);
SELECT same('SELECT city, age FROM v WHERE age > 40', 'a view');
CREATE TEMP TABLE made AS SELECT * FROM synth_sample(NULL::src, 2000, seed => 7);
SELECT results_eq('SELECT * FROM made', 'SELECT * FROM synth_sample(NULL::src, 2000, seed => 7)', 'create table as');
CREATE TEMP TABLE target AS SELECT g AS id, 0 AS age FROM generate_series(1, 50) g;
UPDATE target SET age = t.age FROM synth_sample(NULL::src, 5000, seed => 7) t WHERE t.id = target.id;
CREATE TEMP TABLE expected AS SELECT g AS id, 0 AS age FROM generate_series(1, 50) g;
SET LOCAL gensynth.enable_custom_scan = off;
UPDATE expected SET age = t.age FROM synth_sample(NULL::src, 5000, seed => 7) t WHERE t.id = expected.id;
SET LOCAL gensynth.enable_custom_scan = on;
SELECT results_eq('SELECT count(*), count(age) FROM target', 'SELECT count(*), count(age) FROM expected', 'update from');
MERGE INTO target USING (SELECT DISTINCT ON (id) * FROM synth_sample(NULL::src, 300, seed => 7) ORDER BY id, age) t ON t.id = target.id
	WHEN MATCHED THEN UPDATE SET age = t.age WHEN NOT MATCHED THEN INSERT VALUES (t.id, t.age);
SELECT ok((SELECT count(*) > 250 FROM target), 'merge');

-- cursors
DECLARE c SCROLL CURSOR FOR SELECT age FROM synth_sample(NULL::src, 3000, seed => 7);
MOVE FORWARD 2000 IN c;
MOVE BACKWARD 1500 IN c;
CREATE TEMP TABLE fetched (age int);
DO $$ DECLARE c refcursor := 'c'; r record; BEGIN FETCH NEXT FROM c INTO r; INSERT INTO fetched VALUES (r.age); END $$;
SELECT results_eq('SELECT age FROM fetched', 'SELECT age FROM synth_sample(NULL::src, 3000, seed => 7) OFFSET 500 LIMIT 1', 'a scroll cursor');

-- workers
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT matches(plan_of('SELECT count(*), sum(age) FROM synth_sample(NULL::src, 300000)'), 'Parallel Custom Scan', 'workers are planned');
SELECT unalike(plan_of('SELECT count(*), sum(age) FROM synth_sample(NULL::src, 300000, seed => (random() * 9)::int)'), '%Parallel Custom Scan%',
	'arguments that each process would evaluate for itself are not given to workers');
CREATE FUNCTION batches(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
		IF line ~ 'Batches: ' THEN
			RETURN substring(line FROM 'Batches: (\d+)');
		END IF;
	END LOOP;
END $$;
SELECT is(batches('SELECT sum(age) FROM synth_sample(NULL::src, 300000, seed => 7)'), 293, 'EXPLAIN counts the batches of all processes');
CREATE TEMP TABLE serial AS SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest, count(*) AS n FROM
	(SELECT * FROM synth_sample(NULL::src, 150001, seed => 7, start => 999)) t;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq('SELECT * FROM serial', $$SELECT md5(string_agg(t::text, ',' ORDER BY t::text)), count(*) FROM
	(SELECT * FROM synth_sample(NULL::src, 150001, seed => 7, start => 999)) t$$, 'workers make the same rows');

SELECT * FROM finish();
ROLLBACK;
