-- Private fits with a target, for each value of which pairs are counted, and of wide numbers.
SELECT plan(32);
SET client_min_messages = warning;
CREATE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release';
CREATE FUNCTION probe_counts(what text, recording int) RETURNS bigint[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_counts';

-- No two columns go together, but any two say the third.
CREATE TABLE parity (a boolean NOT NULL, b boolean NOT NULL, odd boolean NOT NULL, other boolean NOT NULL);
INSERT INTO parity SELECT a, b, a <> b, i % 3 = 0 FROM generate_series(1, 2000) i, unnest('{t,f}'::boolean[]) a, unnest('{t,f}'::boolean[]) b;
SELECT synth_fit('parity', epsilon => 1) \g /dev/null
SELECT ok((SELECT avg((odd = (a <> b))::int) BETWEEN 0.4 AND 0.6 FROM synth_sample(NULL::parity, 4000, seed => 1)), 'pairs do not show what three columns do');
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('parity', epsilon => 1, options => '{"target": "odd"}') \g /dev/null
SELECT ok((SELECT avg((odd = (a <> b))::int) > 0.9 FROM synth_sample(NULL::parity, 4000, seed => 1)), 'pairs for each value of a target do');
SELECT ok((SELECT avg(odd::int) BETWEEN 0.45 AND 0.55 FROM synth_sample(NULL::parity, 4000, seed => 1)), 'which keeps its own share');
SELECT is((SELECT array_agg(n ORDER BY v) FROM (SELECT v, count(*) AS n FROM unnest(probe_counts('vector', 0)) v GROUP BY v) s WHERE v >= 4),
	'{8,8,8}'::bigint[], 'three pairs of others, by its two values');
SELECT ok(abs(rho - sum) < 1e-8 AND sum <= rho, 'steps cost what was charged')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s) FROM synth_ledger ORDER BY id DESC LIMIT 1) l;

-- Neighbours: the same noise handed in, the same tensors.
CREATE FUNCTION stored(source text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(t.name || t.type || t.shape::text || encode(t.data, 'hex'), ',' ORDER BY t.name)) FROM gensynth.tensors t
	WHERE t.model = source AND t.version = (SELECT max(version) FROM gensynth.versions v WHERE v.model = source)
$$;
CREATE TEMP TABLE base AS SELECT stored('parity') AS hash;
INSERT INTO parity VALUES (true, true, true, true);
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('parity', epsilon => 1, options => '{"target": "odd"}') \g /dev/null
SELECT is(probe_release('off'), 0, 'a row more: the same questions');
SELECT is(stored('parity'), hash, 'the same tensors') FROM base;
SELECT is((SELECT max(n) FROM (SELECT sum(abs(a - b)) AS n FROM unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v)
	GROUP BY v) s), 1::numeric, 'one cell of each vector differs by one');

-- Targets that cannot be, before anything is charged; and those that mean nothing.
CREATE TABLE marked (id int PRIMARY KEY, a boolean NOT NULL, b boolean NOT NULL);
SELECT throws_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "nobody"}')$$, '42703',
	'column "nobody" of option "target" is not learned', 'a target that is no column');
SELECT throws_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "id"}')$$, '42703',
	'column "id" of option "target" is not learned', 'a key');
SELECT throws_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "a"}', exclude => '{a}')$$, '42703',
	'column "a" of option "target" is not learned', 'a column that is excluded');
SELECT is((SELECT count(*) FROM synth_ledger WHERE relation = 'public.marked'), 0::bigint, 'nothing of that was charged');
SELECT throws_ok($$SELECT synth_fit('marked', options => '{"target": "a"}')$$, '22023', 'option "target" means nothing without epsilon', 'without epsilon');
SELECT lives_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "a"}')$$, 'an empty table');
INSERT INTO marked SELECT i, i % 2 = 0, i % 4 < 2 FROM generate_series(1, 4000) i;
SELECT lives_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "a"}')$$, 'one other column');
SELECT ok((SELECT notes::text LIKE '%not counted for each value of the target%' FROM gensynth.versions WHERE model = 'marked' ORDER BY version DESC LIMIT 1),
	'which a note says');

-- What was charged gives a model, whatever pairs ask for.
SELECT lives_ok($$SELECT synth_fit('marked', model => 'loud', epsilon => 51000, options => '{"target": "a"}')$$, 'noise of pairs that is out of range');
SELECT ok((SELECT notes::text LIKE '%no pairs are counted: epsilon is out of range for 1 of them%' FROM gensynth.versions WHERE model = 'loud'), 'is told');
CREATE TABLE many (a text NOT NULL, b text NOT NULL, level text NOT NULL);
INSERT INTO many SELECT 'a' || i % 400, 'b' || i % 397, 'level ' || i % 97 FROM generate_series(1, 40000) i;
SELECT probe_release('record') \g /dev/null
SELECT lives_ok($$SELECT synth_fit('many', epsilon => 3000, options => '{"target": "level"}')$$, 'more cells of pairs by levels of a target than there is memory for');
SELECT probe_release('off') \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM unnest(probe_counts('vector', 0))), '<', 4400000::bigint, 'are not counted');
SELECT ok((SELECT notes::text LIKE '%not counted for each value of the target%' FROM gensynth.versions WHERE model = 'many'), 'which a note says');
CREATE TABLE silent (a int NOT NULL CHECK (a BETWEEN 0 AND 9), b int NOT NULL CHECK (b BETWEEN 0 AND 9));
INSERT INTO silent SELECT i % 10, i % 9 FROM generate_series(1, 50) i;
SELECT synth_fit('silent', epsilon => 0.001) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::silent, 100, seed => 1) WHERE a BETWEEN 0 AND 9 AND b BETWEEN 0 AND 9), 100::bigint,
	'a budget that leaves nothing to be told apart gives a model all the same');

-- Columns by themselves, with the whole budget.
SELECT throws_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"target": "a", "pairs": false}')$$, '22023',
	'option "target" means nothing without pairs of columns', 'a target without pairs');
SELECT throws_ok($$SELECT synth_fit('marked', options => '{"pairs": false}')$$, '22023', 'option "pairs" means nothing without epsilon', 'no pairs without epsilon');
SELECT throws_ok($$SELECT synth_fit('marked', epsilon => 1, options => '{"pairs": 2}')$$, '22023', 'option "pairs" is out of range', 'pairs is true or false');
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('marked', epsilon => 1, options => '{"pairs": false}') \g /dev/null
SELECT probe_release('off') \g /dev/null
SELECT is((SELECT count(DISTINCT v) FROM unnest(probe_counts('vector', 0)) v), 2::bigint, 'one vector for each column, and no other');
SELECT ok(abs(rho - sum) < 1e-8 AND sum <= rho AND n = 2, 'which have the whole budget')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s), jsonb_array_length(steps) AS n
	FROM synth_ledger ORDER BY id DESC LIMIT 1) l;
SELECT ok((SELECT avg(a::int) BETWEEN 0.45 AND 0.55 AND avg((a AND b)::int) BETWEEN 0.2 AND 0.3 FROM synth_sample(NULL::marked, 4000, model => 'marked', seed => 1)), 'columns are drawn');

-- A number over 1,024 cells, most of them empty: what noise makes of these is not taken for rows.
CREATE TABLE far (gain int NOT NULL CHECK (gain BETWEEN 0 AND 99999), kind boolean NOT NULL);
INSERT INTO far SELECT CASE WHEN i % 10 = 0 THEN 2000 + i % 3000 ELSE 0 END, i % 2 = 0 FROM generate_series(1, 20000) i;
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('far', epsilon => 1) \g /dev/null
SELECT probe_release('off') \g /dev/null
SELECT is((SELECT array_agg(n ORDER BY v) FROM (SELECT v, count(*) AS n FROM unnest(probe_counts('vector', 0)) v GROUP BY v) s WHERE v < 2),
	ARRAY[1022, 32]::bigint[], 'a wide number is counted by blocks of cells too');
SELECT ok((SELECT bool_or(s ->> 'query' = 'rows by gain in blocks') FROM synth_ledger l, jsonb_array_elements(l.steps) s WHERE l.model = 'far'),
	'which stands in the ledger');
CREATE TABLE from_far AS SELECT * FROM synth_sample(NULL::far, 20000, seed => 1);
SELECT ok((SELECT avg((gain > 0)::int) BETWEEN 0.085 AND 0.115 FROM from_far), 'as many rows beyond 0 as there are');
SELECT ok((SELECT avg((gain > 10000)::int) < 0.02 FROM from_far), 'and hardly any where there are none');
SELECT * FROM finish();
