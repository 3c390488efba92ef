-- Encoders: what is decoded and encoded again is what it was, and of real rows
-- the bins are those that the fit made.
BEGIN;
SELECT plan(22);
SET LOCAL client_min_messages = warning;
CREATE FUNCTION probe_model(model text, batches int) RETURNS text[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_model';
CREATE FUNCTION probe_bins(query text, threshold int) RETURNS text[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_bins';

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE DOMAIN word AS text CHECK (VALUE ~ '^\w+$');
CREATE DOMAIN short AS numeric(6,2)[] CHECK (cardinality(VALUE) < 3);
CREATE TABLE kinds (
    b bool, i2 int2, i4 int4, i8 int8, m money, f4 float4, f8 float8, n numeric, n2 numeric(10,2),
    d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval,
    u uuid, e mood, ip inet, net cidr, mac macaddr, mac8 macaddr8,
    txt text, vc varchar(12), c char(3), cat text, prose text,
    bits bit(5), vbits varbit, bin bytea, j json, jb jsonb,
    ia int[], ta text[], da date[], r4 int4range, nr numrange, tr tstzrange, p point, ev even, w word,
    wide numeric, ivs interval, points point, spans numrange, few numeric, sh short, fs float8, ends date
);
INSERT INTO kinds SELECT
    i % 3 = 0, i % 100, i * 7, i * 10000000019, i * 3.21, sqrt(i), ln(i) * 1e10, i / 7.0, i * 1.25,
    CASE WHEN i % 20 = 0 THEN 'infinity' ELSE date '2000-01-01' + i END, time '00:00' + i * interval '97 s',
    timetz '00:00+01' + i * interval '97 s', timestamp '2000-01-01' + i * interval '5 hours',
    timestamptz '2000-01-01 00:00Z' + i * interval '5 hours', i * interval '1 month 1 day 17 s',
    md5(i::text)::uuid, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood,
    CASE WHEN i % 2 = 0 THEN inet '10.0.0.1' + i ELSE inet '2001:db8::1' + i END,
    network(set_masklen(inet '10.0.0.0' + i * 256, 16 + i % 8)),
    ('08:00:2b:01:' || lpad(to_hex(i / 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr,
    ('08:00:2b:01:02:03:' || lpad(to_hex(i / 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr8,
    'Customer ' || i || ' <user' || i || '@example.org>', 'v' || i % 50, chr(65 + i % 26) || i % 10, 'cat ' || i % 6,
    'The quick brown fox number ' || i || ' jumps over ' || i % 11 || ' lazy dogs, and so on. Ünïcode ' || chr(1040 + i % 30),
    (i % 32)::bit(5), (i % 64)::bit(6)::varbit, decode(md5((i % 40)::text), 'hex'),
    json_build_object('id', i % 9, 'tags', ARRAY['a', 'b' || i % 4], 'x', NULL), jsonb_build_object('k', i, 'o', jsonb_build_object('v', i * 0.5)),
    ARRAY[i % 8, i % 8 + 1], ARRAY['t' || i % 9, 'u' || i], ARRAY[date '2020-01-01' + i % 5],
    CASE WHEN i % 10 = 0 THEN 'empty' ELSE int4range(i, i + 1 + i % 9) END, numrange(i / 3.0, i), tstzrange(timestamptz '2000-01-01 00:00Z' + i * interval '1 h', NULL),
    point(i, sqrt(i)), i * 2, 'w' || i % 7,
    i % 9 * 12345678901234567890.5, (i % 5) * interval '1 month 2 days', point(i % 4, -(i % 4)), numrange(i % 6 * 1.50, i % 6 * 1.5 + 2.50), i % 7 * 1.10,
    ARRAY[i % 4 * 0.5], CASE WHEN i % 25 = 0 THEN float8 'NaN' WHEN i % 26 = 0 THEN '-Infinity' WHEN i % 27 = 0 THEN '-0' ELSE i * 0.25 END,
    CASE WHEN i % 20 = 0 THEN '-infinity' ELSE date '2000-01-01' + i END
FROM generate_series(1, 1500) AS i;
-- the same again, with NULLs in all columns
CREATE TABLE holes AS SELECT * FROM kinds;
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'holes'::regclass AND attnum > 0 LOOP
        EXECUTE format('UPDATE holes SET %I = NULL WHERE i4 / 7 %% %s = 0 OR i4 IS NULL', c.attname, 5 + c.attnum);
    END LOOP;
END $$;

-- Real rows.
SELECT is(probe_bins('SELECT * FROM kinds', 5), ARRAY['rows 1500'], 'bins of all types are those of the fit');
SELECT is(probe_bins('SELECT * FROM holes', 5), ARRAY['rows 1500'], 'and of columns with NULLs');
SELECT is(probe_bins('SELECT * FROM kinds LIMIT 300', 1), ARRAY['rows 300'], 'and without protection');
SELECT is(probe_bins('SELECT * FROM holes', 60), ARRAY['rows 1500'], 'and with much of it');
SELECT is(probe_bins('SELECT * FROM holes', 1501), ARRAY['rows 1500'], 'and where nothing may be shown');
-- Rows of a model.  A cidr has no bits beyond its mask, whatever was drawn, an end of a segment may be rounded to
-- that of the one before, and a day beyond the last one is taken back by a week: those cells have moved.  So have some documents that would have been rare ones.
CREATE FUNCTION turned(source text, method text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    result text[];
BEGIN
    PERFORM synth_fit(source, method => method, model => 'turned', seed => 1, options => '{"dependencies": 0}');
    result := probe_model('turned', 4);
    RETURN NEXT is(result[1], 'rows 4096', source || ', ' || method);
    RETURN NEXT is(ARRAY(SELECT line FROM unnest(result[2:]) line WHERE line !~ '^((net \d+|p \d|d \d+|tstz \d+|ts \d+|ends \d+) 0|jb \d\d? \d\d?)$'), '{}',
        'what is decoded and encoded again is what it was');
END $$;
SELECT turned('kinds', 'copula');
SELECT turned('holes', 'copula');
SELECT turned('holes', 'tree');

-- Values that the fit never saw, or may not show.
CREATE FUNCTION probe_row(model text, r record, share float8) RETURNS text[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_row';
CREATE TABLE stays (few int, cat text, note text, x float8, born date, came date, went date, amount numeric, iv interval, id uuid UNIQUE, none int);
INSERT INTO stays SELECT i % 3, 'cat ' || i % 4, 'note ' || i, CASE WHEN i % 10 = 0 THEN NULL WHEN i % 10 = 1 THEN 7 ELSE i * 100 END,
    CASE WHEN i % 10 = 0 THEN '-infinity' ELSE date '2000-01-01' + i END,
    date '2020-01-01' + i * 7, date '2020-01-01' + i * 7 + (i * 37) % 29, i * 0.25, (i % 3) * interval '1 month 1 day',
    CASE WHEN i % 5 > 0 THEN md5(i::text)::uuid END, CASE WHEN i = 1 THEN 1 END
FROM generate_series(1, 1000) i;
SELECT synth_fit('stays', seed => 1, options => '{"dependencies": 0}');
CREATE FUNCTION probe(VARIADIC v text[]) RETURNS text LANGUAGE sql AS $$
    SELECT array_to_string(probe_row('stays', jsonb_populate_record(NULL::stays, jsonb_object(v[2:])), v[1]::float8), ', ') $$;

SELECT is(probe('0.5', 'few', '1', 'cat', 'cat 2', 'note', 'note 7', 'x', '7', 'born', '-infinity', 'came', '2020-02-12', 'went', '2020-02-14',
    'amount', '100.25', 'iv', '1 mon 1 day'),
    'few 1, cat cat 2, note other, x 7..7 0.500, x is not null, born -infinity..-infinity 0.500, came 2020-02-05..2020-03-04 0.300, '
    'went 2000-01-03..2000-01-03 0.500, amount 100.00..101.00 0.300, iv 1 mon 1 day, id is null, none null', 'what the fit saw');
SELECT is(probe('0.5', 'few', NULL), 'few missing, cat missing, note missing, x missing, x is null, born missing, came missing, went missing, '
    'amount missing, iv missing, id is null, none null', 'NULLs, where the source had some, and where not');
SELECT is(probe('0.5', 'few', '7', 'cat', 'cat 9', 'note', '', 'x', '1e300', 'born', '1000-01-01', 'came', '1999-01-01', 'went', '2020-01-01',
    'amount', '1e30', 'iv', '1 mon 1 day 00:00:01', 'id', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'none', '5'),
    'few missing, cat missing, note other, x 99401..99500 0.500, x is not null, born 2000-01-06..2000-01-11 0.083, came 2020-02-05..2020-03-04 0.100, '
    'went 2000-01-29..2000-01-29 0.500, amount 248.75..249.00 0.750, iv missing, id is not null, none missing', 'what it never saw: the nearest');
SELECT is(probe('0.5', 'x', 'NaN', 'born', 'infinity', 'came', 'infinity', 'went', '2020-01-01', 'amount', '-Infinity'),
    'few missing, cat missing, note missing, x 99401..99500 0.500, x is not null, born 2002-09-21..2002-09-22 0.750, came 2039-01-26..2039-02-02 0.750, '
    'went missing, amount 1.25..2.25 0.100, iv missing, id is null, none null', 'and no numbers');
SELECT is(probe('0.5', 'came', '2020-02-12', 'went', '2020-02-11', 'amount', '100.3'),
    'few missing, cat missing, note missing, x missing, x is null, born missing, came 2020-02-05..2020-03-04 0.300, went 2000-01-01..2000-01-01 0.500, amount 100.00..101.00 0.300, iv missing, id is null, none null',
    'less than the column that it is a difference from, and between two values');
SELECT is(probe('0', 'came', '2020-02-12'), 'few missing, cat missing, note missing, x missing, x is null, born missing, came 2020-02-05..2020-03-04 0.200, went missing, amount missing, iv missing, id is null, none null',
    'where it is to be: at the beginning');
SELECT is(probe('0.999', 'came', '2020-02-12'), 'few missing, cat missing, note missing, x missing, x is null, born missing, came 2020-02-05..2020-03-04 0.400, went missing, amount missing, iv missing, id is null, none null',
    'and at the end');
SELECT is(probe('0.999', 'went', '2020-02-12'), 'few missing, cat missing, note missing, x missing, x is null, born missing, came missing, went missing, amount missing, iv missing, id is null, none null',
    'a difference from what is not there says nothing');

-- One value is one level, whatever zeros it is written with, and wherever the row stands that shows it to be a wide one.
CREATE TABLE zeros AS SELECT CASE WHEN i = 50 THEN 12345678901234567890.5 WHEN i % 2 = 0 THEN 1.5 ELSE 1.50 END AS n,
    numrange(CASE i % 4 WHEN 0 THEN 1.5 WHEN 1 THEN 1.50 WHEN 2 THEN 2.5 ELSE 2.50 END, CASE WHEN i % 3 = 0 THEN 12345678901234567892.5 ELSE 3 END) AS r FROM generate_series(1, 100) i;
SELECT is(probe_bins('SELECT * FROM zeros', 5), ARRAY['rows 100'], 'numerics with zeros at their end');
SELECT synth_fit('zeros', seed => 1);
SELECT is(ARRAY(SELECT detail ->> 'levels' FROM synth_columns('zeros')), ARRAY['1', '4'], 'which are equal');
SELECT is((SELECT count(*) FROM synth_sample(NULL::zeros, 100, given => '{"n": 1.500}') WHERE n = 1.5), 100::bigint, 'also to what is given');

SELECT * FROM finish();
ROLLBACK;
