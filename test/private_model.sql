-- The model of private fits, a mixture of products, against brute force: one whose parameters are put in by hand.
SELECT plan(39);
SET client_min_messages = warning;
CREATE TABLE rows (a text NOT NULL, b int, c boolean NOT NULL, d int NOT NULL);
INSERT INTO rows SELECT 'x', 1, true, 1 + i % 8 FROM generate_series(1, 8000) i;
SELECT lives_ok($$SELECT synth_fit('rows', epsilon => 1, options => '{"bounds": {"b": [0, 3], "d": [1, 8]}, "categories": {"a": ["x", "y", "z"]}}')$$, 'a private fit');

CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query;
END $$;

-- Tensors as bytes.
CREATE FUNCTION seal(payload bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS
	$$ SELECT 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload $$;
CREATE FUNCTION turned(word bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS
	$$ SELECT substr(word, 4, 1) || substr(word, 3, 1) || substr(word, 2, 1) || substr(word, 1, 1) $$;
CREATE FUNCTION f4(x real[]) RETURNS bytea IMMUTABLE LANGUAGE sql AS
	$$ SELECT string_agg(turned(float4send(v)), '' ORDER BY i) FROM unnest(x) WITH ORDINALITY AS t(v, i) $$;
CREATE FUNCTION i4(x int[]) RETURNS bytea IMMUTABLE LANGUAGE sql AS
	$$ SELECT string_agg(turned(int4send(v)), '' ORDER BY i) FROM unnest(x) WITH ORDINALITY AS t(v, i) $$;
CREATE FUNCTION put(tensor text, dims int[], payload bytea) RETURNS void LANGUAGE sql AS
	$$ UPDATE gensynth.tensors SET shape = dims, data = seal(payload) WHERE model = 'rows' AND name = tensor $$;

-- Three components; cells of a: x, y, z; of b: 0, 1, 2, 3, NULL; of c: false, true; of d: 1-2, 3, 4-8.
CREATE TABLE mixture (r int, w float8, a float8[], b float8[], c float8[], d float8[]);
INSERT INTO mixture VALUES
	(1, 0.5, '{0.5,0.5,0}', '{0.25,0.25,0.25,0.125,0.125}', '{1,0}', '{0.5,0.25,0.25}'),
	(2, 0.375, '{0,0.25,0.75}', '{0.5,0,0,0.25,0.25}', '{0.25,0.75}', '{0,0.25,0.75}'),
	(3, 0.125, '{0.125,0.125,0.75}', '{0,0,0,0,1}', '{0,1}', '{1,0,0}');
SELECT put('private/cell', '{17}', i4('{0,1,2,0,1,2,3,0,1,0,0,1,2,2,2,2,2}'));
SELECT is((SELECT shape FROM gensynth.tensors WHERE model = 'rows' AND name = 'private/position'), '{4,2}', 'four columns');
SELECT put('private/weight', '{3}', i4('{8192,6144,2048}'));
SELECT put('private/share', '{3,13}', (SELECT f4(array_agg(v::real ORDER BY r, i)) FROM mixture, unnest(a || b || c || d) WITH ORDINALITY AS t(v, i)));


-- What the model says of each row, with its component; d by cells.
CREATE VIEW model AS SELECT r, x AS a, nullif(y - 1, 4) AS b, z = 2 AS c, v AS d, w * m.a[x] * m.b[y] * m.c[z] * m.d[v] AS p
FROM mixture m, generate_series(1, 3) x, generate_series(1, 5) y, generate_series(1, 2) z, generate_series(1, 3) v;
CREATE FUNCTION cells(INOUT a text, INOUT b int, INOUT c bool, INOUT d int) LANGUAGE sql IMMUTABLE AS
	$$ SELECT (1 + strpos('yz', a))::text, b, c, CASE WHEN d <= 2 THEN 1 WHEN d = 3 THEN 2 ELSE 3 END $$;
CREATE FUNCTION drawn(n int, given jsonb DEFAULT NULL, seed int DEFAULT 1) RETURNS TABLE (a int, b int, c bool, d int) LANGUAGE sql AS
	$$ SELECT k.a::int, k.b, k.c, k.d FROM synth_sample(NULL::rows, n, seed => seed, given => given) s, cells(s.a, s.b, s.c, s.d) k $$;

-- The largest difference of a joint share, of what meets a condition.
CREATE FUNCTION differs(sample text, condition text DEFAULT 'true') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	most float8;
BEGIN
	EXECUTE format('WITH m AS (SELECT a, b, c, d, sum(p) / sum(sum(p)) OVER () AS p FROM model WHERE %s GROUP BY a, b, c, d HAVING sum(p) > 0),
		s AS (SELECT a, b, c, d, count(*) / sum(count(*)) OVER () AS q FROM %s GROUP BY a, b, c, d)
		SELECT max(abs(coalesce(p, 0) - coalesce(q, 0))) FROM m FULL JOIN s ON (m.a, m.c, m.d, coalesce(m.b, 9)) = (s.a, s.c, s.d, coalesce(s.b, 9))', condition, sample)
	INTO most;
	RETURN most;
END $$;
SELECT cmp_ok(differs('drawn(163840)'), '<', 0.002::float8, 'rows are as the model says');
SELECT cmp_ok((SELECT max(abs(q - p)) FROM (SELECT b, count(*) / 16384.0 AS q FROM drawn(16384) GROUP BY b) s
	JOIN (SELECT b, sum(p) AS p FROM model GROUP BY b) m ON s.b IS NOT DISTINCT FROM m.b), '<', 0.0005::float8, 'a column''s shares are met nearly to the row');
SELECT cmp_ok((SELECT max(abs(q - p)) FROM (SELECT b, count(*) / 500.0 AS q FROM drawn(500, seed => 3) GROUP BY b) s
	JOIN (SELECT b, sum(p) AS p FROM model GROUP BY b) m ON s.b IS NOT DISTINCT FROM m.b), '<', 0.02::float8, 'and those of any beginning');
SELECT cmp_ok(differs('drawn(163840, seed => 2)'), '<', 0.002::float8, 'so they are with another seed');
SELECT isnt((SELECT md5(string_agg(s::text, ',')) FROM synth_sample('rows', 100, seed => 1) s),
	(SELECT md5(string_agg(s::text, ',')) FROM synth_sample('rows', 100, seed => 2) s), 'which gives other rows');

-- Conditions, exactly, and as filtered rows.
CREATE FUNCTION conditioned(given jsonb, condition text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT cmp_ok(differs(format('drawn(50000, given => %L)', given), condition), '<', 0.008::float8, 'given ' || given::text);
	RETURN NEXT cmp_ok(differs(format('(SELECT * FROM drawn(163840) WHERE %s) f', condition), condition), '<', 0.008::float8, 'as rows filtered');
END $$;
SELECT conditioned('{"a": "z"}', 'a = 3');
SELECT conditioned('{"a": ["x", "y"], "c": true}', 'a < 3 AND c');
SELECT conditioned('{"b": {"gte": 1, "lt": 3}}', 'b IN (1, 2)');
SELECT conditioned('{"b": null}', 'b IS NULL');
SELECT conditioned('{"b": [null, 0, 3], "c": true}', '(b IS NULL OR b IN (0, 3)) AND c');
SELECT conditioned('{"b": [null, 3], "d": {"gte": 3}}', '(b IS NULL OR b = 3) AND d > 1');
SELECT is((SELECT array_agg(DISTINCT d ORDER BY d) FROM synth_sample(NULL::rows, 2000, seed => 1, given => '{"d": [2, 5, 7]}')), '{2,5,7}', 'some values of cells');
SELECT throws_ok($$SELECT * FROM synth_sample('rows', 10, given => '{"a": "x", "c": true, "b": [1, 2, 3]}')$$, '22000', NULL, 'what is in no component');
SELECT is((SELECT count(*) FROM synth_sample('rows', 10, given => '{}')), 10::bigint, 'no condition');
SELECT matches((SELECT string_agg(line, ' ') FROM explained($$SELECT * FROM synth_sample(NULL::rows, 5000, given => '{"a": "z", "b": [null, 3]}')$$) line),
	'Acceptance: 1.000', 'nothing is rejected');

-- Known columns: what the others are, given them.
CREATE TABLE half (LIKE rows);
INSERT INTO half SELECT CASE i % 4 WHEN 0 THEN 'z' ELSE 'y' END, nullif(i % 3, 2), false, 3 FROM generate_series(1, 60000) i;
SELECT is((SELECT count(*) FROM half h), 60000::bigint, 'rows to be completed');
SELECT cmp_ok((SELECT max(abs(q - p)) FROM (SELECT a, b, c, count(*) / sum(count(*)) OVER (PARTITION BY a, b) AS q
		FROM (SELECT (1 + strpos('yz', a)) AS a, b, c FROM synth_complete(NULL::half, model => 'rows', columns => '{c,d}', seed => 5)) s GROUP BY a, b, c) s
	JOIN (SELECT a, b, c, sum(p) / nullif(sum(sum(p)) OVER (PARTITION BY a, b), 0) AS p FROM model GROUP BY a, b, c) m
	ON s.a = m.a AND s.b IS NOT DISTINCT FROM m.b AND s.c = m.c), '<', 0.02::float8, 'known columns tell of the others');

-- The same rows however they are asked for.
SELECT is((SELECT array_agg(s ORDER BY n) FROM (SELECT s::text, row_number() OVER () AS n FROM synth_sample('rows', 3000, seed => 7) s) t WHERE n BETWEEN 2001 AND 2010),
	(SELECT array_agg(s::text) FROM synth_sample('rows', 10, seed => 7, start => 2001) s), 'a row follows from its number');
SELECT is((SELECT array_agg(a) FROM synth_sample(NULL::rows, 2000, seed => 7)), (SELECT array_agg(s.a) FROM (SELECT * FROM synth_sample(NULL::rows, 2000, seed => 7) OFFSET 0) s),
	'and does not depend on what else is drawn');
SELECT md5(string_agg(s::text, ',' ORDER BY s::text)) AS rows FROM synth_sample('rows', 40000, seed => 7) s \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SELECT is((SELECT md5(string_agg(s::text, ',' ORDER BY s::text)) FROM synth_sample('rows', 40000, seed => 7) s), :'rows', 'workers make the same rows');
SET gensynth.enable_custom_scan = off;
SELECT is((SELECT md5(string_agg(s::text, ',' ORDER BY s::text)) FROM synth_sample('rows', 40000, seed => 7) s), :'rows', 'so does the function');
RESET gensynth.enable_custom_scan;

-- Damage.
CREATE FUNCTION damaged(tensor text, dims int[], payload bytea, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before gensynth.tensors;
	result text;
BEGIN
	SELECT * INTO before FROM gensynth.tensors WHERE model = 'rows' AND name = tensor;
	PERFORM put(tensor, dims, payload);
	result := throws_ok($q$SELECT * FROM synth_sample('rows', 3)$q$, 'XX001', NULL, what);
	UPDATE gensynth.tensors SET shape = before.shape, data = before.data WHERE model = 'rows' AND name = tensor;
	RETURN result;
END $$;
SELECT damaged('private/weight', '{3}', i4('{8192,6144,2047}'), 'weights that do not sum up');
SELECT damaged('private/weight', '{3}', i4('{8192,-6144,14336}'), 'a weight below zero');
SELECT damaged('private/weight', '{2}', i4('{8192,8192}'), 'a component too few');
SELECT damaged('private/cell', '{17}', i4('{0,1,2,0,1,2,3,0,1,0,0,1,2,2,2,2,99}'), 'a cell that is not there');
SELECT damaged('private/cell', '{17}', i4('{0,1,2,0,1,2,3,0,1,0,0,1,3,3,3,3,3}'), 'a cell of no value');
SELECT damaged('private/position', '{4,2}', i4('{0,-1,1,2,3,-1,3,-1}'), 'a feature twice');
SELECT damaged('private/position', '{4,2}', i4('{0,-1,1,4,3,-1,2,-1}'), 'an indicator that is a number');
SELECT damaged('private/share', '{3,13}', f4(array_fill('NaN'::real, '{39}')), 'shares that are no numbers');
SELECT damaged('private/share', '{3,13}', f4(array_fill(0.5::real, '{39}')), 'shares that sum to more than 1');
SELECT lives_ok($$SELECT * FROM synth_sample('rows', 3)$$, 'undamaged');
SELECT finish();
