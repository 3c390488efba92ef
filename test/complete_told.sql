-- Completed rows in which what is known tells what is drawn: dependencies and differences in both directions, equations for any of their members.
BEGIN;
SELECT plan(36);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
SELECT setseed(0.5);

-- a zip code determines a city, a city a region
CREATE TABLE zips AS SELECT 10000 + z * 37 AS zip, 'city' || z % 23 AS city, CASE WHEN z % 23 < 9 THEN 'north' ELSE 'south' END AS region, 3 + z * 7919 % 5 AS weight FROM generate_series(1, 90) AS z;
CREATE TABLE addr AS SELECT i AS id, zip, city, region, age FROM (SELECT i, ceil(random() * (SELECT sum(weight) FROM zips)) AS at, (random() * 50)::int + 20 AS age FROM generate_series(1, 4000) AS i) AS r
	JOIN (SELECT *, sum(weight) OVER (ORDER BY zip) - weight AS below, sum(weight) OVER (ORDER BY zip) AS upto FROM zips) AS z ON r.at > z.below AND r.at <= z.upto;
CREATE FUNCTION wrong_city(rows text) RETURNS numeric LANGUAGE plpgsql AS $$ DECLARE share numeric; BEGIN
	EXECUTE 'SELECT avg((z.city IS DISTINCT FROM c.city)::int) FROM (' || rows || ') AS c LEFT JOIN zips AS z USING (zip)' INTO share; RETURN share; END $$;
SELECT is(wrong_city($$SELECT * FROM synth_complete(NULL::addr, '{city}', seed => 1)$$), 0::numeric, 'a city, given the zip code');
CREATE TABLE done AS SELECT * FROM synth_complete(NULL::addr, '{zip}', seed => 1);
SELECT is(wrong_city('SELECT * FROM done'), 0::numeric, 'a zip code, given the city');
SELECT cmp_ok((SELECT sum((d.n - e.n)::numeric ^ 2 / e.n) FROM (SELECT zip, count(*) AS n FROM addr GROUP BY 1 HAVING count(*) >= 20) AS e JOIN (SELECT zip, count(*) AS n FROM done GROUP BY 1) AS d USING (zip)), '<', 180::numeric,
	'each as often as in the source (chi-square)');
SELECT cmp_ok((SELECT count(*) FROM done JOIN addr USING (id) WHERE done.zip <> addr.zip), '>', 2000::bigint, 'and anew');
SELECT is((SELECT count(*) FROM synth_complete(NULL::addr, '{zip,city}', seed => 1) AS c LEFT JOIN zips AS z USING (zip) WHERE z.city <> c.city OR z.region <> c.region), 0::bigint, 'both, given the region');
SELECT is((SELECT count(*) FROM synth_complete(NULL::addr, '{zip,region}', seed => 1) AS c LEFT JOIN zips AS z USING (zip) WHERE z.city <> c.city OR z.region <> c.region), 0::bigint, 'what is above and below');

-- models that learned the city as what follows from the zip code
SELECT synth_fit('SELECT zip, city, age FROM addr', model => 'follows ' || m, method => m, seed => 1, options => '{"refine": 0}') FROM unnest('{tree,copula}'::text[]) AS m;
SELECT is(wrong_city(format($$SELECT * FROM synth_complete(NULL::addr, '{zip}', source => 'SELECT zip, city, age FROM addr', model => 'follows %s', seed => 1)$$, m)), 0::numeric, m || ': the reverse of what a model learned')
	FROM unnest('{tree,copula}'::text[]) AS m;

-- what a known column is looked up from is drawn by all of the row: a model that was not fitted to complete rows, of few and of many cities
CREATE TABLE paid AS SELECT i AS id, 10000 + z * 37 AS zip, 'city' || z % 40 AS city, (500 + 10 * (z * 7919 % 89) + random() * 100)::int AS pay FROM (SELECT i, floor(random() * 200)::int AS z FROM generate_series(1, 8000) AS i) AS r;
SELECT synth_fit('SELECT zip, city, pay FROM paid', model => 'paid ' || o, method => 'tree', seed => 1, options => jsonb_build_object('refine', 0, 'order', jsonb_build_array(o))) FROM unnest('{pay,zip}'::text[]) AS o;
SELECT cmp_ok((SELECT corr(c.pay, r.pay)::numeric FROM synth_complete(NULL::paid, '{zip}', source => 'SELECT zip, city, pay FROM paid', model => 'paid ' || o, seed => 1) AS c
	JOIN (SELECT zip, avg(pay) AS pay FROM paid GROUP BY 1) AS r USING (zip)), '>', 0.95, 'what was paid tells which zip code of a city, if ' || o || ' comes first') FROM unnest('{pay,zip}'::text[]) AS o;
SELECT is((SELECT count(*) FROM synth_complete(NULL::paid, '{zip}', source => 'SELECT zip, city, pay FROM paid', model => 'paid pay', seed => 1) AS c WHERE city <> 'city' || (zip - 10000) / 37 % 40), 0::bigint, 'and it is of the city');

CREATE TABLE sorted AS SELECT i AS id, CASE WHEN (z % 2 = 0) = (random() < 0.9) THEN 'even' ELSE 'odd' END AS kind, 10000 + z * 37 AS zip, 'city' || z % 40 AS city FROM (SELECT i, floor(random() * 200)::int AS z FROM generate_series(1, 4000) AS i) AS r;
SELECT synth_fit('SELECT kind, zip, city FROM sorted', model => 'sorted', method => 'tree', seed => 1, options => '{"refine": 0, "order": ["kind", "zip"]}');
SELECT cmp_ok((SELECT avg(((kind = 'even') = (substr(city, 5)::int % 2 = 0))::int) FROM synth_complete(NULL::sorted, '{kind,zip}', source => 'SELECT kind, zip, city FROM sorted', model => 'sorted', seed => 1) AS c
	WHERE city = 'city' || (zip - 10000) / 37 % 40), '>', 0.85, 'and so is what is drawn before it');

-- trees whose chain draws what is known after what is not: as often as rows of the whole model that have it (chi-square)
CREATE TABLE job AS SELECT i AS id, sex, job, CASE WHEN random() < CASE job WHEN 'nurse' THEN 0.8 WHEN 'clerk' THEN 0.5 ELSE 0.1 END THEN 'day' ELSE 'night' END AS shift, (random() * 100)::int + CASE job WHEN 'clerk' THEN 60 ELSE 0 END AS pay
	FROM (SELECT *, CASE WHEN random() < 0.2 THEN 'clerk' WHEN (sex = 'F') = (random() < 0.9) THEN 'nurse' ELSE 'smith' END AS job FROM (SELECT i, CASE WHEN random() < 0.5 THEN 'F' ELSE 'M' END AS sex FROM generate_series(1, 6000) AS i) AS r) AS r;
SELECT synth_fit('job', model => 'chain', method => 'tree', seed => 1, exclude => '{id}', options => '{"order": ["job", "sex", "shift", "pay"], "refine": 0}');
CREATE TABLE whole AS SELECT (s).sex, (s).shift, (s).pay / 20 AS pay, (s).job, count(*) AS n FROM (SELECT synth_sample(NULL::job, 60000, model => 'chain', seed => 5) AS s) AS s GROUP BY 1, 2, 3, 4;
CREATE TABLE given AS SELECT sex, shift, pay / 20 AS pay, job, count(*) AS n FROM synth_complete(NULL::job, '{job}', model => 'chain', seed => 1) GROUP BY 1, 2, 3, 4;
SELECT cmp_ok((SELECT sum((coalesce(given.n, 0) - e.n) ^ 2 / e.n) FROM (SELECT sex, shift, pay, job, n::numeric * (SELECT sum(n) FROM given WHERE (given.sex, given.shift, given.pay) = (whole.sex, whole.shift, whole.pay)) / sum(n) OVER (PARTITION BY sex, shift, pay) AS n FROM whole) AS e
	LEFT JOIN given USING (sex, shift, pay, job) WHERE e.n >= 5), '<', 120::numeric, 'a tree model is given what comes after in its chain');
SELECT cmp_ok((SELECT sum(n) FROM given WHERE job = 'nurse' AND sex = 'F' AND shift = 'day') / (SELECT sum(n) FROM given WHERE sex = 'F' AND shift = 'day'), '>', 0.75, 'all of it');
SELECT is((SELECT array_agg(job ORDER BY id) FROM synth_complete(NULL::job, '{job}', model => 'chain', seed => 1)), (SELECT array_agg(job ORDER BY id) FROM synth_complete(NULL::job, '{job}', model => 'chain', seed => 1)), 'and a seed says which');

-- exceptions are as frequent
CREATE TABLE odd AS SELECT id, zip, CASE WHEN id % 50 = 0 THEN 'nowhere' ELSE city END AS city, age FROM addr;
SELECT cmp_ok(abs(wrong_city($$SELECT * FROM synth_complete(NULL::odd, '{zip}', seed => 1)$$) - 0.02), '<', 0.015, 'exceptions, given the city');
SELECT cmp_ok(abs(wrong_city($$SELECT * FROM synth_complete(NULL::odd, '{city}', seed => 1)$$) - 0.02), '<', 0.015, 'and given the zip code');

-- what the model does not know says nothing
INSERT INTO addr VALUES (-1, 1, 'city1', 'north', 30), (-2, 10037, 'never seen', 'north', 30), (-3, NULL, NULL, NULL, NULL);
SELECT is((SELECT count(*) FROM synth_complete(NULL::addr, '{city}', seed => 1) WHERE id < 0 AND city LIKE 'city%'), 2::bigint, 'a zip code of one row');
SELECT cmp_ok((SELECT zip FROM synth_complete(NULL::addr, '{zip}', seed => 1) WHERE id = -2), '>', 10000, 'a city of one row');

-- a NULL that another column decides on
CREATE TABLE stay AS SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'open' WHEN i % 3 = 1 THEN 'done' ELSE 'paid' END AS state, CASE WHEN i % 3 > 0 THEN (random() * 100)::int END AS cost, (random() * 9)::int AS n FROM generate_series(1, 3000) AS i;
SELECT is((SELECT count(*) FROM synth_complete(NULL::stay, '{state}', seed => 1) WHERE (state = 'open') <> (cost IS NULL)), 0::bigint, 'NULLs tell a state');
SELECT is((SELECT count(*) FROM synth_complete(NULL::stay, '{state}', seed => 1) AS c WHERE state IS NULL), 0::bigint, 'which is never NULL');

-- equations: any single member
CREATE TABLE inv AS SELECT i AS id, net, round(net * 1.19, 2) AS gross, net * qty AS total, qty, kind
	FROM (SELECT i, round((exp(random() * 4) * 10)::numeric, 2) AS net, (random() * 9)::int + 1 AS qty, CASE WHEN random() < 0.3 THEN 'a' ELSE 'b' END AS kind FROM generate_series(1, 2000) AS i) AS r;
CREATE FUNCTION wrong_sums(drawn text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM synth_complete(NULL::inv, drawn::text[], seed => 1) WHERE gross <> round(net * 1.19, 2) OR total <> net * qty $$;
SELECT is(wrong_sums(d), 0::bigint, 'equations hold where ' || d || ' is drawn') FROM (VALUES ('{net}'), ('{gross}'), ('{total}'), ('{qty}'), ('{net,gross}'), ('{net,total}'), ('{net,qty}')) AS v(d);
CREATE TABLE parts AS SELECT i AS id, a, b, a + b AS c FROM (SELECT i, (random() * random() * 1000)::int AS a, (random() * 500)::int AS b FROM generate_series(1, 2000) AS i) AS r;
SELECT is((SELECT count(*) FROM synth_complete(NULL::parts, ARRAY[d], seed => 1) WHERE a + b <> c), 0::bigint, 'a sum, and ' || d || ' of it') FROM unnest('{a,b,c}'::text[]) AS d;
UPDATE inv SET gross = NULL WHERE id % 10 = 0;
SELECT is((SELECT count(*) FROM synth_complete(NULL::inv, '{net}', seed => 1) WHERE gross <> round(net * 1.19, 2) OR net IS NULL), 0::bigint, 'where what tells is NULL it is drawn');
ALTER TABLE inv ADD CHECK (gross = round(net * 1.19, 2)), ADD CHECK (abs(total - net * qty) < 0.005);
SELECT is((SELECT count(*) FROM synth_complete(NULL::inv, '{qty}', seed => 1) AS c JOIN inv USING (id) WHERE abs(c.total - c.net * c.qty) >= 0.005 OR (c.net, c.total) IS DISTINCT FROM (inv.net, inv.total)), 0::bigint, 'as a condition of the table, in rows that stay their own');

-- differences, both ways
CREATE TABLE span AS SELECT i AS id, d AS begins, d + (random() * random() * 30)::int AS ends FROM (SELECT i, date '2023-01-01' + (random() * 700)::int AS d FROM generate_series(1, 2000) AS i) AS r;
SELECT is((SELECT count(*) FROM synth_complete(NULL::span, ARRAY[d], seed => 1) WHERE ends < begins), 0::bigint, d || ': no span ends before it begins') FROM unnest('{begins,ends}'::text[]) AS d;
SELECT cmp_ok(abs((SELECT avg(ends - begins) FROM synth_complete(NULL::span, '{begins}', seed => 1)) - (SELECT avg(ends - begins) FROM span)), '<', 1::numeric, 'and spans are as long');

SELECT * FROM finish();
ROLLBACK;
