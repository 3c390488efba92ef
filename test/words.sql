-- Texts made anew: words stay whole, numbers keep their check digits, and rows
-- whose value is too rare to be shown stay rows of their group.
BEGIN;
SELECT plan(29);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.33) \g /dev/null

-- Nearly all that the words and digits can make is in the source.
CREATE TABLE item AS
SELECT (ARRAY['red', 'blue', 'green', 'small', 'large'])[1 + i % 5] || ' ' || (ARRAY['lamp', 'chair', 'table', 'shelf'])[1 + i % 4] || ' ' ||
	lpad((i % 97)::text, 2, '0') AS title
FROM generate_series(1, 1900) i;
SELECT synth_fit('item', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::item, 2000, seed => 2)
	WHERE title !~ '^(red|blue|green|small|large) (lamp|chair|table|shelf) \d\d$'), 0::bigint, 'words stay whole where few are left');
SELECT is((SELECT count(*) FROM synth_sample(NULL::item, 2000, seed => 2) WHERE title IN (SELECT title FROM item)), 0::bigint, 'none is a copy');

-- All of it is.
CREATE TABLE grid AS
SELECT a || ' ' || b AS name FROM unnest('{red,blue,green,small,large,old,new,dark,light,round}'::text[]) a,
	unnest('{lamp,chair,table,shelf,bed,desk,stool,couch,bench,rug}'::text[]) b, generate_series(1, 3);
CREATE TABLE coded AS SELECT (ARRAY['lamp', 'chair', 'table'])[1 + i % 3] || lpad((i / 3)::text, 2, '0') AS code FROM generate_series(0, 299) i;
CREATE FUNCTION full_note(name text) RETURNS text[] LANGUAGE sql AS $$
SELECT ARRAY['column "' || name || '": nearly all texts of its formats are rare values of the source, so its words are combined in other ways'] $$;
SELECT is((SELECT notes FROM synth_fit('grid', seed => 1)), full_note('name'), 'a note says so');
SELECT is((SELECT notes FROM synth_fit('coded', seed => 1)), '{}', 'but not where there are digits to change');
SELECT is((SELECT count(*) FROM synth_sample(NULL::grid, 1000, seed => 2), regexp_split_to_table(name, ' ') w
	WHERE w <> ALL ('{red,blue,green,small,large,old,new,dark,light,round,lamp,chair,table,shelf,bed,desk,stool,couch,bench,rug}')),
	0::bigint, 'words stay whole where none are left');
SELECT is((SELECT count(*) FROM synth_sample(NULL::coded, 1000, seed => 2) WHERE code !~ '^(lamp|chair|table)\d+$'), 0::bigint, 'and before digits');
SELECT is((SELECT count(*) FROM synth_sample(NULL::grid, 1000, seed => 2) WHERE name IN (SELECT name FROM grid)) +
	(SELECT count(*) FROM synth_sample(NULL::coded, 1000, seed => 2) WHERE code IN (SELECT code FROM coded)), 0::bigint, 'without copies');

-- Few of the words are rare.
CREATE TABLE part AS
SELECT CASE WHEN i % 50 = 0 THEN 'odd' || chr(97 + i / 50 % 26) || chr(97 + i / 1300) ELSE (ARRAY['bolt', 'screw', 'nail', 'washer'])[1 + i % 4] END || ' ' || i AS name
FROM generate_series(1, 2000) i;
SELECT synth_fit('part', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::part, 2000, seed => 2) WHERE name !~ '^(bolt|screw|nail|washer) \d+$'), 0::bigint, 'rare words leave no others');

-- Check digits.
CREATE FUNCTION luhn(t text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS $$
SELECT sum(CASE WHEN k % 2 = 0 THEN d WHEN d > 4 THEN 2 * d - 9 ELSE 2 * d END) % 10 = 0
FROM (SELECT d::int, row_number() OVER (ORDER BY n DESC) - 1 AS k FROM regexp_split_to_table(regexp_replace(t, '\D', '', 'g'), '') WITH ORDINALITY q(d, n)) q $$;
CREATE FUNCTION gtin(t text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS $$
SELECT sum(substr(t, length(t) - k, 1)::int * CASE WHEN k % 2 = 0 THEN 1 ELSE 3 END) % 10 = 0 FROM generate_series(0, length(t) - 1) k $$;
CREATE FUNCTION isbn(t text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS $$
SELECT sum(CASE substr(t, 11 - k, 1) WHEN 'X' THEN 10 ELSE substr(t, 11 - k, 1)::int END * k) % 11 = 0 FROM generate_series(1, 10) k $$;
CREATE FUNCTION iban(t text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS $$
SELECT (SELECT string_agg(CASE WHEN c ~ '\d' THEN c ELSE (ascii(c) - 55)::text END, '' ORDER BY n)
FROM regexp_split_to_table(substr(t, 5) || left(t, 4), '') WITH ORDINALITY q(c, n))::numeric % 97 = 1 $$;
CREATE FUNCTION digits(n int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg((random() * 9)::int::text, '') FROM generate_series(1, n) $$;
CREATE TABLE pay AS
SELECT t.imei || (SELECT c FROM generate_series(0, 9) c WHERE luhn(t.imei || c)) AS imei,
	t.card || (SELECT c FROM generate_series(0, 9) c WHERE luhn(t.card || c)) AS card,
	t.ean || (SELECT c FROM generate_series(0, 9) c WHERE gtin(t.ean || c)) AS ean,
	t.isbn || (SELECT c FROM unnest('{0,1,2,3,4,5,6,7,8,9,X}'::text[]) c WHERE isbn(t.isbn || c)) AS isbn,
	'DE' || lpad((98 - (t.iban || '131400')::numeric % 97)::text, 2, '0') || t.iban AS iban
FROM (SELECT '35' || lpad(i::text, 6, '0') || digits(6) AS imei, '5' || digits(3) || ' ' || digits(4) || ' ' || digits(4) || ' ' || digits(3) AS card,
	'40' || lpad((i * 7)::text, 10, '0') AS ean, digits(9) AS isbn, digits(18) AS iban FROM generate_series(1, 400) i) t;
UPDATE pay SET card = '1234 5678 9012 3456' WHERE imei = (SELECT min(imei) FROM pay);
ALTER TABLE pay ADD UNIQUE (imei), ADD UNIQUE (ean), ADD UNIQUE (iban), ADD doc jsonb, ADD CHECK (luhn(imei));
UPDATE pay SET doc = jsonb_build_object('card', card);
SELECT synth_fit('pay', seed => 1) \g /dev/null
CREATE TABLE paid AS SELECT * FROM synth_sample(NULL::pay, 1000, seed => 2);
SELECT is((SELECT count(*) FROM paid WHERE NOT luhn(imei) OR imei !~ '^35\d{13}$'), 0::bigint, 'a key with check digits');
SELECT is((SELECT count(DISTINCT imei) FROM paid), 1000::bigint, 'and unique');
SELECT is((SELECT count(*) FROM paid WHERE NOT luhn(card) OR card !~ '^\d{4} \d{4} \d{4} \d{4}$'), 0::bigint, 'a text');
SELECT is((SELECT count(*) FROM paid WHERE NOT gtin(ean) OR ean !~ '^\d{13}$'), 0::bigint, 'other weights, and a key that counted on');
SELECT is((SELECT count(*) FROM paid WHERE NOT isbn(isbn)), 0::bigint, 'modulo 11, with X');
SELECT is((SELECT count(*) FROM paid WHERE NOT iban(iban) OR iban !~ '^DE\d{20}$'), 0::bigint, 'in front, modulo 97');
SELECT is((SELECT count(*) FROM paid WHERE NOT luhn(doc ->> 'card')), 0::bigint, 'in a document');
SELECT is((SELECT count(*) FROM paid WHERE card IN (SELECT card FROM pay)), 0::bigint, 'without copies');
CREATE TABLE plain AS SELECT digits(15) AS number FROM generate_series(1, 1000);
SELECT synth_fit('plain', seed => 1) \g /dev/null
SELECT cmp_ok((SELECT avg(luhn(number)::int) FROM synth_sample(NULL::plain, 1000, seed => 2)), '<', 0.2, 'where there are none, none are made');

-- Groups of rare values.
CREATE TABLE person AS
SELECT CASE WHEN i % 7 = 0 THEN 'vip' ELSE 'std' END AS grp,
	CASE WHEN i % 7 = 0 THEN (ARRAY['Zora', 'Kim', 'Ulf'])[1 + i % 3] || (i / 21) % 40 ELSE (ARRAY['Anna', 'Ben', 'Carl'])[1 + (random() * 2)::int] END AS name,
	CASE WHEN i % 7 = 0 THEN 1000 + random() * 10 ELSE random() * 100 END AS amount
FROM generate_series(1, 3000) i;
CREATE FUNCTION groups(method text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s record;
BEGIN
	PERFORM synth_fit('person', method => method, model => method, seed => 1);
	SELECT avg((grp = 'vip')::int) AS share, avg(amount) FILTER (WHERE grp = 'vip') AS amount,
		count(*) FILTER (WHERE name ~ '\d') AS rare INTO s FROM synth_sample(NULL::person, 3000, model => method, seed => 2);
	RETURN NEXT ok(abs(s.share - 1 / 7.0) < 0.03, format('%s: share %s', method, s.share));
	RETURN NEXT ok(s.amount > 900 AND s.rare = 0, format('%s: amount %s', method, s.amount));
END $$;
SELECT groups('tree');
SELECT groups('copula');

-- A code and its description are rare together, and stay a pair.
CREATE TABLE pairs AS
SELECT CASE WHEN i % 40 = 0 THEN 'r' || i ELSE 'c' || i % 30 END AS code, CASE WHEN i % 40 = 0 THEN 'rare ' || i ELSE 'text ' || i % 30 END AS text,
	i % 30 % 6 AS family
FROM generate_series(1, 3000) i;
SELECT synth_fit('pairs', seed => 1) \g /dev/null
SELECT cmp_ok((SELECT avg((substr(code, 2) = substr(text, 6))::int) FROM synth_sample(NULL::pairs, 3000, seed => 2)), '>', 0.99, 'rare pairs take pairs');
SELECT cmp_ok((SELECT avg((substr(code, 2)::int % 6 = family)::int) FROM synth_sample(NULL::pairs, 3000, seed => 2)), '>', 0.99, 'of their family');
-- What stands in the slots of texts goes with the rest of the row: the parts of a number of a document, the first name of a person.
CREATE TABLE bill AS
SELECT 'INV-' || land || '-' || to_char(day, 'YYYY') || '-' || (random() * 9999)::int AS no, land, day, upper(left(kind, 3)) || '-' || lpad((random() * 9999)::int::text, 4, '0') AS sku,
	kind, first || ' ' || chr(65 + (random() * 25)::int) || repeat(chr(97 + (random() * 25)::int), 1 + (random() * 2)::int) AS owner,
	CASE WHEN first < 'M' THEN 'f' ELSE 'm' END AS sex
FROM (SELECT (ARRAY['DE', 'DE', 'FR', 'US'])[1 + (random() * 3)::int] AS land, date '2020-01-01' + (random() * 1400)::int AS day,
		(ARRAY['toys', 'books', 'garden', 'food', 'music'])[1 + (random() * 4)::int] AS kind,
		(ARRAY['Ada', 'Beth', 'Carla', 'Dora', 'Nick', 'Otto', 'Paul', 'Rick'])[1 + (random() * 7)::int] AS first
	FROM generate_series(1, 3000)) AS drawn;
SELECT synth_fit('bill', seed => 1) \g /dev/null
CREATE TABLE bills AS SELECT * FROM synth_sample(NULL::bill, 3000, seed => 2);
SELECT is(avg((split_part(no, '-', 2) = land)::int), 1::numeric, 'a word is the row''s') FROM bills;
SELECT cmp_ok(avg((split_part(no, '-', 3) = to_char(day, 'YYYY'))::int), '>', 0.98, 'a year is') FROM bills;
SELECT is(avg((left(sku, 3) = upper(left(kind, 3)))::int), 1::numeric, 'what is short for a category is') FROM bills;
SELECT cmp_ok(avg(((first < 'M') = (sex = 'f'))::int), '>', 0.99, 'a first name is') FROM (SELECT split_part(owner, ' ', 1) AS first, sex FROM bills) AS named;
SELECT cmp_ok(avg((no IN (SELECT no FROM bill))::int), '<', 0.01, 'they are no copies') FROM bills;
SELECT is(avg((split_part(no, '-', 2) = land)::int), 1::numeric, 'other columns are drawn as a text says') FROM synth_complete(NULL::bill, '{land}', model => 'bill', seed => 3);
SELECT * FROM finish();
ROLLBACK;
