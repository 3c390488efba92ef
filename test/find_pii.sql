-- synth_find_pii: what columns hold, by their names, contents and types.
BEGIN;
SELECT plan(26);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.5) \g /dev/null

CREATE FUNCTION found(what text, wanted text DEFAULT 'sure') RETURNS text LANGUAGE sql AS $$
	SELECT COALESCE(string_agg("column" || COALESCE(path, '') || ' ' || kind, ', ' ORDER BY relation::text, "column", path), '')
	FROM synth_find_pii(what) WHERE level = wanted $$;

-- Names alone say little; names and contents that agree are sure, in each language.
CREATE TABLE personen AS SELECT g AS nr,
	synth_fake('first_name', g::text, 'de_DE') AS vorname, synth_fake('last_name', g::text, 'de_DE') AS "NachName",
	synth_fake('birth_date', g::text)::date AS geburtsdatum, synth_fake('de_steuer_id', g::text)::bigint AS steuer_id,
	synth_fake('street_address', g::text, 'de_DE') AS strasse, synth_fake('postcode', g::text, 'de_DE') AS "PLZ",
	synth_fake('city', g::text, 'de_DE') AS ort, synth_fake('phone_national', g::text, 'de_DE') AS "telefonNr",
	(ARRAY['m', 'w'])[1 + g % 2] AS geschlecht, random() * 100 AS groesse
FROM generate_series(1, 200) g;
SELECT is(found('personen'), 'NachName last_name, PLZ postcode, geburtsdatum birth_date, geschlecht sex, ort city, '
	'steuer_id de_steuer_id, strasse street_address, telefonNr phone_national, vorname first_name', 'German columns');
CREATE TABLE clientes AS SELECT synth_fake('full_name', g::text, 'es_ES') AS nombre, synth_fake('es_dni', g::text) AS dni,
	synth_fake('email', g::text, 'es_ES') AS correo_electronico, synth_fake('city', g::text, 'es_ES') AS ciudad
FROM generate_series(1, 200) g;
SELECT is(found('clientes'), 'ciudad city, correo_electronico email, dni es_dni, nombre full_name', 'Spanish columns');
CREATE TABLE "顧客" AS SELECT synth_fake('full_name', g::text, 'ja_JP') AS "氏名", synth_fake('phone', g::text, 'ja_JP') AS "電話番号",
	synth_fake('jp_my_number', g::text) AS "個人番号" FROM generate_series(1, 200) g;
SELECT is(found('"顧客"'), '個人番号 jp_my_number, 氏名 full_name, 電話番号 phone', 'Japanese columns');

-- Every kind in each locale by a name that says it: none is called another.
CREATE TABLE every_kind (locale text);
DO $$ BEGIN
	EXECUTE (SELECT 'CREATE TABLE every_one AS SELECT ' || string_agg(format('synth_fake(%L, g::text, l) AS %I', kind, kind), ', ')
		|| ' FROM unnest(''{en_US,en_GB,de_DE,fr_FR,es_ES,it_IT,nl_NL,pl_PL,pt_BR,ja_JP}''::text[]) l, generate_series(1, 30) g'
		FROM synth_kinds WHERE kind NOT IN ('free_text', 'phone_national'));
END $$;
SELECT is((SELECT string_agg("column" || ' is ' || kind, ', ') FROM synth_find_pii('every_one') WHERE "column" <> kind), NULL,
	'each kind by its name is that kind');
SELECT is((SELECT string_agg(kind, ', ' ORDER BY kind) FROM synth_kinds WHERE kind NOT IN (SELECT "column" FROM synth_find_pii('every_one') WHERE level = 'sure')),
	'free_text, phone_national, url, uuid', 'and sure, but for what is no person''s by itself');

-- Contents alone.
CREATE TABLE contents AS SELECT synth_fake('email', g::text) AS a, synth_fake('iban', g::text, 'de_DE') AS b, synth_fake('it_codice_fiscale', g::text) AS c,
	synth_fake('payment_card', g::text) AS d, synth_fake('full_name', g::text) AS e, synth_fake('ip', g::text) AS f,
	(1000000000000000 + random() * 8e15)::bigint::text AS random_number, synth_fake('us_ssn', g::text) AS h
FROM generate_series(1, 300) g;
SELECT is(found('contents'), 'a email, b iban, c it_codice_fiscale, h us_ssn', 'what nothing else looks like is sure by itself');
SELECT is(found('contents', 'likely'), 'd payment_card, e full_name, f ip', 'check digits, names and addresses without a name are likely');
SELECT is((SELECT count(*) FROM synth_find_pii('contents') WHERE "column" = 'random_number'), 0::bigint,
	'one of ten random numbers passes as a card''s, which says nothing');
UPDATE contents SET d = '1234' || substr(d, 5) WHERE d IN (SELECT d FROM contents LIMIT 30);
SELECT is((SELECT count(*) FROM synth_find_pii('contents') WHERE "column" = 'd'), 0::bigint, 'nor do 90 % of the values');

-- Documents by path, arrays by element, domains.
CREATE DOMAIN email_address AS text;
CREATE TABLE documents AS SELECT jsonb_build_object('kind', 'x', 'contact', jsonb_build_object('mail', synth_fake('email', g::text),
		'phones', jsonb_build_array(synth_fake('phone', g::text), synth_fake('phone', 'b' || g)))) AS doc,
	ARRAY[synth_fake('email', g::text), synth_fake('email', 'b' || g)] AS list, NULL::email_address AS d,
	('{"ssn": "' || synth_fake('us_ssn', g::text) || '", "n": 1e9999, "s": "\u0000"}')::json AS j
FROM generate_series(1, 100) g;
SELECT is(found('documents'), 'd email, doc$.contact.mail email, doc$.contact.phones[*] phone, j$.ssn us_ssn, list[*] email', 'paths, elements and domains');
CREATE TABLE notes AS SELECT CASE WHEN g % 3 = 0 THEN 'Please write to ' || synth_fake('email', g::text) || ' about it.' ELSE 'Nothing to say about number ' || g END AS note
FROM generate_series(1, 200) g;
SELECT is(found('notes'), 'note free_text', 'prose that holds addresses');

-- What says who somebody is only beside others.
CREATE TABLE stations AS SELECT synth_fake('city', g::text) AS city, synth_fake('state_code', g::text) AS state,
	synth_fake('latitude', g::text)::float8 AS lat, synth_fake('longitude', g::text)::float8 AS lon, (ARRAY['male', 'female'])[1 + g % 2] AS sex
FROM generate_series(1, 100) g;
SELECT is(found('stations'), '', 'places and sexes are not sure where nothing else is');
SELECT is(found('stations', 'likely'), 'city city, lat latitude, lon longitude, sex sex, state state_code', 'but likely');
CREATE TABLE visits AS SELECT s.*, synth_fake('email', 'v' || lat) AS email FROM stations s;
SELECT is(found('visits'), 'city city, email email, lat latitude, lon longitude, sex sex, state state_code', 'and sure beside an e-mail address');
CREATE TABLE codes (id uuid PRIMARY KEY, other uuid);
SELECT is((SELECT string_agg("column" || ' ' || kind || ' ' || level, ', ') FROM synth_find_pii('codes')), 'id uuid possible', 'a uuid is somebody''s key at most');

-- Names that mean something else.
CREATE TABLE others AS SELECT g % 2 = 0 AS email_sent, g AS phone_count, now() AS last, now() AS first, 'open'::text AS state, 'Visa'::text AS card_type,
	'0x' || md5(g::text) AS address, md5(g::text) AS email_hash, 'iPhone ' || g AS phone, 'Rock'::text AS name, g AS birth_rate, 'x' || g AS zip_level
FROM generate_series(1, 100) g;
SELECT is(found('others'), '', 'names alone do not make it so');

-- Fifty schemas without persons.
CREATE FUNCTION pick(VARIADIC words text[]) RETURNS text
LANGUAGE sql VOLATILE AS $$ SELECT words[1 + floor(random() * array_length(words, 1))::int] $$;
CREATE TABLE things (name text, value text);
INSERT INTO things VALUES
	('name', $$pick('Oak table', 'Steel bolt M8', 'Rose', 'Violet', 'Mercedes', 'Dell Latitude', 'Mars', 'Queen Mary') || CASE WHEN g % 3 = 0 THEN ' ' || g ELSE '' END$$),
	('title', $$pick('For whom the bell tolls', 'War and Peace', 'Emma', 'Jane Eyre', 'Moby Dick')$$),
	('brand', $$pick('Porter', 'Johnson', 'Ford', 'Dell', 'Hewlett Packard', 'Rolls Royce')$$),
	('colour', $$pick('Rose', 'Violet', 'Amber', 'Ruby', 'Scarlet', 'Olive', 'Hazel', 'Ginger', 'Jade', 'Iris', 'Ivy')$$),
	('sku', $$upper(substr(md5(g::text), 1, 8))$$), ('ean13', $$(4000000000000 + (random() * 1e12)::bigint)::text$$),
	('serial_number', $$(random() * 1e15)::bigint$$), ('order_number', $$1e10::bigint + g$$), ('price', $$(random() * 100)::numeric(8, 2)$$),
	('lat', $$random() * 180 - 90$$), ('lon', $$random() * 360 - 180$$), ('country', $$pick('Germany', 'France', 'Japan')$$),
	('city', $$pick('Berlin', 'Paris', 'Tokyo', 'Omaha')$$), ('state', $$pick('open', 'closed', 'new')$$), ('region', $$pick('North', 'South')$$),
	('status', $$pick('ok', 'failed')$$), ('created_at', $$now() - random() * interval '900 days'$$), ('description', $$pick('A good thing to have.', 'Fits most sizes, made of steel.')$$),
	('website', $$'https://shop.example/' || g$$), ('account', $$4000 + g % 100$$), ('currency', $$pick('EUR', 'USD')$$), ('category', $$pick('Tools', 'Garden')$$),
	('width', $$random() * 10$$), ('version', $$'1.' || g % 10 || '.' || g % 7$$), ('hash', $$md5(g::text)$$), ('uuid', $$gen_random_uuid()$$),
	('first_seen', $$now()$$), ('last_update', $$now()$$), ('line', $$g % 7$$), ('port', $$1024 + g$$), ('batch', $$'B' || lpad(g::text, 6, '0')$$),
	('station', $$pick('Victoria', 'Waterloo', 'Kings Cross')$$), ('language', $$pick('de', 'en', 'fr')$$), ('isbn', $$'978' || lpad((random() * 1e10)::bigint::text, 10, '0')$$),
	('temperature', $$random() * 30$$), ('plan', $$pick('basic', 'pro')$$), ('month', $$pick('April', 'May', 'June', 'August')$$), ('weight', $$g % 50$$);
DO $$ BEGIN
	FOR s IN 1 .. 50 LOOP
		EXECUTE format('CREATE SCHEMA plain%s', s);
		FOR t IN 1 .. 2 LOOP
			EXECUTE format('CREATE TABLE plain%s.%s AS SELECT %s FROM generate_series(1, 60) g', s, (ARRAY['items', 'orders', 'events', 'parts', 'stock'])[1 + (s + t) % 5],
				(SELECT string_agg(value || ' AS ' || quote_ident(name), ', ') FROM (SELECT * FROM things ORDER BY random() LIMIT 12) x));
		END LOOP;
	END LOOP;
END $$;
SELECT is((SELECT string_agg(relation || '.' || "column" || ' ' || kind, ', ') FROM generate_series(1, 50) s, synth_find_pii('plain' || s) WHERE level = 'sure'), NULL,
	'nothing is sure in fifty schemas without persons');

-- All that one may read, and no more.
CREATE ROLE gensynth_finder;
CREATE SCHEMA hidden;
CREATE TABLE hidden.emails AS SELECT * FROM visits;
GRANT SELECT (city, email) ON visits TO gensynth_finder;
GRANT SELECT ON clientes TO gensynth_finder;
SET ROLE gensynth_finder;
SELECT is((SELECT string_agg(DISTINCT relation || '.' || "column", ', ') FROM synth_find_pii()),
	'clientes.ciudad, clientes.correo_electronico, clientes.dni, clientes.nombre, visits.city, visits.email', 'only what the role may read');
SELECT throws_ok($$SELECT * FROM synth_find_pii('hidden.emails')$$, '42501', NULL, 'a table that it may not is an error');
SELECT throws_ok($$SELECT * FROM synth_find_pii('personen')$$, '42501', NULL, 'also one in a schema that it may use');
RESET ROLE;
SELECT is((SELECT count(DISTINCT relation) FROM synth_find_pii('public') WHERE relation::text = 'hidden.emails'), 0::bigint, 'a schema is that schema');
SELECT throws_ok($$SELECT * FROM synth_find_pii('nowhere')$$, '42P01', 'there is no relation or schema "nowhere"', 'what does not exist');
SELECT throws_ok($$SELECT * FROM synth_find_pii('a.b.c')$$, '42602', NULL, 'what is no name');

-- Large tables are read here and there; views, partitions, nothing.
CREATE TABLE large (part int, filler text, mail text) PARTITION BY LIST (part);
CREATE TABLE large1 PARTITION OF large FOR VALUES IN (1);
INSERT INTO large SELECT 1, repeat('x', 900), CASE WHEN g > 10000 THEN synth_fake('email', g::text) END FROM generate_series(1, 20000) g;
SELECT is(found('large'), 'mail email', 'of a large table not only the first rows');
CREATE VIEW shown AS SELECT nombre AS full_name FROM clientes;
SELECT is(found('shown'), 'full_name full_name', 'a view');
CREATE TABLE nothing ();
SELECT is(found('nothing'), '', 'a table without columns');
SELECT * FROM finish();
ROLLBACK;
