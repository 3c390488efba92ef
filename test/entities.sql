-- Rows that are about the same: a customer with a number, in whose rows the city is always the same, though too few rows have either.
BEGIN;
SELECT plan(28);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL work_mem = '64MB';
SELECT setseed(0.6) \g /dev/null

CREATE FUNCTION pg_temp.keys(model text, col text) RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', detail ->> 'model', detail ->> 'keys') FROM synth_columns(model) WHERE name = col $$;
-- How many values of a column have more than one of others.
CREATE FUNCTION pg_temp.torn(of regclass, col text, others text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT %1$I FROM %2$s WHERE %1$I IS NOT NULL GROUP BY 1 HAVING count(DISTINCT (%3$s)) > 1) AS s', col, of, others) INTO n;
	RETURN n;
END $$;

CREATE TABLE sale AS
SELECT customer, 'town ' || hashint4(customer) % 97 AS city, date '1940-01-01' + abs(hashint4(customer + 1)) % 20000 AS born, 'm' || customer || '@mail.org' AS email,
	CASE WHEN customer % 5 = 0 THEN NULL ELSE (ARRAY['gold', 'basic'])[1 + (customer % 3 = 0)::int] END AS segment,
	round((random() * 100 * (1 + (customer % 3 = 0)::int))::numeric, 2) AS amount, date '2024-01-01' + floor(random() * 300)::int AS day
FROM (SELECT 1 + floor(random() * 4000)::int AS customer FROM generate_series(1, 10000)) AS drawn;
SELECT synth_fit('sale', seed => 1) \g /dev/null
SELECT is(pg_temp.keys('sale', 'customer'), 'key sequence', 'a number of customers is a key of them');
CREATE TABLE sales AS SELECT * FROM synth_sample(NULL::sale, 10000, seed => 2);
SELECT is(pg_temp.torn('sales', 'customer', 'city, born, email, segment'), 0::bigint, 'whose rows have one town, birthday, address and segment');
SELECT cmp_ok(abs((SELECT count(DISTINCT customer) FROM sales) - (SELECT count(DISTINCT customer) FROM sale)), '<', 250::bigint, 'as many customers');
SELECT cmp_ok(abs((SELECT count(*) FROM (SELECT FROM sales GROUP BY customer HAVING count(*) > 3) AS s) -
	(SELECT count(*) FROM (SELECT FROM sale GROUP BY customer HAVING count(*) > 3) AS s)), '<', 250::bigint, 'of whom as many come often');
SELECT cmp_ok((SELECT max(customer) FROM sales), '<', 4600, 'their numbers count');
SELECT cmp_ok((SELECT max(abs(s.share - m.share)) FROM (SELECT segment, count(*) / 10000.0 AS share FROM sale GROUP BY 1) AS s JOIN (SELECT segment, count(*) / 10000.0 AS share FROM sales GROUP BY 1) AS m
	ON s.segment IS NOT DISTINCT FROM m.segment), '<', 0.03, 'shares stay');
SELECT cmp_ok((SELECT max(abs(s.share - m.share)) FROM (SELECT city, count(*) / 10000.0 AS share FROM sale GROUP BY 1) AS s JOIN (SELECT city, count(*) / 10000.0 AS share FROM sales GROUP BY 1) AS m USING (city)),
	'<', 0.012, 'of towns, too');
SELECT cmp_ok((SELECT avg(amount) FILTER (WHERE segment = 'basic') / avg(amount) FILTER (WHERE segment = 'gold') FROM sales), '>', 1.7, 'and so does what depends on them');
SELECT cmp_ok((SELECT abs(avg(born - date '1940-01-01') - 10000) FROM sales), '<', 500::numeric, 'and the mean birthday');
SELECT is((SELECT count(*) FROM sales WHERE email IN (SELECT email FROM sale)), 0::bigint, 'nobody''s address');

-- Rows follow from their numbers.
CREATE TABLE halves AS SELECT * FROM synth_sample(NULL::sale, 4321, seed => 2) UNION ALL SELECT * FROM synth_sample(NULL::sale, 5679, seed => 2, start => 4322);
SELECT is((SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM halves AS t), (SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM sales AS t), 'rows do not depend on where a call begins');
SELECT is((SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM (SELECT customer, city FROM synth_sample(NULL::sale, 10000, seed => 2)) AS t),
	(SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM (SELECT customer, city FROM sales) AS t), 'nor on which columns are asked for');
SELECT is((SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM (SELECT born FROM synth_sample(NULL::sale, 10000, seed => 2)) AS t),
	(SELECT md5(string_agg(t::text, '' ORDER BY t)) FROM (SELECT born FROM sales) AS t), 'of those without the number either');
CREATE TABLE more AS SELECT * FROM synth_sample(NULL::sale, 30000, seed => 2);
SELECT is(pg_temp.torn('more', 'customer', 'city, born, email, segment'), 0::bigint, 'more rows than the source has');
CREATE TABLE gold AS SELECT * FROM synth_sample(NULL::sale, 3000, seed => 2, given => '{"segment": "gold"}');
SELECT is((SELECT count(*) FROM gold WHERE segment = 'gold') + pg_temp.torn('gold', 'customer', 'city, born, email'), 3000::bigint, 'rows that are given');

-- A table with conditions takes them.
CREATE TABLE sold (LIKE sale);
ALTER TABLE sold ADD CHECK (born < day), ADD CHECK (amount >= 0);
CALL synth_into('sold', 5000, model => 'sale', seed => 3, batch_size => 1700);
SELECT is((SELECT count(*) FROM sold), 5000::bigint, 'a fill');
SELECT is(pg_temp.torn('sold', 'customer', 'city, born, email, segment'), 0::bigint, 'in batches');

-- Texts, uuids, NULLs; rows that are not about anybody.
CREATE TABLE visit AS
SELECT CASE WHEN random() < 0.1 THEN NULL ELSE 'P-' || lpad(p::text, 6, '0') END AS patient, md5(p::text)::uuid AS token, (ARRAY['f', 'm'])[1 + hashint4(p) % 2 * sign(hashint4(p))::int] AS sex,
	round((150 + abs(hashint4(p + 7)) % 500 / 10.0)::numeric, 1) AS height, random() AS pulse
FROM (SELECT 1 + floor(random() * 3000)::int AS p FROM generate_series(1, 6000)) AS drawn;
SELECT synth_fit('visit', seed => 1) \g /dev/null
CREATE TABLE visits AS SELECT * FROM synth_sample(NULL::visit, 6000, seed => 2);
SELECT is(pg_temp.torn('visits', 'token', 'sex, height'), 0::bigint, 'uuids that repeat');
SELECT cmp_ok((SELECT abs(avg((patient IS NULL)::int) - 0.1) FROM visits), '<', 0.02::numeric, 'NULLs stay');
ALTER TABLE visit DROP COLUMN token;
DROP TABLE visits;
SELECT synth_fit('visit', seed => 1) \g /dev/null
SELECT is(pg_temp.keys('visit', 'patient'), 'key sequence', 'texts that are counted');
CREATE TABLE visits AS SELECT * FROM synth_sample(NULL::visit, 6000, seed => 2);
SELECT is(pg_temp.torn('visits', 'patient', 'sex, height'), 0::bigint, 'have what follows from them');
SELECT cmp_ok((SELECT abs(avg((patient IS NULL)::int) - 0.1) FROM visits), '<', 0.02::numeric, 'and their NULLs');
SELECT is((SELECT count(*) FROM visits WHERE patient !~ '^P-\d{6}$'), 0::bigint, 'in their format');

-- What repeats, but tells nothing, is what it was; so is what enough rows have.
CREATE TABLE plain AS SELECT floor(random() * 3000)::int AS number, (ARRAY['a', 'b', 'c'])[1 + floor(random() * 3)::int] AS letter FROM generate_series(1, 6000);
SELECT synth_fit('plain', seed => 1) \g /dev/null
SELECT isnt(pg_temp.keys('plain', 'number'), 'key sequence', 'no key of nothing');
CREATE TABLE often AS SELECT c AS customer, (ARRAY['a', 'b', 'c'])[1 + c % 3] AS letter FROM (SELECT floor(random() * 600)::int AS c FROM generate_series(1, 9000)) AS s;
SELECT synth_fit('often', seed => 1) \g /dev/null
SELECT isnt(pg_temp.keys('often', 'customer'), 'key sequence', 'values that may be shown');
SELECT cmp_ok((SELECT avg((letter = (ARRAY['a', 'b', 'c'])[1 + customer % 3])::int) FROM synth_sample(NULL::often, 2000, seed => 1)), '>', 0.97, 'come with theirs');

-- What is stored is hostile.
CREATE FUNCTION pg_temp.broken(tensor text, at int, word bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT overlay(substr(data, 13) PLACING word FROM at * 4 + 1) INTO payload FROM gensynth.tensors WHERE (model, name) = ('sale', tensor);
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('sale', tensor);
	PERFORM count(t::text) FROM synth_sample(NULL::sale, 100, seed => 1) AS t;
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.broken('entity/rows', 5, '\x00000000') || pg_temp.broken('entity/rows', 5, '\xffffff7f') || pg_temp.broken('entity/column', 1, '\x02000000'), 'XX001XX001XX001',
	'impossible entities');
SELECT is((SELECT count(*) FROM generate_series(0, 6) AS at, unnest(ARRAY['\x00000000', '\x01000000', '\xffffffff']::bytea[]) AS word
	WHERE pg_temp.broken('entity/column', at, word) NOT IN ('XX001', 'P0001')), 0::bigint, 'any other is an error or none');
SELECT * FROM finish();
ROLLBACK;
