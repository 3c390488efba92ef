-- Domains: what comes back meets their constraints, or there is a clear error.
BEGIN;
SELECT plan(16);
SET LOCAL client_min_messages = warning;

CREATE FUNCTION is_prime(n int) RETURNS bool IMMUTABLE
LANGUAGE sql AS $$ SELECT n > 1 AND NOT EXISTS (SELECT FROM generate_series(2, floor(sqrt(n))::int) d WHERE n % d = 0) $$;
CREATE DOMAIN prime AS int CHECK (is_prime(VALUE));
CREATE DOMAIN odd_prime AS prime CHECK (VALUE <> 2) NOT NULL;
CREATE DOMAIN share AS numeric(5,4) CHECK (VALUE BETWEEN 0 AND 1);
CREATE DOMAIN iban AS varchar(12) CHECK (VALUE ~ '^[A-Z]{2}[0-9]{6,10}$');
CREATE DOMAIN checked AS text CHECK (substr(VALUE, 7) = md5(substr(VALUE, 1, 6)));
CREATE DOMAIN span AS interval CHECK (VALUE >= '1 day' AND extract(day FROM VALUE) <= 20);
CREATE DOMAIN office AS tstzrange CHECK (lower(VALUE) < upper(VALUE) AND upper(VALUE) - lower(VALUE) <= '9 hours');
CREATE DOMAIN pair AS int[] CHECK (VALUE[1] <= VALUE[2]);
CREATE DOMAIN setting AS jsonb CHECK (VALUE ? 'name' AND (VALUE ->> 'size')::int > 0);
CREATE DOMAIN not_x AS text CHECK (VALUE <> 'x');

CREATE TABLE d AS
SELECT p::prime AS p, p::odd_prime AS o, (g / 600.0)::share AS s, ('DE' || 100000 + g * 7919)::iban AS i,
	(g % 20 * interval '1 day' + g * interval '3 min' + interval '1 day')::span AS stay,
	tstzrange('2024-01-01'::timestamptz + g * interval '1 day', '2024-01-01'::timestamptz + g * interval '1 day' + (1 + g % 9) * interval '1 h')::office AS open,
	ARRAY[g, g + 10]::pair AS pair, ARRAY[p, 3]::odd_prime[] AS primes, ('DE' || 100000 + g * 7919 || ',FR123456')::text AS list,
	jsonb_build_object('name', 'n' || g, 'size', g)::setting AS setting, CASE WHEN g % 3 = 0 THEN NULL ELSE 'y' || g % 2 END::not_x AS y
FROM (SELECT p, row_number() OVER (ORDER BY p)::int AS g FROM generate_series(3, 5000) p WHERE is_prime(p)) s WHERE g <= 600;
SELECT synth_fit('d', seed => 1) \g /dev/null

-- A clone takes every row.
CREATE TABLE clone (LIKE d INCLUDING ALL);
SELECT lives_ok('INSERT INTO clone SELECT * FROM synth_sample(NULL::d, 1000, seed => 2)', 'a clone takes the rows');
SELECT is((SELECT count(*) FROM clone), 1000::bigint, 'all of them');
SELECT cmp_ok((SELECT count(*) FROM synth_sample('d', 500, seed => 2)), '=', 500::bigint, 'as jsonb');
SELECT cmp_ok((SELECT count(DISTINCT p) FROM clone), '>', 50::bigint, 'primes');
SELECT is((SELECT count(*) FROM clone WHERE o IS NULL OR NOT is_prime(o)), 0::bigint, 'a domain over a domain');
SELECT is((SELECT count(*) FROM clone WHERE i NOT SIMILAR TO '[A-Z]{2}[0-9]{6,10}' OR i IN (SELECT i FROM d)), 0::bigint, 'a format');
SELECT cmp_ok((SELECT count(DISTINCT stay) FROM clone), '>', 500::bigint, 'intervals');
SELECT is((SELECT count(*) FROM clone WHERE isempty(open) OR upper(open) - lower(open) > '9 hours'), 0::bigint, 'ranges');
SELECT is((SELECT count(*) FROM clone WHERE pair[1] > pair[2]), 0::bigint, 'arrays');
SELECT is((SELECT count(*) FROM clone, unnest(primes) u WHERE NOT is_prime(u)), 0::bigint, 'elements of arrays');
SELECT is((SELECT count(*) FROM clone WHERE NOT setting ? 'name'), 0::bigint, 'jsonb');
SELECT ok((SELECT abs(avg((y IS NULL)::int) - 1 / 3.0) < 0.05 FROM clone), 'NULL, where the domain takes it');

-- Where chance does not find a value: one that enough rows hold, or an error.
CREATE TABLE e AS SELECT (substr(md5(g::text), 1, 6) || md5(substr(md5(g::text), 1, 6)))::checked AS v FROM generate_series(1, 300) g;
SELECT synth_fit('e', seed => 1) \g /dev/null
SELECT throws_ok('SELECT * FROM synth_sample(NULL::e, 10, seed => 1)', '23514',
	'could not make a value of domain public.checked for column "v"', 'no value can be made');
INSERT INTO e SELECT 'abcdef' || md5('abcdef') FROM generate_series(1, 300);
SELECT synth_fit('e', seed => 1) \g /dev/null
SELECT set_eq('SELECT v FROM synth_sample(NULL::e, 50, seed => 1)', ARRAY['abcdef' || md5('abcdef')], 'a frequent one serves');

-- The column list may ask for a domain that the model's type isn't.
SELECT throws_ok($$SELECT * FROM synth_rows('d', 2000, seed => 1) AS t(s prime)$$, '23514', NULL, 'a domain that refuses the values');

CREATE DOMAIN low AS int CHECK (VALUE < 3);
CREATE TABLE levels AS SELECT i % 7 AS v FROM generate_series(1, 300) AS i;
SELECT synth_fit('levels', seed => 1) \g /dev/null
SELECT set_eq($$SELECT v FROM synth_rows('levels', 500, seed => 1) AS t(v low)$$, ARRAY[0, 1, 2]::low[], 'of a category, the values that it takes');

SELECT * FROM finish();
ROLLBACK;
