-- Differentially private fits: what they tell beside what is paid for.
\ir lib/as_role.sql
SELECT plan(174);
SET client_min_messages = warning;
CREATE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release';
CREATE FUNCTION probe_counts(what text, recording int) RETURNS bigint[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_counts';
CREATE FUNCTION probe_audit(copies int, runs int) RETURNS float8 LANGUAGE C STRICT AS 'gensynth', 'gs_probe_audit';

-- An audit that can fail: two tables that differ by 8 copies of a row.
CREATE TABLE audited (a int NOT NULL CHECK (a BETWEEN 0 AND 5), b int NOT NULL CHECK (b >= 0 AND b < 5),
	c text NOT NULL CHECK (c IN ('p', 'q', 'r', 's')), d boolean, e numeric(2,1) NOT NULL CHECK (e BETWEEN 0 AND 0.7));
INSERT INTO audited SELECT i % 5, i % 4, (ARRAY['p', 'q', 'r'])[1 + i % 3], i % 2 = 0, i % 7 / 10.0 FROM generate_series(1, 20000) i;
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('audited', epsilon => 1) \g /dev/null
INSERT INTO audited SELECT 5, 4, 's', NULL, 0.7 FROM generate_series(1, 8);
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('audited', epsilon => 1) \g /dev/null
SELECT sqrt(2 * rho) AS mu FROM synth_ledger WHERE model = 'audited' LIMIT 1 \gset
SELECT probe_release('off') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '<=', :mu::float8, 'the audit lets the noise pass');
SELECT probe_release('half') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '>', :mu::float8, 'it catches half of it');
SELECT probe_release('seven tenths') \g /dev/null
SELECT cmp_ok(probe_audit(8, 1000), '>', :mu::float8, 'and seven tenths');
SELECT probe_release('twice') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '>', :mu::float8, 'and rows that count twice');
SELECT probe_release('uncharged') \g /dev/null
SELECT cmp_ok(probe_audit(8, 700), '>', :mu::float8, 'and pairs that are not charged');
SELECT probe_release('off') \g /dev/null
SELECT ok(abs(rho - sum) < 1e-8 AND sum <= rho AND abs(rho - 0.024356) < 1e-6, 'steps cost what was charged, and it is the rho of (1, 1e-6)')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s) FROM synth_ledger WHERE model = 'audited' LIMIT 1) l;
SELECT is((SELECT array_agg(c ORDER BY i) FROM unnest(probe_counts('exact', 0)) WITH ORDINALITY u(c, i) WHERE i <= 6),
	ARRAY[4000, 4000, 4000, 4000, 4000, 0]::bigint[], 'counts are exact before the noise');
SELECT is((SELECT count(DISTINCT c) FROM unnest(probe_counts('vector', 0)) c), 15::bigint, 'one vector for each column, and for each pair');

-- The same of a whole fit with a canary in each kind of column, ends and texts that are found included, but for a text that is not told.
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE DOMAIN grade AS int CHECK (VALUE BETWEEN 1 AND 9);
CREATE TABLE canaries (id int UNIQUE, kind text CHECK (kind IN ('a', 'b', 'c')), ok boolean, age int, price numeric(4,1) CHECK (price BETWEEN 0 AND 99.9),
	ratio float8 CHECK (ratio BETWEEN -2 AND 2), day date, seen timestamptz, token uuid, small smallint NOT NULL,
	name text, label varchar(20), own uuid, big bigint, loose numeric, exact real, at timestamp, clock time, mood mood, grade grade, left_on date CHECK (left_on >= day));
INSERT INTO canaries SELECT CASE WHEN i % 2 = 0 THEN i END, (ARRAY['a', 'b'])[1 + i % 2], i % 3 > 0, i % 50, i % 30, sin(i), date '2020-01-01' + i % 300,
	'2020-01-01 UTC'::timestamptz + i * interval '1 h', '00000000-0000-4000-8000-000000000000', i % 9,
	'name ' || i % 4, 'label ' || i % 2, ('00000000-0000-4000-8000-00000000000' || i % 3)::uuid, i::bigint * 1000000, i / 7.0, i / 3.0, '2020-01-01'::timestamp + i * interval '1 min',
	'08:00'::time + i % 600 * interval '1 min', 'well', 1 + i % 8, date '2020-01-01' + i % 300 + i % 10 FROM generate_series(1, 9000) i;
CREATE TEMP TABLE by_kind AS SELECT '{"pairs": false, "categories": {"token": ["00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000001"]}}'::jsonb AS options;
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('canaries', epsilon => 1, options => options) FROM by_kind \g /dev/null
INSERT INTO canaries SELECT NULL, 'c', NULL, 1000000, 99.9, 2, '1900-01-01', '2050-01-01', '00000000-0000-4000-8000-000000000001', -30000,
	'name 0', 'secret', '00000000-0000-4000-8000-000000000000', 9e18, -1e30, 3.4e38, '0001-01-01', '23:59:59', 'ill', 9, '9999-12-31' FROM generate_series(1, 8);
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('canaries', epsilon => 1, options => options) FROM by_kind \g /dev/null
SELECT probe_release('off') \g /dev/null
SELECT sqrt(2 * rho) AS mu, jsonb_array_length(steps) AS steps FROM synth_ledger WHERE model = 'canaries' ORDER BY id DESC LIMIT 1 \gset
SELECT is((SELECT count(DISTINCT v) FROM unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v) WHERE a <> b),
	(:steps - 1)::bigint, 'canaries are in all that is counted, but the text that is not told');
SELECT cmp_ok(probe_audit(8, 300), '<=', :mu::float8, 'the audit lets the whole fit pass');
SELECT probe_release('half') \g /dev/null
SELECT cmp_ok(probe_audit(8, 300), '>', :mu::float8, 'and catches half its noise');
SELECT probe_release('off') \g /dev/null

-- Neighbours: the same noisy counts handed in, all else that is stored must be the same.
CREATE TABLE wards (id int PRIMARY KEY);
INSERT INTO wards SELECT generate_series(1, 9);
CREATE TABLE person (id int PRIMARY KEY, code text UNIQUE, number bigint UNIQUE, age int CHECK (age BETWEEN 0 AND 90), half int,
	kind text, remark varchar(9), price numeric(6,2), ratio float8, day date, seen timestamptz, ward int NOT NULL REFERENCES wards, ok boolean,
	CHECK (half >= -10 OR half < age), worth int GENERATED ALWAYS AS (age * 2) STORED);
INSERT INTO person SELECT i, 'code ' || i, i * 7, i % 90, i % 45, (ARRAY['in', 'out'])[1 + i % 2], 'x' || i % 3, i % 70, sin(i),
	date '2020-01-01' + i % 30, '2020-01-01 UTC'::timestamptz + i * interval '1 h', 1 + i % 9, i % 5 > 0
FROM generate_series(1, 300) i;
CREATE TEMP TABLE asked AS SELECT '{"bounds": {"half": [-10, 100], "price": [0, 1.5], "ratio": [-1.5, 1.5],
	"day": ["2020-01-01", "2020-02-01"], "seen": ["2020-01-01 00:00:00", "2020-01-01 00:00:00.0002"], "ward": [1, 9]},
	"categories": {"kind": ["in", "out"], "remark": ["x0", "x1", "x2"]}}'::jsonb AS options;
CREATE FUNCTION stored(source text, options jsonb, OUT hash text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
	v int;
BEGIN
	SELECT f.version INTO v FROM synth_fit(stored.source, epsilon => 1, options => stored.options) f;
	SELECT md5(string_agg(t.name || t.type || t.shape::text || encode(t.data, 'hex'), ',' ORDER BY t.name)),
		(SELECT string_agg(c.name || c.nullable || c.detail, ',' ORDER BY c.ordinal) FROM gensynth.columns c WHERE c.model = stored.source AND c.version = v) ||
		(SELECT string_agg(concat_ws(',', c.name, c.kind, c.columns, c.definition, c.expression, c.met), ';' ORDER BY c.ordinal)
			FROM gensynth.constraints c WHERE c.model = stored.source AND c.version = v) ||
		(SELECT concat_ws(',', versions.source, relation, method, seed, rows, sampled, versions.options, seconds, bytes, epsilon, delta, notes, ncolumns)
			FROM gensynth.versions WHERE model = stored.source AND versions.version = v)
	INTO hash, detail FROM gensynth.tensors t WHERE t.model = stored.source AND t.version = v;
END $$;
SELECT probe_release('record') \g /dev/null
CREATE TEMP TABLE base AS SELECT * FROM stored('person', (SELECT options FROM asked));
SELECT ok(length(detail) > 1000 AND length(hash) = 32, 'a model is stored') FROM base;

-- Of a change: whether all that is stored is the same, and by how much counts differ.
CREATE FUNCTION neighbour(change text, what text, source text DEFAULT 'person', options jsonb DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	now record;
	most bigint;
	cells bigint;
	left_over int;
BEGIN
	BEGIN
		EXECUTE change;
		PERFORM probe_release('play');
		SELECT * INTO now FROM stored(source, coalesce(options, CASE WHEN source = 'person' THEN (SELECT asked.options FROM asked) ELSE '{}' END));
		left_over := probe_release('off');
		SELECT max(abs(a - b)), max(n) INTO most, cells FROM (SELECT sum(abs(a - b)) AS n FROM
			unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v) GROUP BY v) s,
			unnest(probe_counts('exact', 0), probe_counts('exact', 1)) u(a, b);
		RAISE SQLSTATE 'GSNBR';
	EXCEPTION WHEN SQLSTATE 'GSNBR' THEN NULL;
	END;
	RETURN NEXT ok(most <= 1 AND cells <= 1, what || ': one cell of a vector differs by one at most');
	RETURN NEXT is(now.hash, (SELECT hash FROM base), what || ': the same tensors');
	RETURN NEXT is(now.detail, (SELECT detail FROM base), what || ': the same columns, constraints, notes and figures');
	RETURN NEXT is(left_over, 0, what || ': the same questions');
END $$;
SELECT neighbour('DELETE FROM person WHERE id = 1', 'a row less');
SELECT neighbour($$INSERT INTO person VALUES (301, 'code 301', 1000, 5, 5, 'in', 'x1', 1, 0.5, '2020-01-02', '2020-01-02', 1, true)$$,
	'an ordinary row');
SELECT neighbour('INSERT INTO person (id, ward) VALUES (302, 1)', 'a row of nulls');
SELECT neighbour($$INSERT INTO person VALUES (2147483647, repeat('long text ', 100), -9223372036854775808, 90, -2147483648, 'never seen',
	'odd', 9999.99, 'NaN', 'infinity', '4713-01-01 BC', 9, NULL)$$, 'a row of extremes');
SELECT neighbour($$INSERT INTO person VALUES (0, '', 0, 0, 2147483647, '', '', -0.01, '-Infinity', '-infinity', 'infinity', 2, false)$$,
	'a row of other extremes');
SELECT neighbour($$INSERT INTO person VALUES (303, 'x', 5000, 44, 1, 'IN', 'x0 ', 3.33, 1.23456789, '0001-01-01', '9999-12-31', 3, true)$$,
	'a row of decimals, that breaks what columns say of each other');

-- The same of columns that nobody has declared.
CREATE TABLE anybody (id int PRIMARY KEY, age int, level int CHECK (level >= 0), amount numeric, price numeric(8,2), ratio float8, small real, day date,
	seen timestamptz, kind text, short varchar(4), token uuid, gone int, never text, until date CHECK (until >= day));
INSERT INTO anybody SELECT i, i % 90, i % 7, i % 500 / 4.0, i % 300, (i % 200 - 100) / 8.0, i % 3, date '2020-01-01' + i % 900,
	'2020-01-01 UTC'::timestamptz + i * interval '1 h', (ARRAY['in', 'out'])[1 + i % 2], 'v' || i % 3, ('00000000-0000-4000-8000-00000000000' || i % 2)::uuid,
	NULL, NULL, date '2020-01-01' + i % 900 + i % 20 FROM generate_series(1, 6000) i;
DROP TABLE base;
SELECT probe_release('record') \g /dev/null
CREATE TEMP TABLE base AS SELECT * FROM stored('anybody', '{}');
SELECT neighbour('DELETE FROM anybody WHERE id = 1', 'undeclared, a row less', 'anybody');
SELECT neighbour('INSERT INTO anybody (id) VALUES (6001)', 'undeclared, a row of nulls', 'anybody');
SELECT neighbour($$INSERT INTO anybody VALUES (6001, 2147483647, 2147483647, 1e100, 999999.99, 1.7e308, 'NaN', 'infinity', '4713-01-01 BC', repeat('x', 2000),
	'?', gen_random_uuid(), -2147483648, 'secret', 'infinity')$$, 'undeclared, a row of extremes', 'anybody');
SELECT neighbour($$INSERT INTO anybody VALUES (6001, -2147483648, 0, 'NaN', -0.01, -5e-324, '-Infinity', '0001-01-01', '294276-12-31', '', '', gen_random_uuid(), 0, '', '5874897-12-31')$$,
	'undeclared, a row of other extremes', 'anybody');
CREATE TABLE from_anybody AS SELECT * FROM synth_sample(NULL::anybody, 6000, seed => 1);
SELECT ok((SELECT min(age) >= -1 AND max(age) BETWEEN 60 AND 128 AND min(level) >= 0 AND max(level) <= 8 AND max(amount) BETWEEN 60 AND 256
	AND max(price) BETWEEN 150 AND 512 AND min(ratio) BETWEEN -16 AND -6 AND max(ratio) BETWEEN 6 AND 16
	AND min(day) >= '1999-01-01' AND max(day) BETWEEN '2021-01-01' AND '2031-12-31' AND min(until - day) >= 0 FROM from_anybody), 'ends of numbers and dates are found');
SELECT is((SELECT array_agg(DISTINCT kind ORDER BY kind) FROM from_anybody WHERE kind IS NOT NULL), ARRAY['in', 'out'], 'levels are found');
SELECT ok((SELECT count(gone) < 600 AND count(never) = 0 FROM from_anybody), 'columns without values are null');
SELECT is((SELECT count(*) FROM gensynth.tensors WHERE position('secret'::bytea IN data) > 0), 0::bigint, 'a value of one row is nowhere');
SELECT ok(abs(rho - sum) < 1e-8 AND abs(delta - 1e-7) < 1e-12, 'what steps cost adds up, deltas of thresholds too')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s),
	(SELECT sum((s ->> 'delta')::float8) FROM jsonb_array_elements(steps) s) AS delta FROM synth_ledger WHERE model = 'anybody' LIMIT 1) l;
-- A value that one row has is told hardly as often as delta's share says: 30,000 of them, and hardly any noise.
CREATE TABLE rare AS SELECT CASE WHEN i > 30000 THEN 'often' ELSE 'once ' || i END AS v FROM generate_series(1, 31000) i;
SELECT synth_fit('rare', epsilon => 3, delta => 0.01) \g /dev/null
SELECT ok((detail ->> 'levels')::int - 1 BETWEEN 1 AND 30000 * 0.001 + 4 * sqrt(30), 'single values are told as seldom as promised') FROM synth_columns('rare');
CREATE TABLE unlike (name text NOT NULL);
INSERT INTO unlike SELECT 'name ' || i FROM generate_series(1, 2000) i;
SELECT throws_ok($$SELECT synth_fit('unlike', epsilon => 1)$$, '22023', 'no value of column "name" is held by enough rows to be told', 'values of one row each');
-- More values than are kept, all with the same count and hardly any noise: those that come first by their bytes.
CREATE TABLE alike AS SELECT 'v' || lpad((i * 7919 % 10500)::text, 5, '0') AS v FROM generate_series(0, 10499) i, generate_series(1, 6);
ALTER TABLE alike ALTER v SET NOT NULL;
SELECT synth_fit('alike', epsilon => 1000, delta => 0.01) \g /dev/null
SELECT is((SELECT array_agg(v ORDER BY v) FROM (SELECT r ->> 'v' AS v FROM synth_sample('alike', 200000, seed => 1) r GROUP BY 1) s WHERE v >= 'v09995'),
	ARRAY['v09995', 'v09996', 'v09997', 'v09998', 'v09999'], 'of values with the same count, those that come first are kept');
CREATE TABLE documents (document jsonb, list int[], place point);
SELECT throws_ok($$SELECT synth_fit('documents', epsilon => 1)$$, '22023',
	'the values of columns "document" (jsonb), "list" (integer[]), "place" (point) cannot be found with epsilon', 'values of other types');
SELECT synth_fit('anybody', model => 'share', epsilon => 1, options => '{"domain_share": 0.4}') \g /dev/null
SELECT ok((SELECT abs(sum((s ->> 'rho')::float8) FILTER (WHERE s ->> 'query' LIKE 'ends of %') / max(rho) - 0.4) < 1e-3
	AND abs(sum((s ->> 'rho')::float8) - max(rho)) < 1e-8 FROM synth_ledger, jsonb_array_elements(steps) s WHERE model = 'share'), 'domain_share goes to ends');
SELECT throws_ok('SELECT synth_fit(''anybody'', epsilon => 1, options => ''{"domain_share": ' || v || '}'')', '22023', 'option "domain_share" is out of range',
	'domain_share ' || v) FROM unnest(ARRAY['0', '-0.1', '0.91', '2', '"a"', 'null']) v;
SELECT throws_ok($$SELECT synth_fit('anybody', options => '{"domain_share": 0.2}')$$, '22023', 'option "domain_share" means nothing without epsilon', 'nor without epsilon');
SELECT lives_ok($$SELECT synth_fit('anybody', epsilon => 0.01, exclude => '{kind,short}')$$, 'a small epsilon');
CREATE TABLE emptied AS SELECT * FROM anybody LIMIT 0;
SELECT lives_ok($$SELECT synth_fit('emptied', epsilon => 1)$$, 'an empty table of undeclared columns');
SELECT lives_ok($$SELECT count(*) FROM synth_sample(NULL::emptied, 100)$$, 'can be sampled');

-- Numbers of all sizes, dates of years 1 and 9999, infinities, levels that a collation calls equal; one row.
CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE sizes (below int, tiny float8, huge float8, same int, same_down numeric, big bigint, small numeric(12,8), early date, late date, never float8, forever timestamptz,
	word text COLLATE alike);
INSERT INTO sizes SELECT -1000 - i % 100, (1 + i % 7) * 1e-300, (1 + i % 5) * -1e300, 42, -7.25, 9000000000000000000 - i, (i % 90) / 1e8, '0001-01-01', '9999-12-31',
	CASE WHEN i % 2 = 0 THEN 'infinity'::float8 ELSE i % 10 END, CASE WHEN i % 2 = 0 THEN 'infinity'::timestamptz ELSE '2020-01-01' END, (ARRAY['in', 'IN', 'In'])[1 + i % 3] FROM generate_series(1, 9000) i;
SELECT synth_fit('sizes', epsilon => 2) \g /dev/null
CREATE TABLE sized AS SELECT * FROM synth_sample(NULL::sizes, 3000, seed => 1);
SELECT ok(min(below) >= -2048 AND max(below) <= -512 AND min(tiny) >= 5e-301 AND max(tiny) <= 2e-299 AND min(huge) >= -1e301 AND max(huge) <= -5e299 AND min(big) > 4e18 AND max(small) < 2e-6
	AND max(never) <= 16 AND min(early) >= '0100-01-01 BC' AND max(early) <= '0600-01-01' AND max(late) <= '13000-12-31' AND min(late) >= '6000-01-01' AND max(forever) < 'infinity', 'ends of all sizes are found') FROM sized;
SELECT ok(avg((same = 42)::int) > 0.9 AND avg((abs(same_down + 7.25) < 0.01)::int) > 0.9 AND count(same) = count(same_down), 'and what is constant') FROM sized WHERE same IS NOT NULL AND same_down IS NOT NULL;
SELECT is(array_agg(DISTINCT word COLLATE "C" ORDER BY word COLLATE "C"), '{IN,In,in}', 'what is equal by a collation alone is not the same') FROM sized WHERE word IS NOT NULL;
CREATE TABLE single AS SELECT * FROM sizes LIMIT 1;
SELECT lives_ok($$SELECT synth_fit('single', epsilon => 1)$$, 'one row of undeclared columns');
SELECT throws_ok($$SELECT synth_fit('single', epsilon => 1, columns => '{}')$$, '22023', NULL, 'nothing left to learn');
SELECT throws_ok('SELECT synth_fit(''single'', epsilon => 1, options => ''{"privacy_unit": "word", "max_rows_per_unit": ' || n || '}'')', '22023', 'option "max_rows_per_unit" is out of range', n || ' rows of a unit')
FROM unnest('{-1,1001,1.5}'::text[]) n;

-- Neighbours by units, of which so many rows count.
CREATE TABLE visits (patient text, days int, kind text, ok boolean);
INSERT INTO visits SELECT 'p' || i % 3000, i % 50, (ARRAY['a', 'b', 'c'])[1 + i % 3], i % 7 = 0 FROM generate_series(1, 12000) i;
CREATE TEMP TABLE by_patient AS SELECT '{"privacy_unit": "patient"}'::jsonb AS options;
DROP TABLE base;
SELECT probe_release('record') \g /dev/null
CREATE TEMP TABLE base AS SELECT * FROM stored('visits', (SELECT options FROM by_patient));
SELECT neighbour($$INSERT INTO visits SELECT 'another', i, 'secret', true FROM generate_series(1, 10000) i$$, 'a unit of 10,000 rows more', 'visits',
	(SELECT options FROM by_patient));
SELECT neighbour($$DELETE FROM visits WHERE patient = 'p17'$$, 'a unit less', 'visits', (SELECT options FROM by_patient));
SELECT neighbour('INSERT INTO visits SELECT NULL, 1, ''secret'', true FROM generate_series(1, 5000) i', 'rows of nobody', 'visits',
	(SELECT options FROM by_patient));
SELECT ok((SELECT rows BETWEEN 2000 AND 4000 FROM synth_models WHERE model = 'visits' AND current), 'one row of each unit counts');
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('visits', epsilon => 1, options => '{"privacy_unit": "patient", "max_rows_per_unit": 3}') \g /dev/null
INSERT INTO visits SELECT 'another', 49, 'a', true FROM generate_series(1, 100) i;
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('visits', epsilon => 1, options => '{"privacy_unit": "patient", "max_rows_per_unit": 3}') \g /dev/null
SELECT probe_release('off') \g /dev/null
SELECT is((SELECT max(n) FROM (SELECT sum(abs(a - b)) AS n FROM unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v)
	GROUP BY v) s), 3::numeric, 'or three of each');
SELECT sqrt(2 * rho) AS mu FROM synth_ledger ORDER BY id DESC LIMIT 1 \gset
SELECT cmp_ok(probe_audit(1, 1000), '<=', :mu::float8, 'which the noise is made for');

-- Budgets for the rows of persons, and for single rows.
SELECT throws_ok('SELECT synth_budget(''visits'', 100, unit => ''' || u || ''')', s, m, 'a budget by ' || u) FROM (VALUES
	('nobody', '42703', 'column "nobody" of table public.visits does not exist'),
	('ctid', '42703', 'column "ctid" of table public.visits does not exist'),
	('', '42703', 'column "" of table public.visits does not exist'),
	('days', '55000', 'public.visits was learned with other units than "days"')) AS bad(u, s, m);
SELECT lives_ok($$SELECT synth_budget('visits', 100, 1e-4, unit => 'patient')$$, 'a budget by the unit of all fits');
SELECT is((SELECT unit FROM synth_budgets WHERE relation = 'public.visits'), 'patient', 'is shown');
SELECT is((SELECT array_agg(DISTINCT unit) FROM synth_ledger WHERE relation = 'public.visits'), '{patient}', 'as are the units of fits');
SELECT spent AS by_patient FROM synth_budgets WHERE relation = 'public.visits' \gset
SELECT count(*) AS charged FROM synth_ledger \gset
SELECT throws_ok('SELECT synth_fit(''visits'', epsilon => 0.1, options => ''' || o || ''')', '55000',
	'privacy budget of public.visits is for all rows of each "patient"', 'which refuses ' || o)
FROM (VALUES ('{}'), ('{"privacy_unit": "days"}')) AS bad(o);
SELECT is((SELECT count(*) FROM synth_ledger), :charged::bigint, 'and charges nothing');
SELECT lives_ok($$SELECT synth_fit('visits', epsilon => 0.1, options => '{"privacy_unit": "patient", "max_rows_per_unit": 2}')$$, 'fits by patients are let pass');
CREATE TABLE late_visits () INHERITS (visits);
SELECT throws_ok($$SELECT synth_fit('late_visits', epsilon => 0.1)$$, '55000', NULL, 'tables that inherit are of the same account');
SELECT throws_ok($$SELECT synth_budget('late_visits', 100, unit => 'days')$$, '55000', NULL, 'whichever the budget is of');
DROP TABLE late_visits;
SELECT lives_ok($$SELECT synth_budget('visits', 1000, 1e-4)$$, 'a budget for single rows');
SELECT ok((SELECT unit IS NULL AND spent > :by_patient FROM synth_budgets WHERE relation = 'public.visits'), 'counts fits by patients twice');
SELECT lives_ok($$SELECT synth_fit('visits', epsilon => 0.1, options => '{"privacy_unit": "patient"}')$$, 'and lets them pass');
SELECT lives_ok($$SELECT synth_budget('visits', 1000, 1e-4, unit => 'patient')$$, 'as does one for patients, after these alone');
SELECT synth_budget('visits', 1000, 1e-4) \g /dev/null
SELECT lives_ok($$SELECT synth_fit('visits', epsilon => 0.1)$$, 'a fit by rows');
SELECT throws_ok($$SELECT synth_budget('visits', 1000, 1e-4, unit => 'patient')$$, '55000', 'public.visits was learned with other units than "patient"',
	'after which there is no promise for patients');
SELECT throws_ok('SELECT synth_fit(''visits'', epsilon => 1, exclude => ''{days}'', options => ''' || o || ''')', s, m, o) FROM (VALUES
	('{"privacy_unit": "nobody"}', '42703', 'column "nobody" of option "privacy_unit" is not learned'),
	('{"privacy_unit": "days"}', '42703', 'column "days" of option "privacy_unit" is not learned'),
	('{"privacy_unit": 5}', '22023', 'option "privacy_unit" must be the name of a column'),
	('{"privacy_unit": "patient", "max_rows_per_unit": 0}', '22023', 'option "max_rows_per_unit" is out of range')) AS bad(o, s, m);
CREATE TABLE measured AS SELECT random() AS unit, true AS a;
SELECT throws_ok($$SELECT synth_budget('measured', 1, unit => 'unit')$$, '22023', 'column "unit" of type double precision cannot be a unit', 'a budget by floats');
SELECT throws_ok($$SELECT synth_fit('measured', epsilon => 1, options => '{"privacy_unit": "unit"}')$$, '22023',
	'option "privacy_unit" names column "unit" of type double precision', 'a unit of floats');
SELECT throws_ok('SELECT synth_fit(''visits'', options => ''' || o || ''')', '22023', m, 'without epsilon: ' || o) FROM (VALUES
	('{"privacy_unit": "patient"}', 'option "privacy_unit" means nothing without epsilon'),
	('{"bounds": {"days": [0, 1]}}', 'option "bounds" means nothing without epsilon')) AS bad(o, m);

-- Ends of the range of rows.
CREATE TABLE nobody (id int PRIMARY KEY, age int NOT NULL CHECK (age BETWEEN 0 AND 99), kind text CHECK (kind IN ('a', 'b')));
SELECT lives_ok($$SELECT synth_fit('nobody', epsilon => 1)$$, 'an empty table gives a model');
SELECT ok((SELECT count(*) = 500 AND count(DISTINCT id) = 500 AND min(age) >= 0 AND max(age) < 100 FROM synth_sample(NULL::nobody, 500)),
	'which is sampled');
INSERT INTO nobody VALUES (1, 50, 'a');
SELECT lives_ok($$SELECT synth_fit('nobody', epsilon => 1)$$, 'and so does one row');
CREATE TABLE only_keys (id int PRIMARY KEY, token uuid UNIQUE, name varchar(5) UNIQUE, bits bit(12) UNIQUE, bytes bytea UNIQUE);
INSERT INTO only_keys SELECT i, gen_random_uuid(), i, i::bit(12), int4send(i) FROM generate_series(1, 2000) i;
SELECT lives_ok($$SELECT synth_fit('only_keys', epsilon => 3)$$, 'nothing but keys');
SELECT ok((SELECT count(*) = 1000 AND count(DISTINCT id) = 1000 AND min(id) = 1 AND count(DISTINCT token) = count(token)
	AND bool_and(token::text ~ '^.{14}4') AND count(DISTINCT name) = count(name) AND count(DISTINCT bits) = count(bits) AND count(DISTINCT bytes) = count(bytes)
	FROM synth_sample(NULL::only_keys, 1000, seed => 1)), 'which are made by type');
SELECT ok((SELECT rows BETWEEN 1900 AND 2100 FROM synth_models WHERE model = 'only_keys'), 'the number of rows is a noisy one');

-- What comes out: shares as they were, nothing undeclared.
SELECT ok((SELECT rows BETWEEN 0 AND 1000 AND seconds IS NULL AND epsilon = 1 FROM synth_models WHERE model = 'person' AND current),
	'the row count is noisy, and no time is told');
SELECT ok((SELECT seed IS NULL AND sampled IS NULL AND seconds IS NULL AND delta = 1e-6 FROM gensynth.versions WHERE model = 'person' LIMIT 1),
	'no seed, no sample, no time is stored');
CREATE TABLE wide AS SELECT i % 100 AS age, CASE WHEN i % 10 = 0 THEN 1000 + i % 5000 ELSE 0 END AS gain, (ARRAY['a', 'b', 'b', NULL])[1 + i % 4] AS kind
FROM generate_series(1, 20000) i;
SELECT synth_fit('wide', epsilon => 1, options => '{"bounds": {"age": [0, 99], "gain": [0, 99999]}, "categories": {"kind": ["b", "a", "c"]}}') \g /dev/null
SELECT synth_fit('wide', method => 'tree', model => 'tree of wide', epsilon => 1,
	options => '{"bounds": {"age": [0, 99], "gain": [0, 99999]}, "categories": {"kind": ["b", "a", "c"]}}') \g /dev/null
SELECT ok((SELECT abs(avg((r ->> 'age')::int) - 49.5) < 2 AND abs(avg((r ->> 'kind' = 'b')::int) - 2 / 3.0) < 0.03 FROM synth_sample('tree of wide', 20000) r),
	'another method learns from rows of the mixture');
SELECT ok((SELECT epsilon = 1 AND method = 'tree' FROM synth_models WHERE model = 'tree of wide'), 'and is as private');
SELECT lives_ok($$SELECT synth_fit('wide', method => 'gan', model => 'net of wide', epsilon => 1, options => '{"steps": 20}')$$,
	'a network that begins far from the rows gives a model, too: it is paid for');
CREATE TABLE made AS SELECT * FROM synth_sample(NULL::wide, 20000, model => 'wide', seed => 1);
SELECT ok((SELECT abs(avg(age) - 49.5) < 1 AND min(age) >= 0 AND max(age) <= 99 FROM made), 'a number');
SELECT ok((SELECT abs(avg((gain = 0)::int) - 0.9) < 0.02 AND min(gain) >= 0 AND max(gain) <= 99999 FROM made), 'zero is a cell of its own');
SELECT ok((SELECT abs(avg((kind = 'b')::int) - 2 / 3.0) < 0.02 AND abs(avg((kind IS NULL)::int) - 0.25) < 0.02 FROM made), 'levels and nulls');
SELECT is((SELECT array_agg(DISTINCT kind ORDER BY kind) <@ ARRAY['a', 'b', 'c'] FROM made WHERE kind IS NOT NULL), true, 'levels are those that were declared');

-- Bad input, before anything is charged.
SELECT count(*) AS charged FROM synth_ledger \gset
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => ' || e || ')', '22023', 'epsilon must be a number above 0', 'epsilon ' || e)
FROM unnest(ARRAY['0', '-1', '''NaN''', '''Infinity''']) e;
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => 1, delta => ' || d || ')', '22023', 'delta must be from 1e-30 to 0.01', 'delta ' || d)
FROM unnest(ARRAY['0', '0.02', '-1', '''NaN''', '1e-300', '9e-31']) d;
SELECT throws_ok($$SELECT synth_fit('nobody', delta => 1e-6)$$, '22023', 'delta means nothing without epsilon', 'delta alone');
SELECT throws_ok($$SELECT synth_fit('nobody', epsilon => 1, seed => 1)$$, '22023', 'seed cannot be used together with epsilon', 'a seed');
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => 1, options => ''{"' || o || '": ' || v || '}'')', '22023',
	'option "' || o || '" cannot be used together with epsilon', 'option ' || o)
FROM (VALUES ('rare_threshold', '5'), ('max_rows', '1000'), ('refine', '0'), ('context', '["age"]'), ('public', '1')) AS option(o, v);
SELECT throws_ok($$SELECT synth_fit('nobody', method => 'vae', epsilon => 1, options => '{"warm_start": true}')$$, '22023',
	'option "warm_start" cannot be used together with epsilon', 'a warm start');
SELECT throws_ok($$SELECT synth_fit('nobody', method => 'private')$$, '22023', 'method "private" needs epsilon', 'method private without epsilon');
CREATE TEMP TABLE passing (a boolean);
SELECT throws_ok($$SELECT synth_fit('passing', epsilon => 1, model => 'p')$$, '0A000', 'temporary tables cannot be learned with epsilon', 'a temporary table');
SELECT throws_ok('SELECT synth_fit(''wide'', epsilon => 1, options => ''' || o || ''')', s, m, o) FROM (VALUES
	('{"bounds": {"age": [9, 1], "gain": [0, 1]}, "categories": {"kind": ["a"]}}', '22023', 'option "bounds" of column "age" leaves no values'),
	('{"bounds": {"age": [9], "gain": [0, 1]}}', '22023', 'option "bounds" of column "age" is not a pair of values'),
	('{"bounds": {"age": []}}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": {"age": [0, null]}}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": 5}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": {"age": ["old", 1]}}', '22023', '"old" in option "bounds" is no value of column "age" of type integer'),
	('{"bounds": {"kind": ["a", "b"]}}', '22023', 'option "bounds" names column "kind" of type text, whose values are no numbers'),
	('{"bounds": {"nobody": [0, 1]}}', '42703', 'column "nobody" of option "bounds" is not learned'),
	('{"categories": {"nobody": ["a"]}}', '42703', 'column "nobody" of option "categories" is not learned'),
	('{"categories": {"kind": ["a", "b", "a"]}}', '22023', 'option "categories" of column "kind" has a value twice'),
	('{"categories": {"kind": "a"}}', '22023', 'option "categories" must be an object of lists of values by column'),
	('{"bounds": {"age": [0, 1]}, "categories": {"age": [1, 2]}}', '22023', 'option "categories" of column "age" is in option "bounds" too')) AS bad(o, s, m);
SELECT is((SELECT count(*) FROM synth_ledger), :charged::bigint, 'nothing of that was charged');

-- Rights: who may not read a table cannot spend its budget; policies hold.
CREATE ROLE private_reader;
CREATE TABLE guarded (who text CHECK (who IN ('mine', 'theirs')));
INSERT INTO guarded SELECT CASE WHEN i % 2 = 0 THEN 'mine' ELSE 'theirs' END FROM generate_series(1, 2000) i;
SELECT is(as_role('private_reader', $$SELECT synth_fit('guarded', epsilon => 1)$$), '42501', 'no right to read');
SELECT is((SELECT count(*) FROM synth_ledger WHERE relation = 'public.guarded'), 0::bigint, 'is nothing to be charged');
GRANT SELECT ON guarded TO private_reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded USING (who = 'mine');
SELECT is(as_role('private_reader', $$SELECT synth_fit('guarded', epsilon => 3, model => 'by_reader')$$), 'no error', 'a reader may fit');
SELECT ok((SELECT avg((r ->> 'who' = 'mine')::int) > 0.95 FROM synth_sample('by_reader', 1000) r), 'the rows that policies show');
SELECT * FROM finish();
DROP OWNED BY private_reader;
DROP ROLE private_reader;
