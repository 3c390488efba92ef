-- Keys: columns that are unique by themselves stay so.
BEGIN;
SELECT plan(80);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT setseed(0.4) \g /dev/null

CREATE FUNCTION pg_temp.fit(name text) RETURNS text[] LANGUAGE sql AS
	$$ SELECT notes FROM synth_fit(name, seed => 1) $$;
-- How a column is understood: its keys, and how many there are.
CREATE FUNCTION pg_temp.keys(model text, col text) RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', detail ->> 'model', detail ->> 'keys', detail ->> 'space') FROM synth_columns(model) WHERE name = col $$;

-- Distinct values of a column, and those that two tables share.
CREATE FUNCTION pg_temp.distinct_values(of regclass, col text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT %I FROM %s) AS s', col, of) INTO n;
	RETURN n;
END $$;
CREATE FUNCTION pg_temp.shared_values(a regclass, b regclass, col text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT %1$I FROM %2$s INTERSECT SELECT %1$I FROM %3$s) AS s', col, a, b) INTO n;
	RETURN n;
END $$;

-- A column of every type that has keys, and every kind of them.
CREATE TYPE label AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');
CREATE DOMAIN even AS bigint CHECK (VALUE % 2 = 0);
CREATE DOMAIN odd_sum AS int CHECK (VALUE % 10 <> 3);
CREATE TABLE x AS
SELECT g AS i4, (5000 + 3 * g)::bigint AS i8, 100000000 + 299000 * g + (random() * 298999)::int AS sparse,
	g::numeric AS n, 1000 + g * 12.25 + round((random() * 12)::numeric, 2) AS n2, (g * 100)::money AS m,
	md5(g::text)::uuid AS u, 'ORD-' || lpad(g::text, 6, '0') AS padded, 'C' || g || '/x' AS counter,
	(g::bigint * 48271 % 9999991)::text AS digits,
	chr(65 + g % 26) || chr(65 + g / 26 % 26) || '-' || lpad((g * 7919 % 1000000)::text, 6, '0') || '-é' AS pattern,
	md5((g + 1)::text)::char(40) AS hash,
	(ARRAY['anna', 'bob', 'carla'])[1 + g % 3] || (ARRAY['.smith', '.jones'])[1 + g / 3 % 2] || substr(md5(g::text), 1, 1 + g % 9) || g / 6
		|| '@' || (ARRAY['example.org', 'mail.com'])[1 + g % 2] AS email,
	repeat(chr(97 + g % 26), 1 + g % 7) || chr(97 + g / 26 % 26) || g || CASE WHEN g % 3 = 0 THEN '_' ELSE '' END AS nick,
	(chr(65 + g % 26) || repeat('QX', g % 3) || '-' || g)::varchar(10) AS v10,
	date '2000-01-01' + g AS d, timestamp '2020-01-01' + g * interval '1 day' + floor(random() * 86400) * interval '1 s' AS ts,
	timestamptz '2020-01-01 00:00Z' + g * interval '1 hour' AS tstz, time '00:00' + g * interval '17 us' AS t,
	random() AS f8, (random() * 1e9)::float4 AS f4, g * 0.25::float8 AS quarters,
	substr(md5(g::text), 1, 12)::macaddr AS mac, substr(md5(g::text), 1, 16)::macaddr8 AS mac8,
	decode(md5(g::text), 'hex') AS bytes, substr(decode(md5(g::text), 'hex'), 1, 5) AS bytes5, g::bit(24) AS bits,
	(g * 2)::even AS even, (1000000 + g * 3701 + CASE WHEN g % 10 = 3 THEN 1 ELSE 0 END)::odd_sum AS checked,
	g % 5 AS other
FROM generate_series(1, 2000) AS g;
DO $$
DECLARE
	c text;
BEGIN
	FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'x'::regclass AND attnum > 0 AND attname <> 'other' LOOP
		EXECUTE format('CREATE UNIQUE INDEX ON x (%I)', c);
	END LOOP;
END $$;
SELECT is(pg_temp.fit('x'), '{}', 'no notes');
SELECT is((SELECT string_agg(name || ' ' || (detail ->> 'keys'), ', ' ORDER BY ordinal) FROM synth_columns('x') WHERE detail ->> 'model' = 'key'),
	'i4 sequence, i8 sequence, sparse range, n sequence, n2 range, m sequence, u uuid, padded sequence, counter sequence, digits range, '
	'pattern pattern, hash pattern, email text, nick text, v10 text, d sequence, ts range, tstz sequence, t sequence, f8 range, f4 range, '
	'quarters sequence, mac range, mac8 range, bytes bits, bytes5 bits, bits bits, even sequence, checked range', 'kinds of keys');
SELECT is((SELECT string_agg(name, ',') FROM synth_columns('x') WHERE detail ->> 'model' = 'key' AND (detail ->> 'space')::numeric < 1e5), NULL,
	'each has room');

-- All distinct, in one call and across calls, which two of 1e5 rows far apart stand for.
CREATE TABLE xs AS
SELECT * FROM synth_sample(NULL::x, 1e5, seed => 7);
SELECT is(pg_temp.distinct_values('xs', name), 100000::bigint, name || ': 1e5 distinct values')
FROM synth_columns('x') WHERE detail ->> 'model' = 'key' ORDER BY ordinal;
CREATE TABLE far AS SELECT * FROM synth_sample(NULL::x, 3e4, seed => 7, start => 100001);
SELECT is((SELECT string_agg(name, ',') FROM synth_columns('x')
	WHERE detail ->> 'model' = 'key' AND pg_temp.shared_values('xs', 'far', name) > 0), NULL, 'nor does a call with another start repeat any');
SELECT is((SELECT count(*) FROM (SELECT * FROM far WHERE i4 <= 110000 EXCEPT SELECT * FROM synth_sample(NULL::x, 1e4, seed => 7, start => 100001)) AS s),
	0::bigint, 'the same seed gives the same rows');
CREATE TABLE other_seed AS SELECT * FROM synth_sample(NULL::x, 100, seed => 8);
CREATE TABLE one_seed AS SELECT * FROM synth_sample(NULL::x, 100, seed => 7);
SELECT is((SELECT string_agg(name, ',') FROM synth_columns('x') WHERE detail ->> 'model' = 'key' AND detail ->> 'keys' <> 'sequence'
	AND pg_temp.shared_values('one_seed', 'other_seed', name) > 20), NULL, 'another seed gives others');

-- What they look like.
SELECT results_eq('SELECT i4, i8, n, padded, counter, d, even::bigint FROM xs LIMIT 2', $$VALUES
	(1, 5003::bigint, 1::numeric, 'ORD-000001', 'C1/x', date '2000-01-02', 2::bigint),
	(2, 5006, 2, 'ORD-000002', 'C2/x', date '2000-01-03', 4)$$, 'sequences count on from the source''s least');
SELECT ok((SELECT bool_and(pattern ~ '^[A-Z]{2}-\d{6}-é$' AND rtrim(hash) ~ '^[0-9a-f]{32}$' AND digits ~ '^\d+$') FROM xs), 'formats are kept');
SELECT ok((SELECT avg((email ~ '^[^@]+[0-9a-z]{6}@[a-z.]+$')::int) > 0.98 FROM xs), 'e-mail addresses stay so');
SELECT ok((SELECT bool_and(length(v10) <= 10) FROM xs), 'the length of a varchar');
SELECT ok((SELECT bool_and(u::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') FROM xs), 'version 4 uuids');
SELECT ok((SELECT bool_and(extract(microseconds FROM ts)::bigint % 1000000 = 0 AND n2 = round(n2, 2)) FROM xs), 'the resolution of the source');
SELECT ok((SELECT min(sparse) < 100500000 AND max(sparse) > 999000000 FROM xs), 'a range is rounded to its digits');
SELECT is((SELECT count(*) FROM (SELECT email FROM xs INTERSECT SELECT email FROM x) AS s)
	+ (SELECT count(*) FROM (SELECT nick FROM xs INTERSECT SELECT nick FROM x) AS s), 0::bigint, 'no natural key of the source comes out');
SELECT ok((SELECT detail::text !~ '(least|most)' FROM synth_columns('x') WHERE name = 'sparse'), 'the range is not told');
CREATE TABLE clone (LIKE x INCLUDING ALL);
SELECT lives_ok('CALL synth_into(''clone'', 2e4, model => ''x'', seed => 3)', 'a clone takes the rows');

-- Which columns are keys.
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 200);
CREATE TABLE which AS SELECT g AS plain, g AS partial, g AS expression, g AS first, g AS second, g AS child, g AS including,
	g AS deferred, int4range(g, g + 1) AS range, g::text AS txt, 7 AS constant FROM generate_series(1, 200) AS g;
ALTER TABLE which ADD PRIMARY KEY (plain), ADD UNIQUE (first, second), ADD FOREIGN KEY (child) REFERENCES parent, ADD UNIQUE (child),
	ADD UNIQUE (including) INCLUDE (constant), ADD UNIQUE (deferred) DEFERRABLE INITIALLY DEFERRED, ADD UNIQUE (range);
CREATE UNIQUE INDEX ON which (partial) WHERE partial < 1000;
CREATE UNIQUE INDEX ON which ((expression + 1));
CREATE UNIQUE INDEX ON which (lower(txt));
SELECT matches((pg_temp.fit('which'))::text, 'column \\"range\\" of type pg_catalog.int4range is unique', 'a type without keys has a note');
SELECT set_eq($$SELECT name FROM synth_columns('which') WHERE detail ->> 'model' = 'key'$$, ARRAY['plain', 'including', 'deferred'], 'which are keys');
SELECT is((SELECT notes FROM synth_fit('SELECT * FROM which', model => 'query', exclude => '{range}')), '{}', 'a query''s columns');
SELECT is((SELECT count(*) FROM synth_columns('query') WHERE detail ->> 'model' = 'key'), 0::bigint, 'are none');

-- NULLs
CREATE TABLE nulls AS SELECT CASE WHEN g % 4 > 0 THEN g END AS quarter, CASE WHEN g <> 50 THEN 'k' || md5(g::text) END AS one,
	g % 4 = 0 AS missing, CASE WHEN g < 3 THEN g END AS few FROM generate_series(1, 4000) AS g;
ALTER TABLE nulls ADD UNIQUE (quarter), ADD UNIQUE (few);
ALTER TABLE nulls ADD UNIQUE NULLS NOT DISTINCT (one);
SELECT pg_temp.fit('nulls') \g /dev/null
CREATE TABLE ns AS SELECT * FROM synth_sample(NULL::nulls, 1e5, seed => 5);
SELECT ok((SELECT abs(avg((quarter IS NULL)::int) - (SELECT avg((quarter IS NULL)::int) FROM nulls)) < 0.01 FROM ns), 'the share of NULLs');
SELECT ok((SELECT bool_and((quarter IS NULL) = missing) FROM ns), 'and what goes with them');
SELECT ok((SELECT count(quarter) = count(DISTINCT quarter) AND count(few) = 0 FROM ns), 'the others are distinct; too few are not shown');
SELECT is((SELECT count(DISTINCT one) FROM ns), 100000::bigint, 'where NULLs are not distinct there are none');

-- Too few keys are an error before the first row.
CREATE TABLE small AS SELECT (30000 + g)::int2 AS i FROM generate_series(1, 100) AS g;
ALTER TABLE small ADD UNIQUE (i);
SELECT pg_temp.fit('small') \g /dev/null
SELECT is(pg_temp.keys('small', 'i'), 'key sequence 2767', 'the space of a smallint');
SELECT is((SELECT max(i) FROM synth_sample(NULL::small, 2767)), 32767::int2, 'to its last');
SELECT throws_ok('SELECT * FROM synth_sample(NULL::small, 2768) LIMIT 1', '2200H', NULL, 'and not beyond');
SELECT throws_ok('SELECT * FROM synth_sample(''small'', 2, start => 2767)', '2200H', NULL, 'by start neither');
SELECT throws_ok('SELECT synth_sample(''small'', 1e9)', '2200H',
	'column "i" has 2767 possible keys, too few for row number 1000000000', 'nor in a target list');
SELECT throws_ok('SELECT * FROM synth_sample(''x'', 10, given => ''{"i4": 7}'')', '0A000', 'column "i4" is a key and cannot be given', 'a key cannot be given');
SELECT is((SELECT count(*) FROM synth_sample(NULL::x, 20, given => '{"other": 3}') WHERE other = 3 AND i4 IS NOT NULL), 20::bigint, 'other columns can');

-- Tables of little else, and of few rows.
CREATE TABLE tiny AS SELECT g AS id, (ARRAY['a', 'b', 'c', 'd', 'e', 'f'])[g]::label AS label, g = 1 AS b, chr(64 + g) AS c FROM generate_series(1, 6) AS g;
DELETE FROM tiny WHERE id > 6;
ALTER TABLE tiny ADD UNIQUE (id), ADD UNIQUE (label), ADD UNIQUE (c);
UPDATE tiny SET b = NULL WHERE id > 2;
ALTER TABLE tiny ADD UNIQUE (b);
SELECT pg_temp.fit('tiny') \g /dev/null
SELECT set_eq('SELECT label FROM synth_sample(NULL::tiny, 6)', 'SELECT label FROM tiny', 'the labels of an enum');
SELECT is((SELECT count(DISTINCT c) FROM synth_sample(NULL::tiny, 6)), 6::bigint, 'codes of a letter');
-- floats of which many are beyond what the others' unit has room for
CREATE TABLE growing AS SELECT exp(g) AS k, exp(g * 2)::float4 AS k4 FROM generate_series(1, 12) AS g;
ALTER TABLE growing ADD UNIQUE (k), ADD UNIQUE (k4);
SELECT pg_temp.fit('growing') \g /dev/null
SELECT is((SELECT count(DISTINCT k) || ' ' || count(DISTINCT k4) FROM synth_sample(NULL::growing, 500)), '500 500', 'floats that grow');

-- Numbers at the ends of their types.
CREATE FUNCTION pg_temp.at_the_ends(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE ends AS SELECT (%s)::%s AS k, g %% 7 AS v FROM generate_series(1, 200) AS g; ALTER TABLE ends ADD UNIQUE (k)', value, type);
	PERFORM synth_fit('ends', model => 'ends', seed => 1);
	EXECUTE 'SELECT count(DISTINCT k) FROM synth_sample(NULL::ends, 150, model => ''ends'', seed => 1)';
	DROP TABLE ends;
	RETURN 'sampled';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is(pg_temp.at_the_ends(type, value), 'sampled', type || ' ' || value) FROM (VALUES
	('float8', 'CASE WHEN g % 2 = 0 THEN -1 ELSE 1 END * (1.79e308 - g * 1e306)'), ('float8', 'CASE g WHEN 1 THEN 1.7976931348623157e308 WHEN 2 THEN -1.7976931348623157e308 ELSE sqrt(g) END'),
	('float4', 'CASE g WHEN 1 THEN 3.4028235e38 ELSE -3e38 + g * 1e35 END'), ('float8', 'g * 1e-320'), ('float4', 'CASE WHEN g < 7 THEN g * 1e-44 ELSE g END'),
	('int8', 'CASE WHEN g % 2 = 0 THEN 9223372036854775807 - g ELSE -9223372036854775807 + g END'), ('timestamp', $$timestamp '4713-01-01 BC' + g * interval '1490 years 1.3 s'$$),
	('numeric(18)', 'CASE WHEN g % 2 = 0 THEN 1 ELSE -1 END * (999999999999999999 - g)')) AS v(type, value);

-- Floats of all sizes: as many keys as there were rows, whatever their unit, and no two alike up to the last.
CREATE FUNCTION pg_temp.float_keys(type text, value text, n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	what text := format('%s rows of %s %s: ', n, type, value);
	keys numeric;
	same text;
BEGIN
	EXECUTE format('CREATE TEMP TABLE floats AS SELECT DISTINCT (%s)::%s AS k FROM generate_series(1, %s) AS g; ALTER TABLE floats ADD UNIQUE (k)', value, type, n);
	PERFORM synth_fit('floats', model => 'floats', seed => 1);
	SELECT (detail ->> 'space')::numeric INTO keys FROM synth_columns('floats') WHERE detail ->> 'model' = 'key';
	IF keys IS NULL OR keys < (SELECT count(*) FROM floats) THEN
		RETURN NEXT what || coalesce(keys::text, 'no') || ' keys';
	END IF;
	FOR same IN SELECT format('%s of the rows from %s on', s.n - count(DISTINCT t ->> 'k'), s.start)
			FROM (VALUES (least(keys, 300), 1), (least(keys, 300), greatest(keys - 299, 1)::bigint)) AS s(n, start),
				synth_sample('floats', s.n, seed => 1, start => least(s.start, 9007199254740000)) AS t
			GROUP BY s.n, s.start HAVING count(DISTINCT t ->> 'k') < least(s.n, keys) LOOP
		RETURN NEXT what || same || ' are not distinct';
	END LOOP;
	DROP TABLE floats;
EXCEPTION WHEN OTHERS THEN
	RETURN NEXT what || SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is((SELECT string_agg(wrong, E'\n') FROM unnest(ARRAY['float4', 'float8']) AS type,
	unnest(ARRAY['g * 0.25 + 1e5', '(random() * 1e6)::int * 0.1', 'random()', 'random() - 0.5', '(g + random()) * 1e30', '(g + random()) * 1e-30', 'exp(random() * 60 - 30)',
		'exp(random() * 160 - 80)::float4', '2::float8 ^ (g % 120 - 60)', '(random() * 1000)::float4', 'round((1000 + random())::numeric, 4)', '1e6 + random()::float4',
		'CASE WHEN g % 20 = 0 THEN 1e37 * random() ELSE random() END', 'CASE WHEN g < 4 THEN 1e37 * g ELSE g * 0.01 END', 'CASE WHEN g < 4 THEN -1e37 * g ELSE g * 10 END',
		'8e5 + g * 0.1', '8388600 + g * 0.5', '16777000 + g', '(g * 3 - 100) * 2.0 ^ 40', 'g * 1e-44', '1 + g * 1e-7', '0.07 * g ^ 4']) AS value,
	unnest(ARRAY[7, 60, 900]) AS n, pg_temp.float_keys(type, value, n) AS wrong), NULL, 'keys of floats');
-- Beyond 2^23, neighbours of 0.1 are the same float4; and 0 is what all small numbers are in the unit of a large one.
CREATE TABLE narrow AS SELECT (8e5 + g * 0.1)::float4 AS tenths, CASE WHEN g % 2 = 0 THEN 1e300 * (1 + random()) ELSE random() END AS merging,
	(random() * 1000)::float4::float8 AS of_float4 FROM generate_series(1, 2000) AS g;
ALTER TABLE narrow ADD UNIQUE (tenths), ADD UNIQUE (merging), ADD UNIQUE (of_float4);
SELECT pg_temp.fit('narrow') \g /dev/null
SELECT is(pg_temp.keys('narrow', 'tenths'), 'key sequence ' || 8388608 - 8000001, 'to where decimals are lost');
SELECT cmp_ok((SELECT min((detail ->> 'space')::numeric) FROM synth_columns('narrow') WHERE detail ->> 'model' = 'key'), '>', 1e5, 'units that fit');

-- What is stored is hostile.
CREATE FUNCTION pg_temp.with_keys(at int, word bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT overlay(substr(data, 13) PLACING word FROM at * 8 + 1) INTO payload FROM gensynth.tensors WHERE (model, name) = ('x', 'keys');
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('x', 'keys');
	PERFORM count(t::text) FROM synth_sample(NULL::x, 100, seed => 1) AS t;
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT string_agg(DISTINCT pg_temp.with_keys(at, word), ',') FROM generate_series(0, 1) AS at,
	unnest(ARRAY['\xffffffffffffffff', '\x4000000000000000', '\xffffffffffffff7f']::bytea[]) AS word), 'XX001', 'columns and kinds that there are none of');
SELECT is(pg_temp.with_keys(2, '\xffffffffffffffff'), 'XX001', 'a space beyond the type');
SELECT is(pg_temp.with_keys(3, '\xffffffffffffff7f'), 'XX001', 'a first key beyond the type');
SELECT is(pg_temp.with_keys(4, '\x0000000000000000'), 'XX001', 'a step of 0');
SELECT is((SELECT count(*) FROM generate_series(2, 289, 2) AS at WHERE pg_temp.with_keys(at, (ARRAY['\x0000000000000000',
	'\x0100000000000000', '\xffffffffffffffff', '\x0000000000000080', '\xffffff7f00000000', '\x1000000000000000', '\x9001000000000000']::bytea[])[1 + at % 7])
	NOT IN ('XX001', 'P0001', '2200H', '23514')), 0::bigint, 'any other word is an error or none');
-- Counters go on behind what a table has, whether or not their type has a max, and when they get a digit more.
CREATE TABLE counters AS SELECT ('08:00:2b:01:02:' || lpad(to_hex(g), 2, '0'))::macaddr AS mac, 'C' || g AS code FROM generate_series(1, 120) AS g;
ALTER TABLE counters ADD UNIQUE (mac), ADD UNIQUE (code) DEFERRABLE;
SELECT pg_temp.fit('counters') \g /dev/null
CREATE TEMP TABLE counted (LIKE counters INCLUDING ALL);
CALL synth_into('counted', 20, model => 'counters', seed => 1);
CALL synth_into('counted', 100, model => 'counters', seed => 2);
SELECT is((SELECT count(DISTINCT mac) || ' ' || count(DISTINCT code) || ' ' || max(substr(code, 2)::int) FROM counted), '120 120 120', 'counters go on');
SELECT * FROM finish();
ROLLBACK;
