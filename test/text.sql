-- Text: near-unique text is made anew in the format that was learned.
BEGIN;
SELECT plan(32);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.5) \g /dev/null

CREATE FUNCTION pick(VARIADIC words text[]) RETURNS text
LANGUAGE sql VOLATILE AS $$ SELECT words[1 + floor(random() * array_length(words, 1))::int] $$;

CREATE TABLE t AS
SELECT first || ' ' || last AS name,
	lower(first) || '.' || lower(last) || g || '@' || pick('example.com', 'mail.org', 'uni.edu') AS email,
	format('%s-%s-%s', to_char(100 + random() * 800, 'fm000'), to_char(10 + random() * 89, 'fm00'),
		to_char(random() * 9999, 'fm0000')) AS ssn,
	format('(%s) 555-%s', to_char(200 + random() * 700, 'fm000'), to_char(random() * 9999, 'fm0000')) AS phone,
	substr(md5(g::text), 1, 8)::varchar(8) AS code,
	(pick('Straße', 'Łódź', '東京都', 'Ωμέγα') || ' ' || g)::varchar(10) AS place,
	to_char(g * 7919 % 1000000, 'fm000000')::char(6) AS padded,
	CASE WHEN g % 4 = 0 THEN '' ELSE 'note ' || g END AS note,
	CASE WHEN g % 10 = 0 THEN 'Remark ' || g ELSE '' END AS remark,
	pick('red', 'green', 'blue', '') AS colour,
	'constant' AS constant,
	CASE g WHEN 17 THEN 'one and only' ELSE 'many' END AS hidden,
	md5((g % 3000)::text) AS twice,
	pick('The patient', 'She', 'He') || ' was seen ' || pick('today', 'on Monday', 'last week') || '. ' ||
		pick('No fever.', 'Some pain.', 'All well.') || ' Case ' || g || '.' AS prose
FROM (SELECT g, pick('Anna', 'Ben', 'Clara', 'David', 'Eva', 'Felix') AS first,
	pick('Smith', 'Jones', 'Miller', 'Brown', 'Garcia', 'Kowalski') AS last FROM generate_series(1, 6000) g) s;
SELECT synth_fit('t', seed => 1) \g /dev/null
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::t, 6000, seed => 2);

-- Formats.
CREATE FUNCTION is_format(name text, regex text, floor float8) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	share float8;
BEGIN
	EXECUTE format('SELECT avg((%I ~ $1)::int) FROM s', name) INTO share USING regex;
	RETURN ok(share >= floor, format('%s of column %s match', share, name));
END $$;
SELECT is_format('name', '^(Anna|Ben|Clara|David|Eva|Felix) (Smith|Jones|Miller|Brown|Garcia|Kowalski)$', 1);
SELECT is_format('email', '^[a-z]+\.[a-z]+[0-9]{1,4}@(example|mail|uni)\.(com|org|edu)$', 0.99);
SELECT is_format('ssn', '^[0-9]{3}-[0-9]{2}-[0-9]{4}$', 1);
SELECT is_format('phone', '^\([0-9]{3}\) 555-[0-9]{4}$', 1);
SELECT is_format('code', '^[0-9a-f]{7,8}$', 0.99);
SELECT is_format('padded', '^[0-9]{6}$', 1);
SELECT is_format('note', '^(|note [0-9]{1,4})$', 0.99);
SELECT is_format('place', '^(Straße|Łódź|東京都|Ωμέγα) [0-9]{1,4}$', 0.95);
SELECT is_format('prose', '^(The|She|He) .*\. .*\. Case [0-9]{1,4}\.$', 0.9);

-- No copies of what few rows hold.
CREATE FUNCTION is_new(name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	copies bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM s WHERE %1$I IN (SELECT %1$I FROM t GROUP BY 1 HAVING count(*) < 5)', name) INTO copies;
	RETURN is(copies, 0::bigint, format('no copies in column %s', name));
END $$;
SELECT is_new(name) FROM unnest('{email,ssn,phone,code,place,padded,note,remark,prose,hidden,twice}'::text[]) name;

SELECT cmp_ok((SELECT count(DISTINCT email) FROM s), '>', 5000::bigint, 'e-mails are varied');
SELECT ok(abs((SELECT avg((note = '')::int) FROM s) - 0.25) < 0.02, 'share of empty strings');
SELECT ok((SELECT abs(avg((remark ~ '^[A-Za-z]+ [0-9]+$')::int) - 0.1) < 0.02 FROM s), 'share of texts among empty strings');
SELECT set_eq('SELECT DISTINCT colour FROM s', ARRAY['red', 'green', 'blue', ''], 'a category with an empty string');
SELECT set_eq('SELECT DISTINCT constant FROM s', ARRAY['constant'], 'a constant');
SELECT is((SELECT max(length(place)) <= 10 AND max(length(code)) <= 8 FROM s), true, 'varchar(n) in characters');
SELECT ok((SELECT bool_and(octet_length(padded) = 6) FROM s), 'char(n)');

-- Many categories, each of enough rows, all come back.
CREATE TABLE c AS SELECT 'category ' || g % 11000 AS v FROM generate_series(1, 66000) g;
SELECT synth_fit('c', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::c, 20000, seed => 2) s WHERE NOT s.v ~ '^category [0-9]{1,5}$'), 0::bigint, '11,000 categories');

-- Long texts, and few of them.
CREATE TABLE l AS SELECT repeat('lorem ipsum ' || g || ' ', 60000) AS v FROM generate_series(1, 12) g;
SELECT synth_fit('l', seed => 1) \g /dev/null
SELECT ok((SELECT bool_and(v ~ 'lorem' AND v NOT IN (SELECT v FROM l)) FROM synth_sample(NULL::l, 20, seed => 2)), 'texts of 1 MB');
CREATE TABLE l5 AS SELECT repeat('x', 1000000) AS v, repeat('long ', 300) AS w FROM generate_series(1, 12) g;
SELECT synth_fit('l5', seed => 1) \g /dev/null
SELECT ok((SELECT bool_and(v ~ '^x+$' AND w ~ '^(long )*(long)?$') FROM synth_sample(NULL::l5, 20, seed => 2)), 'long constants');

-- What jsonb refuses, json may hold; and control characters are text.
CREATE TABLE o AS SELECT ('{"a": "\u0000 \ud800", "b": ' || g || ', "c": 1e2000}')::json AS j, E'\x01\x7f\\' || chr(65533) || g AS v
FROM generate_series(1, 300) g;
SELECT lives_ok($$SELECT synth_fit('o', seed => 1)$$, 'json that is not jsonb');
SELECT is((SELECT count(j) + count(v) FROM synth_sample(NULL::o, 300, seed => 2)), 600::bigint, 'and samples of it');

SELECT * FROM finish();
ROLLBACK;
