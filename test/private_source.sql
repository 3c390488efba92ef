-- Differentially private fits of views, queries and tables with policies: what
-- one row cannot move is learned, all else is refused, and the part is named.
\ir lib/as_role.sql
SELECT no_plan();
SET client_min_messages = warning;
CREATE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release';
CREATE FUNCTION probe_counts(what text, recording int) RETURNS bigint[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_counts';
CREATE TABLE stays (id int PRIMARY KEY, patient text NOT NULL, age int NOT NULL CHECK (age BETWEEN 0 AND 99), day date, kind text, ok boolean,
	price numeric(6,2), ratio float8, seen timestamptz, mood text COLLATE "C");
CREATE TYPE pair AS (document json, list json[]);
CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TABLE stays ADD left_at timestamp, ADD folded text COLLATE folding, ADD amount numeric, ADD list json[], ADD whole pair, ADD span int4range;
INSERT INTO stays SELECT i, 'p' || i % 3000, i % 90, date '2020-01-01' + i % 300, (ARRAY['in', 'Out'])[1 + i % 2], i % 3 = 0, i % 50, i,
	'2020-01-01 UTC'::timestamptz + i * interval '1 h', 'm' || i % 2 FROM generate_series(1, 8000) i;
CREATE TABLE others AS SELECT 1 AS id, 2 AS age;
CREATE TEMP TABLE passing AS SELECT 1 AS id, 2 AS age;

-- What is learned.
CREATE VIEW seen AS SELECT id AS nr, patient AS who, age, age / 10 AS decade, lower(kind) AS kind, extract(month FROM day) AS month,
	CASE WHEN price > 10 THEN 'dear' ELSE 'cheap' END AS worth, coalesce(day, '2020-01-01') AS day, nullif(mood, 'm1') AS mood, age::text AS age_text,
	ratio > 5 IS TRUE AS much, current_user = 'nobody' AS mine, greatest(least(age, 50), 5, ratio) AS within, date_part('month', left_at) AS left_in,
	floor(price) AS whole_price, strpos(kind, 'n') AS at, starts_with(kind, 'i') AS starts
FROM stays WHERE age > -1 AND kind LIKE 'i%' AND (patient = ANY ('{p1,p2}') OR age IN (2, 4) OR NOT ok);
CREATE VIEW seen_again WITH (security_barrier) AS SELECT nr, age, kind, decade, worth, mood, much, day, month, age_text FROM seen WHERE age BETWEEN 4 AND 80;
SELECT lives_ok($$SELECT synth_fit('seen_again', epsilon => 5, options => '{"bounds": {"month": [1, 12]}}')$$, 'views of views');
SELECT ok((SELECT bool_and(kind = 'in' AND age BETWEEN 0 AND 99 AND worth IN ('dear', 'cheap') AND nr IS NOT NULL) AND count(DISTINCT nr) = 500
	FROM synth_sample(NULL::seen_again, 500)), 'come out, with the keys and checks of the table');
SELECT is((SELECT array_agg(relation) FROM synth_ledger), '{public.stays}', 'the table underneath is charged');
SELECT synth_budget('stays', 100, 1e-4) \g /dev/null
SELECT lives_ok($$SELECT synth_fit('SELECT age, kind AS source, ok FROM stays WHERE NOT ok ORDER BY id', model => 'q', epsilon => 1)$$, 'a query');
SELECT ok((SELECT abs(rows - 5333) < 200 FROM synth_models WHERE model = 'q'), 'learns the rows that meet its condition');
SELECT ok((SELECT count(*) = 2 AND count(DISTINCT relation) = 1 FROM synth_ledger), 'is charged to the same account');
SELECT lives_ok($$SELECT synth_fit('SELECT age FROM ONLY stays AS s (a, b, age)', model => 'q', epsilon => 0.1)$$, 'aliases');

-- Materialized views are looked through.
CREATE VIEW old AS SELECT id AS nr, patient AS who, age AS years, age / 10 AS decade FROM stays WHERE age > 17;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM old WHERE years < 60;
CREATE VIEW from_kept AS SELECT nr AS number, who, years FROM kept;
SELECT lives_ok($$SELECT synth_fit('kept', epsilon => 1, exclude => '{who}')$$, 'a materialized view');
SELECT ok(min((r ->> 'years')::int) >= 0 AND max((r ->> 'years')::int) <= 99 AND avg((r ->> 'years')::int) BETWEEN 30 AND 50 AND count(DISTINCT r ->> 'nr') = 500, 'has its table''s keys and checks') FROM synth_sample('kept', 500, seed => 1) r;
SELECT lives_ok($$SELECT synth_fit('from_kept', epsilon => 1, options => '{"privacy_unit": "who"}')$$, 'units by way of a view and it');
SELECT is((SELECT array_agg(relation || coalesce(' by ' || unit, '') ORDER BY id) FROM synth_ledger WHERE model IN ('kept', 'from_kept')),
	'{public.stays,"public.stays by patient"}', 'the table underneath is charged');
DROP VIEW from_kept;
DROP MATERIALIZED VIEW kept;
CREATE MATERIALIZED VIEW kept AS SELECT age, count(*) AS n FROM stays GROUP BY age;
CREATE MATERIALIZED VIEW kept_by_role AS SELECT age FROM stays WHERE id IN (SELECT id FROM others);

-- Units of a view: a column of the table, whatever the view calls it.
SELECT lives_ok($$SELECT synth_fit('SELECT patient AS who, age, kind FROM stays', model => 'u', epsilon => 1, options => '{"privacy_unit": "who"}')$$, 'a unit of a query');
SELECT is((SELECT unit FROM synth_ledger ORDER BY id DESC LIMIT 1), 'patient', 'is kept as the table calls it');
SELECT ok((SELECT abs(rows - 3000) < 300 FROM synth_models WHERE model = 'u'), 'of each, one row counts');
SELECT throws_ok($$SELECT synth_fit('SELECT lower(patient) AS patient, age FROM stays', model => 'u', epsilon => 1, options => '{"privacy_unit": "patient"}')$$,
	'22023', 'option "privacy_unit" names column "patient", which is computed', 'one that is computed is none');
CREATE TABLE held AS SELECT i % 500 AS patient, i % 7 AS age, i % 3 AS kind FROM generate_series(1, 1000) i;
SELECT synth_budget('held', 10, 1e-5, unit => 'patient') \g /dev/null
SELECT throws_ok($$SELECT synth_fit('SELECT kind AS patient, age FROM held', model => 'h', epsilon => 1, options => '{"privacy_unit": "patient"}')$$,
	'55000', 'privacy budget of public.held is for all rows of each "patient"', 'a name that another column takes is seen through');

-- Neighbours by way of a query, and of its units.
CREATE FUNCTION moved(source text, change text, options jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	most bigint;
BEGIN
	PERFORM probe_release('record');
	PERFORM synth_fit(source, model => 'n', epsilon => 1, options => options);
	EXECUTE change;
	PERFORM probe_release('play');
	PERFORM synth_fit(source, model => 'n', epsilon => 1, options => options);
	PERFORM probe_release('off');
	SELECT max(n) INTO most FROM (SELECT sum(abs(a - b)) AS n FROM
		unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v) GROUP BY v) s;
	RETURN most;
END $$;
SELECT is(moved('SELECT age / 10 AS decade, kind, ratio, day, mood FROM stays WHERE age < 50', $$INSERT INTO stays VALUES
	(9001, 'x', 7, '0001-01-01', 'secret', NULL, 0, 'Infinity', 'infinity', 'y')$$, '{}'), 1::bigint, 'a row of a query moves one cell of each vector');
SELECT is(moved('SELECT age / 10 AS decade, kind, ratio, day, mood FROM stays WHERE age < 50', $$INSERT INTO stays VALUES
	(9002, 'x', 7, '9999-12-31', NULL, NULL, 0, '-Infinity', '-infinity', NULL)$$, '{}'), 1::bigint, 'of nulls, infinity and year 9999 too');
SELECT is(moved('SELECT age, kind FROM stays WHERE age < 50', $$INSERT INTO stays (id, patient, age) VALUES (9003, 'x', 70)$$, '{}'),
	0::bigint, 'one that does not meet its condition, none');
SELECT is(moved('SELECT patient AS who, age, kind FROM stays WHERE age < 50', $$INSERT INTO stays (id, patient, age, kind)
	SELECT 10000 + i, 'another', i % 90, 'k' || i FROM generate_series(1, 10000) i$$, '{"privacy_unit": "who"}'), 1::bigint, 'a unit of 10,000 rows');

-- What is refused, directly and by a view.
CREATE FUNCTION mine(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT count(*)::int FROM stays';
CREATE DOMAIN small AS int CHECK (value < 1000);
CREATE TEMP TABLE bad (query text, part text);
INSERT INTO bad VALUES
	('SELECT s.age FROM stays s JOIN others o ON s.id = o.id', 'joins'),
	('SELECT s.age FROM stays s LEFT JOIN others o ON s.id = o.id', 'joins'),
	('SELECT s.age FROM stays s, others o', 'joins'),
	('SELECT s.age FROM stays s, LATERAL (SELECT 1 WHERE s.ok) o', 'joins'),
	('SELECT kind, count(*) AS n FROM stays GROUP BY kind', 'grouping or aggregates'),
	('SELECT kind FROM stays GROUP BY kind', 'grouping or aggregates'),
	('SELECT max(age) AS age FROM stays', 'grouping or aggregates'),
	('SELECT 1 AS one FROM stays HAVING true', 'grouping or aggregates'),
	('SELECT DISTINCT kind FROM stays', 'DISTINCT'),
	('SELECT DISTINCT ON (kind) age FROM stays', 'DISTINCT'),
	('SELECT age FROM stays LIMIT 100', 'LIMIT or OFFSET'),
	('SELECT age FROM stays ORDER BY age OFFSET 1', 'LIMIT or OFFSET'),
	('SELECT age, row_number() OVER (ORDER BY id) AS n FROM stays', 'window functions'),
	('SELECT age FROM stays UNION ALL SELECT age FROM stays', 'UNION, INTERSECT or EXCEPT'),
	('SELECT age FROM stays EXCEPT SELECT age FROM others', 'UNION, INTERSECT or EXCEPT'),
	('SELECT age FROM stays WHERE id IN (SELECT id FROM others)', 'subqueries'),
	('SELECT age, (SELECT max(age) FROM others) AS m FROM stays', 'subqueries'),
	('SELECT age FROM stays ORDER BY (SELECT 1)', 'subqueries'),
	('WITH s AS (SELECT age FROM stays) SELECT age FROM s', 'WITH'),
	('SELECT age FROM stays TABLESAMPLE SYSTEM (50)', 'TABLESAMPLE'),
	('SELECT age, generate_series(1, 3) AS n FROM stays', 'set-returning functions'),
	('SELECT n FROM generate_series(1, 3) AS n', 'functions in FROM'),
	('SELECT 1 AS one', 'no table'),
	('VALUES (1), (2)', 'no table'),
	('SELECT age, random() AS r FROM stays', 'function random, which is not immutable,'),
	('SELECT age FROM stays WHERE random() < 0.5', 'function random, which is not immutable,'),
	('SELECT age FROM stays WHERE seen < now()', 'function now, which is not immutable,'),
	('SELECT mine(age) AS m FROM stays', 'function mine, which is not PostgreSQL''s own,'),
	('SELECT 1 / age AS m FROM stays', 'function int4div, which can fail,'),
	('SELECT age / 0 AS m FROM stays', 'function int4div, which can fail,'),
	('SELECT age / (-1) AS m FROM stays', 'function int4div, which can fail,'),
	('SELECT age * 1000 AS m FROM stays', 'function int4mul, which can fail,'),
	('SELECT age FROM stays WHERE sqrt(ratio) > 5', 'function sqrt, which can fail,'),
	($$SELECT age FROM stays WHERE kind LIKE 'x\'$$, 'function textlike, which can fail,'),
	('SELECT age FROM stays WHERE kind LIKE mood', 'function textlike, which can fail,'),
	('SELECT age FROM stays WHERE ok AND current_setting(kind) = ''x''', 'function current_setting, which is not immutable,'),
	('SELECT age FROM stays WHERE length(lseg(point(0, ratio), point(1, 2))) > 5', 'function length, which can fail,'),
	('SELECT age FROM stays WHERE 5 = ANY (ARRAY[ARRAY[age], ARRAY[1]])', 'arrays of arrays'),
	('SELECT kind::int AS m FROM stays', 'a cast from text to integer'),
	('SELECT extract(hour FROM day) AS m FROM stays', 'function extract, which can fail,'),
	($$SELECT date_part('year', day) AS m FROM stays$$, 'function date_part, which can fail,'),
	($$SELECT extract(foo FROM day) AS m FROM stays$$, 'function extract, which can fail,'),
	($$SELECT date_part(kind, left_at) AS m FROM stays$$, 'function date_part, which can fail,'),
	($$SELECT strpos(folded, 'x') AS m FROM stays$$, 'function strpos, which can fail,'),
	($$SELECT age FROM stays WHERE starts_with(folded, 'x')$$, 'function starts_with, which can fail,'),
	($$SELECT age FROM stays WHERE folded ^@ 'x'$$, 'function starts_with, which can fail,'),
	($$SELECT age FROM stays WHERE folded LIKE 'x%'$$, 'function textlike, which can fail,'),
	('SELECT age FROM stays WHERE ceil(amount) > 5', 'function ceil, which can fail,'),
	('SELECT age FROM stays WHERE floor(amount) > 5', 'function floor, which can fail,'),
	('SELECT age FROM stays WHERE list = list', 'function array_eq, which can fail,'),
	('SELECT age FROM stays WHERE whole = whole', 'function record_eq, which can fail,'),
	('SELECT md5(kind) AS m FROM stays', 'function md5, which can fail,'),
	('SELECT greatest(span, span) AS m FROM stays', 'function range_cmp, which can fail,'),
	('SELECT age FROM stays ORDER BY span', 'function range_lt, which can fail,'),
	('SELECT age::small AS m FROM stays', 'expressions of this kind'),
	('SELECT age FROM stays WHERE ctid > ''(0,5)''', 'system columns or whole rows'),
	('SELECT age FROM stays WHERE tableoid = 5', 'system columns or whole rows'),
	('SELECT age FROM stays s WHERE s IS NOT NULL', 'system columns or whole rows');
SELECT count(*) AS charged FROM synth_ledger \gset
SELECT throws_ok(format('SELECT synth_fit(%L, model => ''bad'', epsilon => 1)', query), '0A000', format('sources with %s cannot be learned with epsilon', part), query) FROM bad;
SELECT throws_ok($$SELECT synth_fit('SELECT age FROM stays WHERE age > 1000 AND current_setting(''no.such'') = ''x''', model => 'bad', epsilon => 1)$$,
	'42704', NULL, 'a setting that is missing is so before there is a row');
CREATE FUNCTION by_view(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW inner_view AS ' || query;
	EXECUTE 'CREATE VIEW outer_view AS SELECT * FROM inner_view';
	PERFORM synth_fit('outer_view', epsilon => 1);
	RETURN 'learned';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is(by_view(query), format('0A000 sources with %s cannot be learned with epsilon', part), 'by a view: ' || query) FROM bad
WHERE query !~ 'generate_series\(1, 3\) AS n$|VALUES';
SELECT is(by_view('SELECT age FROM stays FOR ' || l), '0A000 source must not lock rows', 'nor FOR ' || l) FROM unnest('{UPDATE,KEY SHARE}'::text[]) l;
SELECT throws_ok('SELECT synth_fit(' || quote_literal(q) || ', model => ''bad'', epsilon => 1)', '0A000', 'sources with ' || p || ' cannot be learned with epsilon', 'materialized: ' || q)
FROM (VALUES ('kept', 'grouping or aggregates'), ('SELECT age FROM kept', 'grouping or aggregates'), ('kept_by_role', 'subqueries')) AS v(q, p);
SELECT throws_ok($$SELECT synth_fit('SELECT age FROM passing', model => 'bad', epsilon => 1)$$, '0A000', 'temporary tables cannot be learned with epsilon',
	'a temporary table by a query');
CREATE TABLE divided (age int) PARTITION BY RANGE (age);
CREATE TABLE near PARTITION OF divided DEFAULT;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE afar PARTITION OF divided FOR VALUES FROM (1000) TO (2000) SERVER nowhere;
SELECT throws_ok($$SELECT synth_fit('divided', epsilon => 1)$$, '0A000', 'public.afar cannot be learned with epsilon', 'not one with a foreign part');
SELECT throws_ok($$SELECT synth_fit('SELECT age FROM pg_catalog.pg_class, stays', model => 'bad', epsilon => 1)$$, '0A000', NULL, 'joins with catalogs');
SELECT is((SELECT count(*) FROM synth_ledger), :charged::bigint, 'nothing of that was charged');

-- Policies of a plain table.
CREATE ROLE source_reader;
CREATE TABLE guarded (id int PRIMARY KEY, ward int NOT NULL CHECK (ward BETWEEN 0 AND 9), who text CHECK (who IN ('mine', 'theirs')));
INSERT INTO guarded SELECT i, i % 10, CASE WHEN i % 2 = 0 THEN 'mine' ELSE 'theirs' END FROM generate_series(1, 2000) i;
GRANT SELECT ON guarded, others TO source_reader;
GRANT CREATE ON SCHEMA public TO source_reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION by_policy(condition text, source text DEFAULT 'guarded') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE POLICY mine ON guarded USING (%s)', condition);
	SET LOCAL ROLE source_reader;
	PERFORM synth_fit(source, model => 'by_reader', epsilon => 0.5);
	RESET ROLE;
	DROP POLICY mine ON guarded;
	RETURN 'learned';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is(by_policy(condition), result, 'policy: ' || condition) FROM (VALUES
	('who = ''mine''', 'learned'), ('who <> current_user', 'learned'), ('who <> current_setting(''application_name'')', 'learned'),
	('ward IN (SELECT age FROM others)', '0A000 row-level policies of public.guarded with subqueries cannot be learned with epsilon'),
	('EXISTS (SELECT FROM others o WHERE o.id = ward)', '0A000 row-level policies of public.guarded with subqueries cannot be learned with epsilon'),
	('random() < 0.5', '0A000 row-level policies of public.guarded with function random, which is not immutable, cannot be learned with epsilon'),
	('mine(ward) > 0', '0A000 row-level policies of public.guarded with function mine, which is not PostgreSQL''s own, cannot be learned with epsilon'),
	('10 / ward > 1', '0A000 row-level policies of public.guarded with function int4div, which can fail, cannot be learned with epsilon')) AS v(condition, result);
SELECT is(by_policy('ward IN (SELECT age FROM others)', 'SELECT who FROM guarded'),
	'0A000 row-level policies of public.guarded with subqueries cannot be learned with epsilon', 'in a query, too');
SELECT is(by_policy('who = ''mine''', 'SELECT who FROM guarded WHERE ward > 3'), 'learned', 'others are learned there');
-- A view reads with its owner's rights, whom no policy stops.
CREATE VIEW shown AS SELECT ward, who FROM guarded WHERE ward < 5;
GRANT SELECT ON shown TO source_reader;
SELECT is(by_policy('ward IN (SELECT age FROM others)', 'shown'), 'learned', 'a view that the policy does not apply to');
SELECT ok((SELECT array_to_string(notes, ' ') ~ 'through a view with the rights' FROM gensynth.versions WHERE model = 'by_reader' ORDER BY version DESC LIMIT 1),
	'and its rights are noted');
CREATE VIEW not_shown AS SELECT ward, who FROM guarded;
SELECT is(as_role('source_reader', $$SELECT synth_fit('not_shown', epsilon => 0.1)$$), '42501', 'without a right to the view');
SELECT is((SELECT count(*) FROM synth_ledger WHERE model = 'not_shown'), 0::bigint, 'nothing is charged');

-- Parents that are public: their keys are all there are.
CREATE TABLE wards (code text PRIMARY KEY, name text);
INSERT INTO wards SELECT 'w' || i FROM generate_series(1, 7) i;
CREATE TABLE rooms (number int PRIMARY KEY);
INSERT INTO rooms SELECT generate_series(1, 2000);
CREATE TABLE floors (number int PRIMARY KEY);
CREATE TABLE nights (ward text REFERENCES wards, room int REFERENCES rooms, floor int REFERENCES floors, age int CHECK (age BETWEEN 0 AND 9));
INSERT INTO nights SELECT CASE WHEN i % 4 > 0 THEN 'w' || 1 + i % 3 END, i, NULL, i % 10 FROM generate_series(1, 2000) i;
SELECT lives_ok($$SELECT synth_fit('nights', epsilon => 3, exclude => '{room,floor}', options => '{"public": ["wards"]}')$$, 'a public parent');
SELECT ok((SELECT bool_and(r ->> 'ward' IN (SELECT code FROM wards)) AND abs(avg((r ->> 'ward' = 'w1')::int) - 1 / 3.0) < 0.1
	FROM synth_sample('nights', 2000, seed => 1) r WHERE r ->> 'ward' IS NOT NULL), 'gives the keys');
SELECT is((SELECT steps @> '[{"cells": 8}]' FROM synth_ledger WHERE model = 'nights'), true, 'which cost what cells that are known do');
SELECT lives_ok($$SELECT synth_fit('SELECT ward AS w, age FROM nights WHERE age < 5', model => 'q', epsilon => 1, options => '{"public": ["public.wards"]}')$$, 'in a query, too');
SELECT throws_ok('SELECT synth_fit(''nights'', epsilon => 1, exclude => ''{age}'', options => ''{"public": ["' || t || '"]}'')', s, m, 'public: ' || t) FROM (VALUES
	('nowhere', '42P01', 'relation "nowhere" does not exist'),
	('nights', '22023', 'table public.nights in option "public" is what is learned'),
	('stays', '55000', 'table public.stays in option "public" has a privacy budget'),
	('others', '22023', 'no column that is learned refers to table public.others in option "public"'),
	('floors', '22023', 'table public.floors in option "public" has no keys'),
	('rooms', '22023', 'table public.rooms in option "public" has more than 1024 keys')) AS v(t, s, m);
SELECT throws_ok('SELECT synth_fit(''nights'', epsilon => 1, options => ''{"public": ' || v || '}'')', '22023', m, 'public: ' || v) FROM (VALUES
	('[]', 'option "public" cannot be used together with epsilon'), ('true', 'option "public" cannot be used together with epsilon'),
	('"wards"', 'option "public" is out of range'), ('[1]', 'option "public" must be an array of names of tables')) AS bad(v, m);
SELECT throws_ok($$SELECT synth_fit('nights', options => '{"public": ["wards"]}')$$, '22023', 'option "public" means nothing without epsilon', 'tables without epsilon');
-- Joins to public tables by a unique key of theirs: a row has one of them at most.
ALTER TABLE wards ADD beds int CHECK (beds BETWEEN 0 AND 99), ADD building text, ADD UNIQUE (building, beds);
UPDATE wards SET beds = substr(code, 2)::int, building = 'b' || substr(code, 2)::int % 2;
CREATE UNIQUE INDEX ON wards (name) WHERE name > 'a';
CREATE VIEW with_wards AS SELECT n.age, n.ward, w.beds, w.building FROM nights n LEFT JOIN wards w ON w.code = n.ward AND w.beds < 99;
CREATE TEMP TABLE by_wards AS SELECT '{"public": ["wards"], "bounds": {"beds": [0, 9]}, "categories": {"building": ["b0", "b1"]}}'::jsonb AS options;
SELECT is(moved(q, $$INSERT INTO nights VALUES ('w3', NULL, NULL, 4)$$, options), 1::bigint, 'a row moves one cell: ' || q) FROM by_wards, (VALUES
	('SELECT * FROM with_wards'), ('SELECT age, w.code, w.beds, w.building FROM nights JOIN wards w ON ward = w.code WHERE w.beds < 5'),
	('SELECT n.age, a.beds, w.building FROM (nights n JOIN wards w ON ''w3'' = w.code) LEFT JOIN wards a ON a.building = w.building AND n.age = a.beds')) AS v(q);
SELECT is((SELECT array_agg(DISTINCT relation) FROM synth_ledger WHERE model = 'n' AND id > (SELECT max(id) - 6 FROM synth_ledger)), '{public.nights}', 'the other is charged');
SELECT synth_fit('with_wards', model => 'joined', epsilon => 50, options => options) FROM by_wards \g /dev/null
SELECT ok((SELECT avg((r ->> 'beds' = substr(r ->> 'ward', 2))::int) > 0.8 FROM synth_sample('joined', 2000, seed => 1) r WHERE r ->> 'ward' IS NOT NULL),
	'what a public table says of a row is learned');
SELECT throws_ok(format('SELECT synth_fit(%L, model => ''bad'', epsilon => 1, options => ''{"public": ["wards"]}'')', q), '0A000',
	'sources with joins cannot be learned with epsilon', q) FROM (VALUES
	('SELECT n.age FROM nights n JOIN wards w ON n.ward > w.code'), ('SELECT n.age FROM nights n JOIN wards w ON n.ward = w.building'),
	('SELECT n.age FROM nights n JOIN wards w ON n.ward = w.code OR n.age = 1'), ('SELECT n.age FROM nights n JOIN wards w ON w.code = w.code'),
	('SELECT n.age FROM nights n JOIN wards w ON n.ward = w.name'), ('SELECT n.age FROM nights n JOIN wards w ON n.ward = w.building AND n.age < 3'),
	('SELECT n.age FROM nights n RIGHT JOIN wards w ON n.ward = w.code'), ('SELECT n.age FROM nights n FULL JOIN wards w ON n.ward = w.code'),
	('SELECT n.age FROM nights n, wards w WHERE n.ward = w.code'), ('SELECT n.age FROM wards w JOIN nights n ON n.ward = w.code'),
	('SELECT n.age FROM nights n JOIN (SELECT * FROM wards) w ON n.ward = w.code'), ('SELECT n.age FROM nights n JOIN nights m ON n.ward = m.ward'),
	('SELECT n.age FROM nights n JOIN floors f ON n.floor = f.number')) AS v(q);
SELECT throws_ok($$SELECT synth_fit('SELECT n.age FROM nights n JOIN wards w ON n.ward = w.code AND 1 / w.beds > 0', model => 'bad', epsilon => 1, options => '{"public": ["wards"]}')$$,
	'0A000', 'sources with function int4div, which can fail, cannot be learned with epsilon', 'conditions of joins cannot fail either');
SELECT throws_ok($$SELECT synth_fit('SELECT n.age FROM nights n JOIN stays s ON n.age = s.id', model => 'bad', epsilon => 1, options => '{"public": ["stays"]}')$$,
	'55000', 'table public.stays in option "public" has a privacy budget', 'nor is a table public that has a budget');
SELECT throws_ok($$SELECT synth_fit('SELECT n.age FROM nights n JOIN nights m ON n.ward = m.ward', model => 'bad', epsilon => 1, options => '{"public": ["nights"]}')$$,
	'0A000', 'sources with joins cannot be learned with epsilon', 'nor what is learned');
GRANT SELECT ON nights TO source_reader;
SELECT is(as_role('source_reader', $$SELECT synth_fit('nights', model => 'r', epsilon => 0.1, exclude => '{room,floor}', options => '{"public": ["wards"]}')$$), '42501',
	'keys are read by the caller''s right');
SELECT is((SELECT count(*) FROM synth_ledger WHERE model = 'r'), 0::bigint, 'before anything is charged');
SELECT * FROM finish();
DROP OWNED BY source_reader;
DROP ROLE source_reader;
