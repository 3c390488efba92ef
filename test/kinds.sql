-- Kinds of personal values in SQL, own lists, and columns that a fit makes by their kind.
BEGIN;
SELECT plan(38);
SET LOCAL client_min_messages = warning;

-- synth_fake.
SELECT is((SELECT count(DISTINCT synth_fake('uuid')) FROM generate_series(1, 100)), 100::bigint, 'without a key each value is another one');
SELECT is(synth_fake('email', 'a', 'fr_FR'), synth_fake('email', 'a', 'fr_FR'), 'a key has one value');
SELECT is(synth_fake('full_name', 'a'), synth_fake('first_name', 'a') || ' ' || synth_fake('last_name', 'a'), 'values of a key fit each other');
SELECT is(synth_fake('email', NULL, NULL) IS NOT NULL AND synth_fake(NULL) IS NULL, true, 'NULLs');
SELECT throws_ok($$SELECT synth_fake('emial')$$, '42704', 'kind "emial" does not exist', 'a kind that does not exist');
SELECT throws_ok($$SELECT synth_fake('email', 'a', 'de')$$, '42704', 'locale "de" does not exist', 'a locale that does not exist');
SELECT is((SELECT count(*) FROM synth_kinds), 43::bigint, 'all kinds have a name, a description and an example');
SELECT is((SELECT count(*) FROM synth_kinds k, unnest('{en_US,en_GB,de_DE,fr_FR,es_ES,it_IT,nl_NL,pl_PL,pt_BR,ja_JP}'::text[]) l, generate_series(1, 20) g
	WHERE synth_fake(kind, g::text, l) = ''), 0::bigint, 'and can be had in all locales');

-- What is kept free for such uses.
CREATE TABLE made AS SELECT synth_fake('email', g::text) AS email, synth_fake('phone', g::text) AS us, synth_fake('phone', g::text, 'fr_FR') AS fr,
	synth_fake('us_ssn', g::text) AS ssn, synth_fake('ip', g::text)::inet AS ip, synth_fake('url', g::text) AS url, synth_fake('payment_card', g::text) AS card,
	synth_fake('mac', g::text)::macaddr AS mac FROM generate_series(1, 500) g;
SELECT ok((SELECT bool_and(email ~ '^[a-z0-9._]+@example\.(com|org)$') FROM made), 'addresses at example.com and example.org');
SELECT ok((SELECT bool_and(us ~ '^\+1[0-9]{3}55501[0-9]{2}$' AND fr ~ '^\+33(19900|26191|35301|46571|53649|63998)[0-9]{4}$') FROM made), 'phone numbers of fiction');
SELECT ok((SELECT bool_and(ssn ~ '^9[0-9]{2}-[0-4][0-9]-[0-9]{4}$') FROM made), 'Social Security numbers from 900 on');
SELECT ok((SELECT bool_and(ip <<= '192.0.2.0/24' OR ip <<= '198.51.100.0/24' OR ip <<= '203.0.113.0/24') FROM made), 'addresses for documentation');
SELECT ok((SELECT bool_and(synth_fake('ipv6', g::text)::inet <<= '2001:db8::/32') FROM generate_series(1, 100) g), 'of version 6, too');
SELECT ok((SELECT bool_and(card ~ '^(424242|411111|400005|555555|510510)[0-9]{10}$' AND trunc(mac) >= '02:00:00:00:00:00') FROM made), 'cards of tests');

-- Own lists.
SELECT is(synth_list('first_name', 'en_GB', '{Zaphod,Zaphod,Zaphod,Trillian}'), 2::bigint, 'a list of two names');
SELECT ok((SELECT abs(avg((synth_fake('full_name', g::text, 'en_GB') LIKE 'Zaphod %')::int) - 0.75) < 0.06 FROM generate_series(1, 2000) g), 'by weight');
SELECT ok((SELECT bool_and(synth_fake('first_name', g::text) NOT IN ('Zaphod', 'Trillian')) FROM generate_series(1, 200) g), 'in its locale only');
SELECT synth_list('city', NULL, ARRAY['Magrathea']) \g /dev/null
SELECT is(synth_fake('city', 'x', 'ja_JP'), 'Magrathea', 'a list of all locales');
SELECT is(synth_list('city', NULL, NULL) + synth_list('first_name', 'en_GB', '{}'), 0::bigint, 'lists are taken away');
SELECT isnt(synth_fake('city', 'x'), 'Magrathea', 'and then the usual ones are drawn from');
SELECT throws_ok($$SELECT synth_list('town', NULL, '{a}')$$, '42704', 'kind "town" does not exist', 'a list of no kind');
CREATE ROLE gensynth_lister;
SET ROLE gensynth_lister;
SELECT throws_ok($$SELECT synth_list('city', NULL, '{Magrathea}')$$, '42501', 'permission denied for lists of values', 'lists are not everybody''s');
SELECT throws_ok($$SELECT * FROM gensynth.lists$$, '42501', NULL, 'nor their table');
SELECT isnt(synth_fake('city'), '', 'but who may make none may have values');
RESET ROLE;

-- Columns that a fit makes by their kind, each fitting its row.
CREATE TABLE people AS SELECT g AS id, s AS sex, synth_fake('first_name', k, 'en_US') AS first_name, synth_fake('last_name', k, 'en_US') AS last_name,
	synth_fake('user_name', k) || g || '@mail.example' AS email, (ARRAY['402', '308'])[1 + g % 2] || '/' || (1000000 + g * 7919 % 8999999) AS phone,
	'Person ' || g AS title, round(random()::numeric * 100) AS score
FROM (SELECT g, g::text AS k, CASE WHEN synth_fake('sex', g::text) = 'male' THEN 'M' ELSE 'F' END AS s FROM generate_series(1, 2000) g) x;
SELECT synth_fit('people', seed => 1) \g /dev/null
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::people, 2000, seed => 2);
SELECT is((SELECT string_agg(name || ' ' || (detail->>'kind'), ', ' ORDER BY ordinal) FROM synth_columns('people') WHERE detail ? 'kind'),
	'sex sex, first_name first_name, last_name last_name, email email, phone phone_national', 'kinds are part of the model');
SELECT ok((SELECT bool_and(left(email, 1) = lower(left(first_name, 1))) FROM s), 'addresses begin as the first names do');
SELECT ok((SELECT avg((position(lower(translate(last_name, '-'' ', '')) IN email) > 0)::int) > 0.99 FROM s), 'and have the last names');
SELECT ok((SELECT bool_and(email ~ '@example\.(com|org)$') FROM s), 'at example.com');
SELECT ok((SELECT avg((count = 1)::int) > 0.95 FROM (SELECT first_name, count(DISTINCT sex) FROM s WHERE first_name IN (SELECT first_name FROM s GROUP BY 1 HAVING count(*) > 2) GROUP BY 1) x),
	'a name has one sex');
SELECT ok((SELECT bool_and(phone ~ '^[0-9]{3}/55501[0-9]{2}$') FROM s), 'phone numbers of fiction, written as those of the table');
SELECT is((SELECT count(*) FROM s WHERE email IN (SELECT email FROM people) OR phone IN (SELECT phone FROM people) OR first_name IN
	(SELECT first_name FROM people GROUP BY 1 HAVING count(*) < 5)), 0::bigint, 'nothing that few rows have is repeated');
SELECT results_eq($$SELECT * FROM synth_sample(NULL::people, 100, seed => 2)$$, $$SELECT * FROM s LIMIT 100$$, 'a row is the same each time');
SELECT is((SELECT string_agg(email, ',') FROM (SELECT email FROM synth_sample(NULL::people, 50, seed => 2)) x), (SELECT string_agg(email, ',') FROM (SELECT email FROM s LIMIT 50) x),
	'also where it is asked for alone');

-- Unique addresses; told otherwise; what cannot be.
ALTER TABLE people ADD UNIQUE (email);
SELECT synth_fit('people', seed => 1, options => '{"kinds": {"phone": "format", "title": "full_name", "last_name": "format"}}') \g /dev/null
SELECT is((SELECT count(DISTINCT email) FROM synth_sample(NULL::people, 20000, seed => 3)), 20000::bigint, 'unique addresses are unique');
SELECT ok((SELECT bool_and(phone ~ '^(402|308)/[0-9]{7}$' AND title = first_name || ' ' || split_part(title, ' ', 2)) FROM synth_sample(NULL::people, 500, seed => 3)),
	'option kinds says what is made by its kind, and what is not');
SELECT throws_ok($$SELECT synth_fit('people', options => '{"kinds": {"score": "email"}}')$$, '22023', 'column "score" of option "kinds" cannot be of kind "email"', 'a kind that the type cannot hold');
SELECT throws_ok($$SELECT synth_fit('people', options => '{"kinds": {"score": "emial"}}')$$, '22023', NULL, 'a kind that does not exist');
CREATE TABLE plain AS SELECT g AS name, md5(g::text) AS hash, g % 7 AS state FROM generate_series(1, 500) g;
SELECT synth_fit('plain') \g /dev/null
SELECT is((SELECT count(*) FROM synth_columns('plain') WHERE detail ? 'kind'), 0::bigint, 'no kinds where nothing is sure');
SELECT * FROM finish();
ROLLBACK;
