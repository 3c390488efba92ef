-- Rows that the stream forms into tuples by itself are those that PostgreSQL
-- forms of the same values.
BEGIN;
SELECT plan(13);
SET LOCAL client_min_messages = warning;

-- Every alignment and length, values with short and long headers, and NULLs
-- anywhere.
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TABLE many (flag bool, letter "char", small int2, label text, whole int4, long int8, name name, part float4,
	uuid uuid, empty text, amount numeric, born date, tag char(3), moment timestamptz, stay interval, place point,
	words text[], about jsonb, net inet, code code, plain_end int2, wide text, wider text);
INSERT INTO many SELECT
	i % 3 = 0, (ARRAY['a','b'])[1 + i % 2]::"char", i % 7, (ARRAY['x', 'four', repeat('y', 30), repeat('z', 31), NULL])[1 + i % 5],
	i, (i % 11) * 1e12::int8, ('n' || i % 4)::name, i / 8.0, md5((i % 9)::text)::uuid,
	NULLIF('', CASE WHEN i % 2 = 0 THEN '' END), CASE WHEN i % 6 > 0 THEN (i % 13) / 4.0 END, date '2000-01-01' + i % 40,
	(ARRAY['a', 'bc', 'def'])[1 + i % 3], timestamptz '2020-01-01 UTC' + i * interval '1 hour', (i % 5) * interval '1 day',
	point(i % 4, 1), ARRAY['p', 'q' || i % 3], jsonb_build_object('k', i % 5), ('10.0.0.' || i % 6)::inet,
	'c' || i % 8, i % 2, repeat('w', 100 + i % 4 * 50), CASE WHEN i % 10 > 0 THEN repeat(md5((i % 3)::text), 70) END
FROM generate_series(1, 2000) AS i;
SELECT FROM synth_fit('many', seed => 1);

-- The rows as PostgreSQL forms them: of the columns one by one.
SELECT format('SELECT ROW(%s)::text FROM synth_sample(NULL::many, 3000, seed => 2)',
	string_agg(quote_ident(attname), ', ' ORDER BY attnum)) AS query
FROM pg_attribute WHERE attrelid = 'many'::regclass AND attnum > 0 \gset
CREATE TEMP TABLE expected AS SELECT row_number() OVER () AS i, r FROM (:query) AS q(r);
CREATE FUNCTION differences(rows text[]) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(rows) WITH ORDINALITY AS u(r, i) FULL JOIN expected AS e USING (i) WHERE u.r IS DISTINCT FROM e.r
$$;
SELECT cmp_ok(count(DISTINCT r), '>', 2500::bigint, 'the rows differ') FROM expected;

CREATE TABLE made AS SELECT * FROM synth_sample(NULL::many, 3000, seed => 2);
SELECT is(differences(array_agg(m::text ORDER BY ctid)), 0::bigint, 'CREATE TABLE AS') FROM made AS m;
SELECT is(count(*), 0::bigint, 'and each column can be read alone') FROM made AS m, LATERAL (
	SELECT plain_end, wider FROM made AS n WHERE n.ctid = m.ctid OFFSET 0) AS n
	WHERE (m.plain_end, m.wider) IS DISTINCT FROM (n.plain_end, n.wider);
CREATE TABLE filled (LIKE many);
INSERT INTO filled SELECT * FROM synth_sample(NULL::many, 3000, seed => 2);
SELECT is((SELECT count(*) FROM (SELECT f::text FROM filled AS f EXCEPT ALL SELECT r FROM expected) AS d), 0::bigint, 'INSERT ... SELECT');
-- stored anew by PostgreSQL, they take no less room
CREATE TABLE again AS SELECT * FROM made;
UPDATE again SET small = small;
SELECT is((SELECT sum(pg_column_size(m)) FROM made AS m), (SELECT sum(pg_column_size(a)) FROM again AS a), 'stored as small as PostgreSQL stores them');

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.small := NEW.small + 100; RETURN NEW; END $$;
TRUNCATE filled;
CREATE TRIGGER touch BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO filled SELECT * FROM synth_sample(NULL::many, 3000, seed => 2);
UPDATE filled SET small = small - 100;
SELECT is((SELECT count(*) FROM (SELECT f::text FROM filled f EXCEPT ALL SELECT m::text FROM made m) AS d), 0::bigint, 'a row trigger sees the row, and changes what it changes');

-- Tuples that are kept: sorted, materialized, grouped, fetched backwards.
SELECT is((SELECT count(*) FROM (SELECT t::text FROM (SELECT * FROM synth_sample(NULL::many, 3000, seed => 2) ORDER BY whole, moment OFFSET 0) AS t
	EXCEPT ALL SELECT r FROM expected) AS d), 0::bigint, 'sorted');
SELECT is((SELECT differences(array_agg(t::text)) FROM (WITH w AS MATERIALIZED (SELECT * FROM synth_sample(NULL::many, 3000, seed => 2)) SELECT * FROM w) AS t),
	0::bigint, 'a materialized WITH');
SET LOCAL enable_hashagg = off;
SELECT is((SELECT array_agg(g::text ORDER BY g::text) FROM (SELECT label, code, count(*) FROM synth_sample(NULL::many, 3000, seed => 2) GROUP BY 1, 2) AS g),
	(SELECT array_agg(g::text ORDER BY g::text) FROM (SELECT label, code, count(*) FROM made GROUP BY 1, 2) AS g), 'grouped after a sort');
DECLARE c SCROLL CURSOR FOR SELECT * FROM synth_sample(NULL::many, 3000, seed => 2);
MOVE FORWARD ALL IN c;
CREATE TEMP TABLE backwards (i serial, r text);
CREATE FUNCTION fetch_back() RETURNS void LANGUAGE plpgsql AS $$
DECLARE c refcursor := 'c'; m many;
BEGIN
	LOOP
		FETCH PRIOR FROM c INTO m;
		EXIT WHEN NOT FOUND;
		INSERT INTO backwards (r) VALUES (m::text);
	END LOOP;
END $$;
SELECT fetch_back();
SELECT is(differences(array_agg(r ORDER BY i DESC)), 0::bigint, 'a cursor, backwards') FROM backwards;

SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
CREATE TABLE queued AS SELECT * FROM synth_sample(NULL::many, 3000, seed => 2);
SELECT is(differences(array_agg(q::text ORDER BY ctid)), 0::bigint, 'through a worker''s queue') FROM queued AS q;
-- Columns that are all in their Datums or short texts have a loop of their own.
CREATE TABLE plain (whole int4, other int4, flag bool, yes bool, small int2, tiny int2, long int8, real float8,
	label text, part float4, letter "char", born date, kind varchar(40), last int4);
INSERT INTO plain SELECT i % 40, i % 7, i % 2 = 0, i % 3 = 0, i % 9, i % 4, (i % 8) * 1e12::int8, i % 10 / 4.0,
	(ARRAY['x', 'four', repeat('y', 30)])[1 + i % 3], i % 6 / 8.0, 'a', date '2000-01-01' + i % 12, NULLIF('k' || i % 20, 'k3'), i % 11
FROM generate_series(1, 2000) AS i;
SELECT FROM synth_fit('plain', seed => 1);
CREATE TABLE plain_made AS SELECT * FROM synth_sample(NULL::plain, 3000, seed => 2);
SET LOCAL gensynth.enable_custom_scan = off;
SELECT is(array_agg(m::text ORDER BY ctid), (SELECT array_agg(s::text) FROM synth_sample(NULL::plain, 3000, seed => 2) AS s), 'plain columns')
FROM plain_made AS m;
SELECT is(count(*), 0::bigint, 'which can be read alone')
FROM plain_made AS m, LATERAL (SELECT last, part FROM plain_made AS n WHERE n.ctid = m.ctid OFFSET 0) AS n
WHERE (m.last, m.part) IS DISTINCT FROM (n.last, n.part);
SELECT * FROM finish();
ROLLBACK;
