-- JSON: documents keep their layouts, and what stands in them depends on the
-- other columns and on each other.
BEGIN;
SELECT plan(28);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.31) \g /dev/null

-- Which keys stand together, and the column that says so.
CREATE TABLE msg AS
SELECT kind, CASE kind
	WHEN 'mail' THEN jsonb_build_object('to', 'u' || (random() * 999)::int || '@x.org', 'size', (random() * 9000)::int)
	WHEN 'sms' THEN jsonb_build_object('number', (1e9 + random() * 8e9)::bigint, 'parts', 1 + (random() * 2)::int)
	ELSE jsonb_build_object('device', 'd' || (random() * 5)::int, 'badge', (random() * 20)::int) END AS body
FROM (SELECT (ARRAY['mail', 'sms', 'push'])[1 + (random() * 2)::int] AS kind FROM generate_series(1, 3000)) z;
SELECT synth_fit('msg', seed => 1) \g /dev/null
CREATE VIEW shapes AS
SELECT kind, (SELECT string_agg(k, ',' ORDER BY k) FROM jsonb_object_keys(body) k) AS keys
FROM synth_sample(NULL::msg, 3000, seed => 2);
SELECT set_eq('SELECT kind, keys FROM shapes',
	$$VALUES ('mail', 'size,to'), ('sms', 'number,parts'), ('push', 'badge,device')$$, 'a document has the keys of its kind');
SELECT is((SELECT count(*) FROM synth_sample(NULL::msg, 3000, seed => 2) WHERE body IN
	(SELECT body FROM msg GROUP BY 1 HAVING count(*) < 5)), 0::bigint, 'no document that few rows hold');

-- Values, nested ones among them, lengths of arrays, NULLs and nulls.
CREATE TABLE orders AS
SELECT branch, amount, CASE WHEN branch = 0 AND i % 5 = 0 THEN NULL ELSE jsonb_strip_nulls(jsonb_build_object(
	'price', amount * 2, 'currency', (ARRAY['EUR', 'USD', 'GBP'])[1 + branch], 'big', amount > 50,
	'note', CASE WHEN i % 4 = 0 THEN 'note ' || i END, 'tags', to_jsonb((ARRAY['a', 'b', 'c', 'd'])[:branch + i % 2]),
	'ship', jsonb_build_object('zone', branch * 10 + (amount > 50)::int, 'to', jsonb_build_object('weight', round((amount / 3.0)::numeric, 1))))) ||
	CASE WHEN branch = 2 THEN '{"coupon": null}' ELSE '{}' END::jsonb END AS doc
FROM (SELECT i, i % 3 AS branch, (random() * 100)::int AS amount FROM generate_series(1, 3000) i) s;
ALTER TABLE orders ADD again json;
UPDATE orders SET again = doc::json;
SELECT synth_fit('orders', seed => 1) \g /dev/null
CREATE TABLE made AS SELECT * FROM synth_sample(NULL::orders, 3000, seed => 2);
-- (A document without a note would often be a rare one of the source: then one
-- of its values is moved.)
SELECT cmp_ok((SELECT corr(amount, (doc ->> 'price')::float8) FROM made), '>', 0.98::float8, 'a number goes with a column');
SELECT cmp_ok((SELECT corr((doc #>> '{ship,to,weight}')::float8, (doc ->> 'price')::float8) FROM made), '>', 0.96::float8, 'and with another one');
SELECT cmp_ok((SELECT corr(amount, (again ->> 'price')::float8) FROM made), '>', 0.97::float8, 'of type json, too');
SELECT cmp_ok((SELECT avg((doc ->> 'currency' = (ARRAY['EUR', 'USD', 'GBP'])[1 + branch])::int) FROM made), '>', 0.99, 'a string goes with a column');
SELECT cmp_ok((SELECT avg(((doc ->> 'big')::bool = (amount > 50))::int) FROM made), '>', 0.97, 'a boolean does');
SELECT cmp_ok((SELECT avg(((doc #>> '{ship,zone}')::int / 10 = branch)::int) FROM made), '>', 0.985, 'a nested number does');
SELECT cmp_ok((SELECT avg((coalesce(jsonb_array_length(doc -> 'tags'), 0) - branch IN (0, 1))::int) FROM made WHERE doc IS NOT NULL), '>', 0.99, 'the length of an array does');
SELECT cmp_ok((SELECT avg((doc ? 'coupon' = (branch = 2))::int) FROM made), '>', 0.99, 'a key of a null does');
SELECT is((SELECT count(*) FROM made WHERE doc ? 'coupon' AND doc -> 'coupon' <> 'null'), 0::bigint, 'and has it');
SELECT cmp_ok((SELECT abs(avg((doc IS NULL)::int) - 0.2) FROM made WHERE branch = 0), '<', 0.03, 'NULLs are as many');
SELECT cmp_ok((SELECT count(*) FROM made WHERE doc IS NULL AND branch <> 0), '<', 10::bigint, 'and where they were');
SELECT cmp_ok((SELECT abs(avg((doc ? 'note')::int) - 0.25) FROM made), '<', 0.03, 'an optional key is as frequent');
SELECT is((SELECT count(*) FROM made WHERE doc ->> 'note' !~ '^note [0-9]{1,4}$'), 0::bigint, 'and its texts have their format');
SELECT is((SELECT count(*) FROM made WHERE doc ->> 'note' IN (SELECT doc ->> 'note' FROM orders)), 0::bigint, 'but are no copies');

-- Keys by themselves: too many combinations for layouts.
CREATE TABLE loose AS
SELECT i % 2 AS g, (SELECT coalesce(jsonb_object_agg('k' || k, (random() * 100)::int), '{}') FROM generate_series(1, 12) k
	WHERE random() < CASE WHEN i % 2 = 0 THEN 0.8 ELSE 0.3 END) AS doc
FROM generate_series(1, 3000) i;
SELECT synth_fit('loose', seed => 1) \g /dev/null
CREATE FUNCTION keys(jsonb) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM jsonb_object_keys($1) $$;
SELECT cmp_ok((SELECT abs(avg(keys(doc)) - 9.6) FROM synth_sample(NULL::loose, 3000, seed => 2) WHERE g = 0), '<', 0.4, 'many keys in one group');
SELECT cmp_ok((SELECT abs(avg(keys(doc)) - 3.6) FROM synth_sample(NULL::loose, 3000, seed => 2) WHERE g = 1), '<', 0.4, 'few in another');

-- Elements of arrays.
CREATE TABLE shapes_of AS
SELECT i % 3 AS g, jsonb_build_object('id', i, 'parts', (SELECT jsonb_agg(CASE WHEN (i + k) % 2 = 0 THEN jsonb_build_object('r', (random() * 99)::int)
	ELSE jsonb_build_object('w', (random() * 99)::int, 'h', k) END) FROM generate_series(1, 1 + i % 5) k)) AS doc
FROM generate_series(1, 2000) i;
SELECT synth_fit('shapes_of', seed => 1) \g /dev/null
SELECT set_eq($$SELECT DISTINCT (SELECT string_agg(k, ',' ORDER BY k) FROM jsonb_object_keys(p) k)
	FROM synth_sample(NULL::shapes_of, 1000, seed => 2), jsonb_array_elements(doc -> 'parts') p$$, ARRAY['r', 'h,w'], 'keys of elements stand together');

-- Short arrays: what stands at a position.
CREATE TABLE spots AS
SELECT city, jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(round((10 * city + random())::numeric, 4), round((50 - 3 * city + random())::numeric, 4))) AS at
FROM (SELECT i % 4 AS city FROM generate_series(1, 2000) i) s;
SELECT synth_fit('spots', seed => 1) \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM synth_sample(NULL::spots, 2000, seed => 2)
	WHERE (at #>> '{coordinates,0}')::float8 NOT BETWEEN 10 * city AND 10 * city + 1 OR (at #>> '{coordinates,1}')::float8 NOT BETWEEN 50 - 3 * city AND 51 - 3 * city
	OR jsonb_array_length(at -> 'coordinates') <> 2), '<', 100::bigint, 'elements of short arrays go with other columns');

-- Documents that are filled in.
CREATE TABLE gaps AS SELECT kind, CASE WHEN row_number() OVER () % 4 > 0 THEN body END AS body FROM msg;
SELECT is((SELECT count(*) FROM synth_complete(NULL::gaps, columns => '{body}', fill_nulls => true, seed => 3)
	WHERE body ?& CASE kind WHEN 'mail' THEN '{to,size}' WHEN 'sms' THEN '{number,parts}' ELSE '{device,badge}' END::text[]), 3000::bigint,
	'documents that are filled in');

-- No object, and types that differ.
CREATE TABLE odd AS
SELECT i % 4 AS g, CASE i % 4 WHEN 0 THEN to_jsonb(i) WHEN 1 THEN to_jsonb('text ' || i) WHEN 2 THEN jsonb_build_array(i, i + 1)
	ELSE jsonb_build_object('v', CASE WHEN i % 8 = 3 THEN to_jsonb(i) ELSE to_jsonb('t' || i) END) END AS doc
FROM generate_series(1, 2000) i;
SELECT synth_fit('odd', seed => 1) \g /dev/null
SELECT set_eq($$SELECT g, jsonb_typeof(doc), CASE WHEN g = 3 THEN jsonb_typeof(doc -> 'v') END FROM synth_sample(NULL::odd, 2000, seed => 2)$$,
	$$VALUES (0, 'number', NULL), (1, 'string', NULL), (2, 'array', NULL), (3, 'object', 'number'), (3, 'object', 'string')$$, 'types go with a column');

-- Methods, conditions, domains, streams.
SELECT synth_fit('msg', seed => 1, method => 'copula', model => 'msg_copula') \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::msg, 500, model => 'msg_copula', seed => 2) WHERE NOT
	(body ?& '{to,size}' OR body ?& '{number,parts}' OR body ?& '{device,badge}')), 0::bigint, 'a copula keeps layouts');
SELECT synth_drop('msg_copula') \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::msg, 500, seed => 2, given => '{"kind": "sms"}') WHERE NOT body ?& '{number,parts}'), 0::bigint,
	'given another column');
SELECT results_eq($$SELECT body FROM synth_sample(NULL::msg, 3, seed => 2, start => 1501)$$,
	$$SELECT body FROM synth_sample(NULL::msg, 2000, seed => 2) OFFSET 1500 LIMIT 3$$, 'a row follows from its number');
CREATE DOMAIN has_to AS jsonb CHECK (VALUE ? 'to');
CREATE TABLE mails AS SELECT kind, body::has_to FROM msg WHERE kind = 'mail';
SELECT synth_fit('mails', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::mails, 500, seed => 2)), 500::bigint, 'a domain over documents');

-- More documents than a fit keeps: shares stay.
SET LOCAL maintenance_work_mem = '1MB';
CREATE TABLE many AS
SELECT CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '{}' ELSE jsonb_build_object('i', md5(i::text) || md5(i::text)) END AS doc
FROM generate_series(1, 20000) i;
SELECT synth_fit('many', seed => 1) \g /dev/null
SELECT cmp_ok((SELECT max(abs(n / 3000.0 - 1 / 3.0)) FROM (SELECT count(*) AS n FROM synth_sample(NULL::many, 3000, seed => 2)
	GROUP BY coalesce(doc, 'null') = 'null', doc = '{}') s), '<', 0.03, 'documents that were not kept');
SELECT results_eq($$SELECT name, detail ->> 'levels', detail ->> 'paths' FROM synth_columns('msg')$$, $$VALUES ('kind', '3', NULL), ('body', '3', '6')$$,
	'values are no columns of the model');
SELECT * FROM finish();
ROLLBACK;
