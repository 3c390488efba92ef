-- Private fits of many columns, whose pairs are chosen by noisy distances from independence.
SELECT plan(30);
SET client_min_messages = warning;
CREATE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release';
CREATE FUNCTION probe_counts(what text, recording int) RETURNS bigint[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_counts';
CREATE FUNCTION probe_audit(copies int, runs int) RETURNS float8 LANGUAGE C STRICT AS 'gensynth', 'gs_probe_audit';
CREATE FUNCTION probe_audit(copies int, runs int, vector int) RETURNS float8 LANGUAGE C STRICT AS 'gensynth', 'gs_probe_audit';
CREATE FUNCTION stored(source text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(t.name || t.type || t.shape::text || encode(t.data, 'hex'), ',' ORDER BY t.name)) || v.notes::text || v.rows
	FROM gensynth.tensors t, gensynth.versions v WHERE t.model = source AND v.model = source AND t.version = v.version
		AND v.version = (SELECT max(version) FROM gensynth.versions w WHERE w.model = source) GROUP BY v.notes, v.rows
$$;

-- 24 columns, of which each third is as the one before it, nearly; the others have nothing to do with each other.
SELECT format('CREATE TABLE many (%s)', string_agg(format('c%s int NOT NULL CHECK (c%1$s BETWEEN 0 AND 3)', c), ', ' ORDER BY c)) FROM generate_series(1, 24) c \gexec
SELECT setseed(0.5) \g /dev/null
SELECT format('INSERT INTO many SELECT %s FROM (SELECT i, %s FROM generate_series(1, 6000) i) r',
	string_agg(CASE WHEN c % 3 = 0 THEN format('CASE WHEN i %% 5 = 0 THEN r%s ELSE r%s END', c, c - 1) ELSE 'r' || c END, ', ' ORDER BY c),
	string_agg(format('floor(random() * 4)::int AS r%s', c), ', ')) FROM generate_series(1, 24) c \gexec
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('many', epsilon => 1) \g /dev/null
SELECT probe_release('off') \g /dev/null
CREATE TEMP TABLE recorded AS SELECT v, row_number() OVER (PARTITION BY v ORDER BY n) AS at, e, o FROM unnest(probe_counts('vector', 0),
	probe_counts('exact', 0), probe_counts('noisy', 0)) WITH ORDINALITY u(v, e, o, n);
SELECT is((SELECT count(*) FROM recorded WHERE v = 24), 276::bigint, 'one vector of the distances of all pairs');
CREATE TEMP TABLE pair AS SELECT a, b, row_number() OVER (ORDER BY a, b) AS at FROM generate_series(1, 24) a, generate_series(1, 24) b WHERE a < b;
SELECT is((SELECT count(*) FROM pair JOIN recorded USING (at) WHERE v = 24 AND (e > 3000) <> (b % 3 = 0 AND a = b - 1)), 0::bigint, 'those that go together are far');

-- A distance, by hand: of the two columns' noisy counts, whose bins are their values here.
CREATE FUNCTION distance(a int, b int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	sum float8;
	result bigint;
BEGIN
	SELECT round(sum(o) / 24) INTO sum FROM recorded WHERE v < 24;
	EXECUTE format('SELECT sum(abs(coalesce(n, 0) - round(s.p * t.p * $1)))
		FROM (SELECT at - 1 AS x, o::float8 / sum(o) OVER () AS p FROM recorded WHERE v = %1$s - 1) s CROSS JOIN
		(SELECT at - 1 AS y, o::float8 / sum(o) OVER () AS p FROM recorded WHERE v = %2$s - 1) t
		LEFT JOIN (SELECT c%1$s AS x, c%2$s AS y, count(*) AS n FROM many GROUP BY 1, 2) c USING (x, y)', a, b) INTO result USING sum;
	RETURN result;
END $$;
SELECT cmp_ok((SELECT max(abs(e - distance(a, b))) FROM pair JOIN recorded USING (at) WHERE v = 24), '<=', 16::bigint,
	'distances are those of counts from what independence makes one expect, roundings aside');
SELECT ok((SELECT notes::text ~ 'pairs counted are \d+ of 276, those whose distance' FROM gensynth.versions WHERE model = 'many'), 'a note says how many pairs there are');
SELECT cmp_ok((SELECT count(DISTINCT v) FROM recorded WHERE v > 24), '<', 100::bigint, 'which are not all');
SELECT cmp_ok((SELECT count(DISTINCT v) FROM recorded WHERE v > 24), '>=', 23::bigint, 'but enough for each column');
CREATE TABLE made AS SELECT * FROM synth_sample(NULL::many, 6000, seed => 1);
SELECT ok((SELECT avg((c2 = c3)::int) > 0.7 AND avg((c5 = c6)::int) > 0.7 AND avg((c8 = c9)::int) > 0.7 AND avg((c11 = c12)::int) > 0.7 AND avg((c14 = c15)::int) > 0.7
	AND avg((c17 = c18)::int) > 0.7 AND avg((c20 = c21)::int) > 0.7 AND avg((c23 = c24)::int) > 0.7 FROM made), 'what goes together does in the model');
SELECT ok((SELECT avg((c1 = c2)::int) BETWEEN 0.15 AND 0.35 AND avg((c3 = c5)::int) BETWEEN 0.15 AND 0.35 FROM made), 'and nothing else');


-- What it costs.
SELECT ok(abs(rho - sum) < 1e-8 AND sum <= rho, 'steps cost what was charged')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s) FROM synth_ledger WHERE model = 'many') l;
SELECT is((SELECT round(((s ->> 'rho')::float8 / rho)::numeric, 4) FROM synth_ledger, jsonb_array_elements(steps) s
	WHERE model = 'many' AND s ->> 'query' = 'distances of pairs of columns from independence'), 0.0600, 'a tenth of what pairs get goes to choosing');

-- Neighbours: a row changes each distance by one at most; all else that is stored is the same if noisy numbers are.
CREATE FUNCTION neighbour(change text, what text, options jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	base text;
	now text;
	left_over int;
	most bigint;
	cells bigint;
	distances bigint;
BEGIN
	PERFORM probe_release('record');
	PERFORM synth_fit('many', epsilon => 1, options => options);
	base := stored('many');
	EXECUTE change;
	PERFORM probe_release('play');
	PERFORM synth_fit('many', epsilon => 1, options => options);
	now := stored('many');
	left_over := probe_release('off');
	SELECT max(n) FILTER (WHERE v <> 24), max(m) FILTER (WHERE v = 24), max(n) FILTER (WHERE v = 24) INTO cells, most, distances
	FROM (SELECT v, sum(abs(a - b)) AS n, max(abs(a - b)) AS m FROM unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v) GROUP BY v) s;
	RETURN NEXT is(cells, 1::bigint, what || ': one cell of a vector of counts differs by one');
	RETURN NEXT is(most, 1::bigint, what || ': each distance differs by one at most');
	RETURN NEXT cmp_ok(distances, '>', 100::bigint, what || ': most of them do');
	RETURN NEXT is(now, base, what || ': the same tensors, notes and rows');
	RETURN NEXT is(left_over, 0, what || ': the same questions');
END $$;
SELECT neighbour('INSERT INTO many SELECT * FROM many LIMIT 1', 'a row more');
SELECT neighbour('DELETE FROM many WHERE ctid = (SELECT max(ctid) FROM many)', 'a row less');

-- The audit of a whole fit, choice included.
SELECT format('CREATE TABLE copied AS SELECT %s', string_agg('0 AS c' || c, ', ')) FROM generate_series(1, 24) c \gexec
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('many', epsilon => 1) \g /dev/null
INSERT INTO many SELECT c.* FROM copied c, generate_series(1, 8);
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('many', epsilon => 1) \g /dev/null
SELECT sqrt(2 * rho) AS mu FROM synth_ledger WHERE model = 'many' LIMIT 1 \gset
SELECT probe_release('off') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '<=', :mu::float8, 'the audit lets it pass');
SELECT sqrt(2 * (s ->> 'rho')::float8) AS mu_of_choice FROM synth_ledger, jsonb_array_elements(steps) s WHERE model = 'many' AND s ->> 'query' LIKE 'distances%' LIMIT 1 \gset
SELECT cmp_ok(probe_audit(8, 400, 24), '<=', :mu_of_choice::float8, 'and choosing by itself');
SELECT probe_release('seven tenths') \g /dev/null
SELECT cmp_ok(probe_audit(8, 1000), '>', :mu::float8, 'it catches seven tenths of the noise');
SELECT probe_release('one distance') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400, 24), '>', :mu::float8, 'and distances with the noise of one');
SELECT probe_release('off') \g /dev/null

-- With a target.
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('many', model => 'aimed', epsilon => 1, options => '{"target": "c1"}') \g /dev/null
SELECT probe_release('off') \g /dev/null
SELECT is((SELECT count(*) FROM unnest(probe_counts('vector', 0)) v WHERE v = 24), 253::bigint, 'of a target, the distances are of pairs of others');
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM unnest(probe_counts('vector', 0)) v WHERE v > 24 GROUP BY v) s), '{64}'::bigint[], 'by its values');

-- 500 columns, and small budgets.
SELECT format('CREATE TABLE very_wide AS SELECT %s FROM (SELECT i, i %% 2 = 0 AS a, i %% 3 = 0 AS b FROM generate_series(1, 3000) i) r', string_agg(format(
	CASE WHEN c % 100 = 0 THEN 'a' WHEN c % 100 = 50 THEN 'b' ELSE 'i * %1$s %% 7 < 3' END || ' AS c%1$s', c), ', ' ORDER BY c)) FROM generate_series(1, 500) c \gexec
SELECT lives_ok($$SELECT synth_fit('very_wide', epsilon => 1)$$, '500 columns');
SELECT ok((SELECT notes::text ~ 'pairs are those of the 40 columns that vary most, of \d+' FROM gensynth.versions WHERE model = 'very_wide'), 'of which a note says which pairs are looked at');
SELECT is((SELECT count(*) FROM synth_sample(NULL::very_wide, 1000, seed => 1)), 1000::bigint, 'can be sampled');
SELECT lives_ok($$SELECT synth_fit('very_wide', model => 'noisy', epsilon => 0.01)$$, 'and with a small epsilon');
SELECT * FROM finish();
