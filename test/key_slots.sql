-- Unique texts that say something of their rows, beside a number; keys in texts that carry order.
BEGIN;
SELECT plan(27);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT setseed(0.4) \g /dev/null

-- A table is fitted, and as many rows of it are made: name and name || '2'.
CREATE FUNCTION pg_temp.make(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	kind text;
BEGIN
	PERFORM synth_fit(name, seed => 1);
	EXECUTE format('CREATE TABLE %I AS SELECT * FROM synth_sample(NULL::%I, seed => 2)', name || '2', name);
	SELECT detail ->> 'keys' INTO kind FROM synth_columns(name) WHERE ordinal = 1;
	RETURN kind;
END $$;

-- Numbers that begin anew in each country and year.
CREATE TABLE inv AS
SELECT 'INV-' || country || '-' || extract(year FROM d) || '-' || lpad(row_number() OVER (PARTITION BY country, extract(year FROM d) ORDER BY d)::text, 5, '0') AS no,
	country, d
FROM (SELECT (ARRAY['DE', 'FR', 'US', 'IT'])[1 + floor(random() * random() * 4)::int] AS country, date '2021-01-01' + floor(random() * 1461)::int AS d
	FROM generate_series(1, 5000)) AS s;
ALTER TABLE inv ADD UNIQUE (no);
SELECT is(pg_temp.make('inv'), 'grouped', 'numbers of countries and years');
SELECT is((SELECT count(DISTINCT no) FROM inv2), 5000::bigint, 'none comes twice');
SELECT is((SELECT count(*) FROM inv2 WHERE no !~ '^INV-(DE|FR|US|IT)-202[1-4]-\d{5}$' OR split_part(no, '-', 2) <> country), 0::bigint, 'countries are the rows''');
SELECT cmp_ok((SELECT avg((split_part(no, '-', 3) = extract(year FROM d)::text)::int) FROM inv2)::float8, '>', 0.98::float8, 'years are those of the dates');
SELECT cmp_ok((SELECT max(split_part(no, '-', 4)::int)::float8 FROM inv2) / (SELECT max(split_part(no, '-', 4)::int) FROM inv)::float8, '<', 1.2::float8, 'no longer than there are rows');
SELECT cmp_ok((SELECT avg(c) FROM (SELECT corr(split_part(no, '-', 4)::int, extract(doy FROM d)) AS c FROM inv2 GROUP BY split_part(no, '-', 2), split_part(no, '-', 3)) AS s),
	'>', 0.97::float8, 'in the order of the dates');
SELECT is((SELECT md5(string_agg(t::text, '' ORDER BY t.no)) FROM (SELECT * FROM synth_sample(NULL::inv, 5000, seed => 2)) AS t),
	(SELECT md5(string_agg(t::text, '' ORDER BY t.no)) FROM (SELECT * FROM synth_sample(NULL::inv, 2500, seed => 2)
		UNION ALL SELECT * FROM synth_sample(NULL::inv, 2500, seed => 2, start => 2501)) AS t), 'rows do not depend on where a call begins');
SELECT is((SELECT md5(string_agg(no, '' ORDER BY no)) FROM synth_sample(NULL::inv, 5000, seed => 2)), (SELECT md5(string_agg(no, '' ORDER BY no)) FROM inv2),
	'nor on which columns are asked for');
SELECT is((SELECT count(DISTINCT no) FROM synth_sample(NULL::inv, 20000, seed => 3)), 20000::bigint, 'more rows than the source has');
SELECT is((SELECT count(DISTINCT no) FROM synth_sample(NULL::inv, 3000, seed => 3, given => '{"country": "FR"}') WHERE no ~ '^INV-FR'), 3000::bigint, 'rows that are given');

-- A table takes more of them.
CREATE TABLE filled (LIKE inv INCLUDING ALL);
CALL synth_into('filled', 2000, model => 'inv', seed => 1, batch_size => 700);
CALL synth_into('filled', 2000, model => 'inv', seed => 2);
SELECT is((SELECT count(*) FROM filled WHERE split_part(no, '-', 2) = country), 4000::bigint, 'numbers go on behind those there are');

-- Numbers that count through all texts: they carry order, as numbers do.
CREATE TABLE part AS
SELECT kind || '/' || lpad(g::text, 6, '0') AS code, kind, 2015 + g / 500 AS year
FROM (SELECT g, (ARRAY['bolt', 'nut', 'cog'])[1 + floor(random() * 3)::int] AS kind FROM generate_series(1, 4000) AS g) AS s;
ALTER TABLE part ADD PRIMARY KEY (code);
SELECT is(pg_temp.make('part'), 'sequence', 'one number for all');
SELECT is((SELECT count(DISTINCT substr(code, strpos(code, '/') + 1)) FROM part2 WHERE split_part(code, '/', 1) = kind), 4000::bigint, 'numbers and kinds');
SELECT cmp_ok((SELECT corr(split_part(code, '/', 2)::int, year) FROM part2)::float8, '>', 0.95::float8, 'years rise with them');

-- Numbers that are scattered.
CREATE TABLE sku AS
SELECT DISTINCT ON (code) left(upper(cat), 3) || '-' || (10000 + floor(random() * 90000))::int AS code, cat
FROM (SELECT (ARRAY['toys', 'food', 'tools'])[1 + floor(random() * random() * 3)::int] AS cat FROM generate_series(1, 3000)) AS s;
ALTER TABLE sku ADD UNIQUE (code);
SELECT is(pg_temp.make('sku'), 'grouped', 'numbers from a range');
SELECT is((SELECT count(DISTINCT code) FROM sku2 WHERE code ~ '^(TOY|FOO|TOO)-[1-9]\d{4}$' AND left(upper(cat), 3) = left(code, 3)), (SELECT count(*) FROM sku), 'of their categories');
SELECT cmp_ok((SELECT abs(avg(substr(code, 5)::int) - 55000) FROM sku2)::float8, '<', 3000::float8, 'from all of it');

-- Nothing but a number, and other columns that go with it.
CREATE TABLE ord AS
SELECT 'ORD-' || lpad(g::text, 6, '0') AS no, timestamp '2022-01-01' + g * interval '3 hours' + random() * interval '2 hours' AS created,
	CASE WHEN g + 1000 * random() > 2000 THEN 'new' ELSE 'old' END AS state
FROM generate_series(1, 3000) AS g;
ALTER TABLE ord ADD PRIMARY KEY (no);
SELECT is(pg_temp.make('ord'), 'sequence', 'texts that are counted');
SELECT cmp_ok((SELECT corr(substr(no, 5)::int, extract(epoch FROM created)) FROM ord2)::float8, '>', 0.99::float8, 'are in the order of time');
SELECT cmp_ok(abs((SELECT avg((substr(no, 5)::int > 1500)::int) FROM ord2 WHERE state = 'new') - (SELECT avg((substr(no, 5)::int > 1500)::int) FROM ord WHERE state = 'new'))::float8,
	'<', 0.04::float8, 'and so is the rest');
ALTER TABLE ord DROP COLUMN created;
DROP TABLE ord2;
SELECT is(pg_temp.make('ord'), 'sequence', 'where no column has the order itself');
SELECT cmp_ok((SELECT abs(avg(substr(no, 5)::int) - (SELECT avg(substr(no, 5)::int) FROM ord WHERE state = 'new')) FROM ord2 WHERE state = 'new')::float8, '<', 60::float8,
	'others go with it');

-- Texts of limited length.
CREATE TABLE tight AS SELECT ((ARRAY['A', 'B'])[1 + g % 2] || '-' || lpad((g / 2)::text, 3, '0'))::char(5) AS code, g % 2 AS side FROM generate_series(1, 1200) AS g;
ALTER TABLE tight ADD UNIQUE (code);
SELECT isnt(pg_temp.make('tight'), 'grouped', 'no room to number them');

-- NULLs.
CREATE TABLE part_numbered AS SELECT CASE WHEN random() < 0.2 THEN NULL ELSE (ARRAY['AX', 'BY', 'CZ'])[1 + g % 3] || '-' || lpad(g::text, 5, '0') END AS code, g % 3 AS kind FROM generate_series(1, 2000) AS g;
ALTER TABLE part_numbered ADD UNIQUE (code);
SELECT is(pg_temp.make('part_numbered'), 'sequence', 'a column with NULLs');
SELECT cmp_ok((SELECT abs(avg((code IS NULL)::int) - 0.2) FROM part_numbered2)::float8, '<', 0.04::float8, 'has them');

-- What is stored is hostile.
CREATE FUNCTION pg_temp.with_keys(at int, word bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT overlay(substr(data, 13) PLACING word FROM at * 8 + 1) INTO payload FROM gensynth.tensors WHERE (model, name) = ('inv', 'keys');
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('inv', 'keys');
	PERFORM count(t::text) FROM synth_sample(NULL::inv, 100, seed => 1) AS t;
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT count(*) FROM generate_series(0, 19) AS at, unnest(ARRAY['\x0000000000000000', '\x0100000000000000', '\x0500000000000000', '\xffffffffffffffff',
	'\x0000000000000080', '\xffffff7f00000000', '\xffffffffffffff7f']::bytea[]) AS word WHERE pg_temp.with_keys(at, word) NOT IN ('XX001', 'P0001', '2200H')), 0::bigint,
	'any word of a key is an error or none');
SELECT is(pg_temp.with_keys(17, '\x0400000000000000'), 'XX001', 'a number beyond the members');
SELECT * FROM finish();
ROLLBACK;
