-- Columns that follow from others: equations however they are written, dependencies at any cardinality, places, values equal to another column's.
BEGIN;
SELECT plan(49);
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
SELECT setseed(0.3) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

--
-- Equations that are declared
--
CREATE TABLE mix AS
SELECT g, f, 100 - g - f AS w, g::float8 AS gf, f::float8 AS ff, (g + f)::float8 AS tf, round(g)::int AS gi, round(f)::int AS fi, (round(g) + round(f))::int AS ti
FROM (SELECT (20 + random() * 40)::numeric(5,2) AS g, (5 + random() * 20)::numeric(5,2) AS f FROM generate_series(1, 3000)) AS t;
ALTER TABLE mix ALTER w TYPE numeric(5,2);

-- Fits mix under a condition: every row meets it by construction, and the largest part, which is computed, spreads as it does in the source.
CREATE FUNCTION holds(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	met text;
	held bigint;
	spread numeric;
BEGIN
	EXECUTE format('ALTER TABLE mix ADD CONSTRAINT sum CHECK (%s)', condition);
	PERFORM synth_fit('mix', seed => 1, options => '{"dependencies": 0}');
	SELECT c.met INTO met FROM synth_constraints('mix') AS c WHERE c.name = 'sum';
	EXECUTE format('SELECT count(*) FILTER (WHERE %s), stddev(w) FROM synth_sample(NULL::mix, 1000, seed => 2)', condition) INTO held, spread;
	ALTER TABLE mix DROP CONSTRAINT sum;
	RETURN is(format('%s %s %s', met, held, round(spread / (SELECT stddev(w) FROM mix), 1)), 'construction 1000 1.0', condition);
END $$;
SELECT holds(condition) FROM unnest(ARRAY['g + f + w = 100', '100 = g + f + w', 'w + g = 100 - f', 'abs(g + f + w - 100) < 0.01', 'g + f + w BETWEEN 99.99 AND 100.01',
	'round(g + f + w, 1) = 100.0', 'abs(tf - gf - ff) < 1e-6', 'ti - fi = gi', 'g IS NULL OR g + f + w = 100', '2 * g + 2 * f = 200 - 2 * w', 'g / 100 + f / 100 + w / 100 = 1',
	'g + f + w = 100 AND ti = gi + fi']) AS condition;
SELECT count(synth_fit('mix', seed => 1, options => '{"dependencies": 0, "constraints": ["g + f + w = 100", "ti = gi + fi", "abs(w - g) < 60"]}')) \g /dev/null
SELECT set_eq($$SELECT definition, met FROM synth_constraints('mix') WHERE kind = 'user'$$,
	$$VALUES ('g + f + w = 100', 'construction'), ('ti = gi + fi', 'construction'), ('abs(w - g) < 60', 'rejection')$$, 'what leaves much room is no equation');
SELECT is(count(*), 500::bigint, 'what is given is not computed') FROM synth_sample(NULL::mix, 500, seed => 2, given => '{"w": {"gte": 50}}') WHERE w >= 50 AND g + f + w = 100;
SELECT is(count(*), 3000::bigint, 'nor what is known') FROM synth_complete(NULL::mix, '{f}', model => NULL, seed => 2) WHERE w IS NOT NULL;

-- one of three: what is computed is none of a column's values in some rows, which are made again
CREATE TABLE hot AS SELECT (k = 0)::int AS a, (k = 1)::int AS b, (k = 2)::int AS c, random() AS x FROM (SELECT floor(3 * random())::int AS k FROM generate_series(1, 2000)) AS t;
ALTER TABLE hot ADD CHECK (a + b + c = 1);
SELECT count(synth_fit('hot', method => 'copula', seed => 1)) \g /dev/null
SELECT is(count(*), 1000::bigint, 'exactly one') FROM synth_sample(NULL::hot, 1000, seed => 1) WHERE greatest(a, b, c) = 1 AND least(a, b, c) = 0 AND a + b + c = 1;

--
-- Equations that are found
--
CREATE TABLE loan AS
SELECT (payments * duration)::int AS amount, duration, payments, CASE WHEN random() < 0.999 THEN net + tax + tip ELSE 0 END AS total, net, tax, tip, round(net * 0.19, 2) AS vat,
	100 * h + m AS hhmm, h, m, a, b, round(100 * (b - a) / a, 1) AS change
FROM (SELECT 12 * (1 + (4 * random())::int) AS duration, round(exp(8 + normal() / 2)::numeric) AS payments, round(exp(4 + normal())::numeric, 2) AS net,
	round(exp(2 + normal())::numeric, 2) AS tax, round(exp(normal())::numeric, 2) AS tip, floor(24 * random())::int AS h, floor(60 * random())::int AS m,
	round(exp(5 + normal() / 3)::numeric, 2) AS a, round(exp(5 + normal() / 3)::numeric, 2) AS b FROM generate_series(1, 4000)) AS t;
SELECT count(synth_fit('loan', seed => 1)) \g /dev/null
SELECT set_has($$SELECT definition FROM synth_constraints('loan') WHERE kind = 'found' AND met = 'construction'$$,
	$$VALUES ('amount = round(duration * payments, 0)'), ('vat = round(0.19 * net, 2)'), ('total = net + tax + tip')$$, 'products, shares, sums');
-- what is paid is mostly what was asked for, whose equation comes first
CREATE TABLE invoice AS SELECT net, total, CASE WHEN random() < 0.8 THEN total ELSE round((random() * total)::numeric, 2) END AS paid
FROM (SELECT net, round(net * 1.19, 2) AS total FROM (SELECT round(exp(4 + normal())::numeric, 2) AS net FROM generate_series(1, 4000)) AS n) AS t;
SELECT count(synth_fit('invoice', seed => 1)) \g /dev/null
SELECT ok(abs(avg((paid = total)::int) - 0.8) < 0.04 AND bool_and(total = round(net * 1.19, 2)), 'equal to what an equation says') FROM synth_sample(NULL::invoice, 4000, seed => 1);
CREATE TABLE loans AS SELECT * FROM synth_sample(NULL::loan, 2000, seed => 1);
SELECT is(count(*), 2000::bigint, 'and hold') FROM loans
WHERE amount = payments * duration AND total IN (0, net + tax + tip) AND vat = round(net * 0.19, 2) AND hhmm = 100 * h + m AND m BETWEEN 0 AND 59 AND abs(change - 100 * (b - a) / a) <= 0.05;
SELECT ok(abs(stddev(ln(amount)) - (SELECT stddev(ln(amount)) FROM loan)) < 0.05, 'amounts spread as they do') FROM loans;

CREATE TABLE stone AS
SELECT x, y, z, round(200 * z / (x + y), 1) AS depth
FROM (SELECT x, y, round((61.7 + 1.4 * d) * (x + y) / 200, 2) AS z FROM (SELECT d, round((s * (1 + 0.01 * normal()))::numeric, 2) AS x, round((s * (1 + 0.01 * normal()))::numeric, 2) AS y
	FROM (SELECT exp(1.6 + 0.2 * normal()) AS s, normal()::numeric AS d FROM generate_series(1, 6000)) AS t) AS t) AS t;
SELECT count(synth_fit('stone', seed => 1)) \g /dev/null
CREATE TABLE stones AS SELECT * FROM synth_sample(NULL::stone, 3000, seed => 1);
SELECT is(count(*), 0::bigint, 'a depth of 200 z / (x + y)') FROM stones WHERE abs(depth - 200 * z / (x + y)) > 0.05;
SELECT ok(abs(stddev(depth) / (SELECT stddev(depth) FROM stone) - 1) < 0.05, 'which varies as little as it did') FROM stones;

CREATE TABLE part AS SELECT a / (a + b + c) AS a, b / (a + b + c) AS b, c / (a + b + c) AS c FROM (SELECT exp(normal()) AS a, exp(normal()) AS b, exp(normal() / 2) AS c FROM generate_series(1, 3000)) AS t;
SELECT count(synth_fit('part', seed => 1)) \g /dev/null
SELECT is(count(*), 0::bigint, 'parts of 1') FROM synth_sample(NULL::part, 2000, seed => 1) WHERE abs(a + b + c - 1) > 1e-9 OR least(a, b, c) < 0;
SELECT is(count(*), 0::bigint, 'nothing is found where there is nothing') FROM synth_constraints('mix') WHERE kind = 'found';

--
-- Dependencies
--
CREATE TABLE product AS
SELECT i * 7 + 100 AS id, 'product ' || i * 37 % 1500 AS name, 'kind ' || i % 23 AS kind, (1 + random() * 500)::numeric(8,2) AS price, date '2015-01-01' + i * 3 % 2500 AS since
FROM generate_series(1, 1500) AS i;
CREATE TABLE sale AS
SELECT id, CASE WHEN random() < 0.00005 THEN 'a mistake' ELSE name END AS name, CASE WHEN random() < 0.98 THEN kind END AS kind, price, since, since + 1 AS due, floor(4 * random())::int AS size,
	substr(kind, 6)::int + random() AS x
FROM (SELECT floor(1500 * random())::int * 7 + 107 AS id FROM generate_series(1, 30000)) AS t JOIN product USING (id);
ALTER TABLE sale ADD fee int;
UPDATE sale SET fee = (id * 31 + size * 17) % 40;
SELECT count(synth_fit('sale', seed => 1)) \g /dev/null
CREATE TABLE sales AS SELECT * FROM synth_sample(NULL::sale, 10000, seed => 1);
SELECT is(count(*), 10000::bigint, 'a number, a text, a price and a date go together') FROM sales AS s JOIN product AS p ON (p.id, p.name, p.price, p.since) = (s.id, s.name, s.price, s.since) WHERE due = s.since + 1;
SELECT is(count(*), 0::bigint, 'exceptions are exceptions') FROM sales AS s JOIN product AS p USING (id) WHERE s.kind <> p.kind;
SELECT ok(avg((kind IS NULL)::int) BETWEEN 0.015 AND 0.025, 'as many as there were') FROM sales;
SELECT ok(corr(x, substr(kind, 6)::int) > 0.98, 'what depends on the kinds still does') FROM sales;
SELECT ok(count(DISTINCT id) > 1450, 'all numbers are drawn') FROM sales;
SELECT is(count(*), 200::bigint, 'a condition on a text') FROM synth_sample(NULL::sale, 200, seed => 1, given => '{"name": "product 37"}') WHERE id = 107;
SELECT is(count(*), 200::bigint, 'on a price') FROM synth_sample(NULL::sale, 200, seed => 1, given => '{"price": {"lt": 20}}') AS s JOIN product AS p ON (p.id, p.price) = (s.id, s.price) WHERE s.price < 20;
SELECT is(count(kind), 0::bigint, 'on an exception') FROM synth_sample(NULL::sale, 200, seed => 1, given => '{"kind": null}');
SELECT results_eq('SELECT id, name, kind, price, since FROM synth_sample(NULL::sale, 100, seed => 1, start => 5001)', 'SELECT id, name, kind, price, since FROM sales OFFSET 5000 LIMIT 100', 'rows are what they are');

-- a pair of columns of more than a few values
CREATE TABLE tariff AS SELECT zone, weight, (zone * 7919 + weight * 104729) % 997 AS rate, random() AS x
FROM (SELECT floor(120 * random())::int AS zone, floor(30 * random())::int AS weight FROM generate_series(1, 60000)) AS t;
SELECT count(synth_fit('tariff', seed => 1)) \g /dev/null
SELECT cmp_ok(count(*), '<', 25::bigint, 'a pair tells a number, where enough rows have it') FROM synth_sample(NULL::tariff, 5000, seed => 1) WHERE rate <> (zone * 7919 + weight * 104729) % 997;

-- places
CREATE TABLE zip AS SELECT lpad((1000 + i * 29)::text, 5, '0') AS zip, 'City' || i % 700 AS city, 'S' || i % 700 % 50 AS state, 25 + 24 * random() AS lat, -124 + 57 * random() AS lon, i
FROM generate_series(1, 3000) AS i;
CREATE TABLE customer AS SELECT zip, city, state, (lat + (random() - 0.5) * 0.02)::numeric(8,5) AS lat, (lon + (random() - 0.5) * 0.02)::float4 AS lon, i AS code, lat + random() / 100 AS lat2
FROM (SELECT 1 + floor(3000 * random())::int AS i FROM generate_series(1, 40000)) AS t JOIN zip USING (i);
SELECT count(synth_fit('SELECT zip, city, state, lat, lon FROM customer', model => 'customer', seed => 1)) \g /dev/null
CREATE TABLE customers AS SELECT * FROM synth_rows('customer', 4000, seed => 2) AS t(zip text, city text, state text, lat numeric, lon float4);
SELECT is(count(*), 4000::bigint, 'a city and a state of each zip code, and coordinates near it') FROM customers AS c JOIN zip AS z ON (z.zip, z.city, z.state) = (c.zip, c.city, c.state)
WHERE abs(c.lat - z.lat) < 0.05 AND abs(c.lon - z.lon) < 0.05;
SELECT ok(abs(stddev(lat) - (SELECT stddev(lat) FROM customer)) < 0.3, 'all over the country') FROM customers;
SELECT is((SELECT detail->>'near' FROM synth_columns('customer') WHERE name = 'lat'), 'zip', 'which is told');
SELECT throws_like($$SELECT * FROM synth_rows('customer', 1, given => '{"lat": 40}') AS t(lat numeric)$$, '%was learned as the distance from where "zip" is', 'a place cannot be given');
SELECT count(synth_fit('SELECT code, lat2, city FROM customer', model => 'coded', seed => 1)) \g /dev/null
SELECT ok(avg((abs(lat2 - lat) < 0.05)::int) > 0.998, 'nor need the code be text') FROM synth_rows('coded', 4000, seed => 2) AS t(code int, lat2 float8, city text) JOIN zip ON i = code;
SELECT ok(avg((abs(c.lat2 - zip.lat) < 0.05)::int) > 0.998, 'coordinates are completed') FROM synth_complete(NULL::customer, '{lat2}', seed => 2) AS c JOIN zip USING (zip);

-- logarithms
CREATE TABLE wage AS SELECT wage, ln(wage) AS lwage, round(log(years), 4) AS lyears, years FROM (SELECT exp(3 + normal() / 2) AS wage, 1 + floor(5000 * random())::numeric AS years FROM generate_series(1, 3000)) AS t;
SELECT count(synth_fit('wage', seed => 1)) \g /dev/null
SELECT is(count(*), 2000::bigint, 'a logarithm is one') FROM synth_sample(NULL::wage, 2000, seed => 2) WHERE abs(lwage - ln(wage)) < 1e-6 AND lyears = round(log(years), 4);

-- Codes of each year, which few pupils change: schools are numbered in the order of their districts, and no difference may take their place.
CREATE TABLE pupil AS
SELECT a, CASE WHEN left_at > 1 THEN b END AS b, CASE WHEN left_at > 2 THEN c END AS c, (a + 1) / 2 AS district, CASE WHEN left_at > 2 THEN 'type ' || c * 7 % 4 END AS type
FROM (SELECT a, b, CASE WHEN random() < 0.97 THEN b ELSE 1 + floor(78 * random())::int END AS c, floor(4 * random())::int AS left_at
	FROM (SELECT a, CASE WHEN random() < 0.96 THEN a ELSE 1 + floor(78 * random())::int END AS b FROM (SELECT 1 + floor(78 * random())::int AS a FROM generate_series(1, 6000)) AS t) AS u) AS v;
SELECT count(synth_fit('pupil', seed => 1)) \g /dev/null
SELECT is(count(*), 0::bigint, 'a district and a type of each school') FROM synth_sample(NULL::pupil, 6000, seed => 2) WHERE district <> (a + 1) / 2 OR type <> 'type ' || c * 7 % 4;
SELECT ok(avg((a = b)::int) BETWEEN 0.945 AND 0.975 AND avg((b = c)::int) BETWEEN 0.955 AND 0.985, 'few change schools') FROM synth_sample(NULL::pupil, 6000, seed => 2);

-- What adds to another column stays where the column is: a percentage is never above 100, and reaches it; a tail ends where it ended.
CREATE TABLE humid AS SELECT least(100, low + 8 + 60 * random())::int AS high, low, low + round(exp(2 + normal() / 2)::numeric)::int AS late
FROM (SELECT floor(95 * random())::int AS low FROM generate_series(1, 4000)) AS t;
SELECT count(synth_fit('humid', seed => 1)) \g /dev/null
SELECT ok(max(high) = 100 AND avg((high = 100)::int) > 0.2, 'bounds are reached, and kept') FROM synth_sample(NULL::humid, 4000, seed => 2);
SELECT ok(max(late) <= (SELECT max(late) FROM humid) AND bool_and(high >= low AND late >= low), 'and ends are kept, as the order is') FROM synth_sample(NULL::humid, 4000, seed => 2);

--
-- Values equal to another column's
--
CREATE TABLE bill AS
SELECT bill, CASE WHEN random() < 0.14 THEN bill ELSE (5000 * random())::int END AS paid, home, CASE WHEN random() < 0.7 THEN home WHEN random() < 0.7 THEN md5(random()::text) || ' road' END AS office
FROM (SELECT exp(8 + normal())::int AS bill, md5(random()::text) || ' street' AS home FROM generate_series(1, 5000)) AS t;
SELECT count(synth_fit('bill', seed => 1)) \g /dev/null
SELECT ok(avg((bill = paid)::int) BETWEEN 0.11 AND 0.17, 'bills that are paid in full') FROM synth_sample(NULL::bill, 5000, seed => 1);
SELECT ok(avg((home = office)::int) BETWEEN 0.74 AND 0.81, 'offices at home, though no home is known') FROM synth_sample(NULL::bill, 5000, seed => 1);
SELECT is(count(*), 300::bigint, 'what is given is no other column''s') FROM synth_sample(NULL::bill, 300, seed => 1, given => '{"paid": {"lt": 100}}') WHERE paid < 100;
SELECT ok(avg((home = office)::int) BETWEEN 0.74 AND 0.81, 'known values are copied as they are') FROM synth_complete(NULL::bill, '{office}', seed => 1);

SELECT * FROM finish();
ROLLBACK;
