#!/bin/bash
# The loader takes what is stored as hostile.  Thousands of times: change
# something in the catalog of a model, sample it (as documents, as rows, under a
# condition, into a table), and undo the change.  The models are some 50 little
# ones, which together have all kinds of columns, keys, rules and families, and
# now and then one of 41 columns.  Bytes that do not match their digest must
# always be data_corrupted; bytes that were sealed anew, and rows, may give any
# error, or none, but never a crash, a hang or a large allocation.  Prints TAP.
# script/fuzz_asan.sh runs this under sanitizers.
#
#   FUZZ_RUNS=5000   how often
#   FUZZ_SEED=1      the first of the numbers that say what is changed; each
#                    stands for one change, the same at all times
#   FUZZ_BIG=10      of 1000 changes so many are to the model of 41 columns
#   FUZZ_METHOD=auto that one's method
#   FUZZ_LOG=file    keeps the results, a line each
set -euo pipefail

runs=${FUZZ_RUNS:-5000}
seed=${FUZZ_SEED:-1}
database=gensynth_fuzz
work=$(mktemp -d)
log=${FUZZ_LOG:-$work/log}
big=${FUZZ_BIG:-10}
trap 'dropdb --if-exists "$database" 2> /dev/null; rm -rf "$work"' EXIT

sql() { psql -X -q -A -t -d "$database" "$@"; }

dropdb --if-exists "$database" 2> /dev/null
createdb "$database"
sql -v ON_ERROR_STOP=1 -v method="${FUZZ_METHOD:-auto}" << 'SQL'
SET client_min_messages = error;
CREATE EXTENSION gensynth;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE DOMAIN word AS text CHECK (VALUE ~ '^\w+$');
CREATE TABLE fuzz (
    b bool, i2 int2, i4 int4, i8 int8, m money, f4 float4, f8 float8, n numeric, n2 numeric(10,2),
    d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval,
    u uuid, e mood, ip inet, net cidr, mac macaddr, mac8 macaddr8,
    txt text, vc varchar(12), c char(3), cat text, prose text,
    bits bit(5), vbits varbit, bin bytea, j json, jb jsonb,
    ia int[], ta text[], da date[], r4 int4range, nr numrange, tr tstzrange, p point, ev even, w word
);
INSERT INTO fuzz SELECT
    i % 3 = 0, i % 100, i * 7, i * 10000000019, i * 3.21, sqrt(i), ln(i) * 1e10, i / 7.0, i * 1.25,
    CASE WHEN i = 20 THEN 'infinity' ELSE date '2000-01-01' + i END, time '00:00' + i * interval '97 s',
    timetz '00:00+01' + i * interval '97 s', timestamp '2000-01-01' + i * interval '5 hours',
    timestamptz '2000-01-01 00:00Z' + i * interval '5 hours', i * interval '1 month 1 day 17 s',
    md5(i::text)::uuid, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood,
    CASE WHEN i % 2 = 0 THEN inet '10.0.0.1' + i ELSE inet '2001:db8::1' + i END,
    network(set_masklen(inet '10.0.0.0' + i * 256, 16 + i % 8)),
    ('08:00:2b:01:' || lpad(to_hex(i / 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr,
    ('08:00:2b:01:02:03:' || lpad(to_hex(i / 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr8,
    'Customer ' || i || ' <user' || i || '@example.org>', 'v' || i, chr(65 + i % 26) || i % 10, 'cat ' || i % 6,
    'The quick brown fox number ' || i || ' jumps over ' || i % 11 || ' lazy dogs, and so on. Ünïcode ' || chr(1040 + i % 30),
    (i % 32)::bit(5), (i % 64)::bit(6)::varbit, decode(md5(i::text), 'hex'),
    json_build_object('id', i, 'tags', ARRAY['a', 'b' || i % 4], 'x', NULL), jsonb_build_object('k', i, 'o', jsonb_build_object('v', i * 0.5)),
    ARRAY[i, i + 1], ARRAY['t' || i % 9, 'u' || i], ARRAY[date '2020-01-01' + i % 5],
    CASE WHEN i % 10 = 0 THEN 'empty' ELSE int4range(i, i + 1 + i % 9) END, numrange(i / 3.0, i), tstzrange(timestamptz '2000-01-01 00:00Z' + i * interval '1 h', NULL),
    point(i, sqrt(i)), i * 2, 'w' || i % 7
FROM generate_series(1, 400) AS i;
ALTER TABLE fuzz ADD PRIMARY KEY (i4), ADD UNIQUE (i8), ADD UNIQUE (m), ADD UNIQUE (f8), ADD UNIQUE (n2), ADD UNIQUE (d),
    ADD UNIQUE (ts), ADD UNIQUE (u), ADD UNIQUE (mac), ADD UNIQUE (txt), ADD UNIQUE (vc), ADD UNIQUE (bin), ADD UNIQUE (ev);
UPDATE fuzz SET i8 = NULL, txt = NULL, r4 = NULL, iv = NULL WHERE i4 % 3 = 0;
-- Little ones, so that there can be many runs: of a few columns each, that together have features, keys, formats and
-- rules of all kinds.
CREATE TABLE parent AS SELECT i AS id FROM generate_series(1, 40) AS i;
ALTER TABLE parent ADD PRIMARY KEY (id);
CREATE TABLE wanted (name text, query text, keys text);
INSERT INTO wanted VALUES
    ('whole', 'SELECT b, i2, i4, i8 FROM fuzz', 'ADD PRIMARY KEY (i4), ADD UNIQUE (i8)'),
    ('broken', 'SELECT m, f4, f8, n FROM fuzz', 'ADD UNIQUE (m), ADD UNIQUE (f8)'),
    ('days', 'SELECT n2, d, t, tz FROM fuzz', 'ADD UNIQUE (n2), ADD UNIQUE (d)'),
    ('times', 'SELECT ts, tstz, iv, e FROM fuzz', 'ADD UNIQUE (ts)'),
    ('addresses', 'SELECT u, ip, net, mac, mac8 FROM fuzz', 'ADD UNIQUE (u), ADD UNIQUE (mac)'),
    ('texts', 'SELECT txt, vc, c, cat FROM fuzz', 'ADD UNIQUE (txt), ADD UNIQUE (vc)'),
    ('prose', 'SELECT prose, bits, vbits, bin FROM fuzz', 'ADD UNIQUE (bin)'),
    ('documents', 'SELECT j, jb, cat FROM fuzz', NULL),
    ('arrays', 'SELECT ia, ta, da, e FROM fuzz', NULL),
    ('ranges', 'SELECT r4, nr, tr, p FROM fuzz', NULL),
    ('domains', 'SELECT ev, w, b FROM fuzz', 'ADD UNIQUE (ev)'),
    ('coded', $$SELECT t AS at, to_char(t, 'YYYYMMDD')::int AS ymd, CASE i % 9 WHEN 0 THEN 'n/a' ELSE to_char(t + i % 70 * interval '1 day', 'DD/MM/YYYY') END AS dmy, to_char(t, 'FMDay') AS day, i * 37 % 900 + 0.99 - 0.04 * (i % 2) AS price
        FROM (SELECT i, timestamp '2020-01-01' + i * 137 % 900 * interval '1 day 7 min' AS t FROM generate_series(1, 400) AS i) AS t$$, NULL),
    ('dependent', $$SELECT i % 11 AS code, 'code ' || i % 11 AS label, i % 3 AS a, i * i % 4 AS b, (i % 3) * 4 + i * i % 4 AS c FROM generate_series(1, 400) AS i$$, NULL),
    ('stays', $$SELECT date '2020-01-01' + i * 37 % 900 AS came, date '2020-01-01' + i * 37 % 900 + i % 8 AS went, i % 8 * i % 40 AS cost, i % 2 = 0 AS x FROM generate_series(1, 400) AS i$$, NULL),
    ('rules', $$SELECT i % 50 AS net, i % 7 AS tax, i % 50 + i % 7 AS total, i * 13 % 100 AS a, i * 13 % 100 + i % 9 - 1 AS b FROM generate_series(1, 400) AS i$$,
        'ADD CHECK (total = net + tax), ADD CHECK (a < b + 2), ADD CHECK (net * 3 > tax - 20), ADD half numeric GENERATED ALWAYS AS (total / 2.0) STORED'),
    ('children', $$SELECT i AS id, 1 + i * i % 37 AS parent, CASE WHEN i > 20 THEN i / 3 END AS before, 'k' || i % 4 AS kind FROM generate_series(1, 400) AS i$$,
        'ADD PRIMARY KEY (id), ADD FOREIGN KEY (parent) REFERENCES parent, ADD FOREIGN KEY (before) REFERENCES children (id)'),
    ('numbers', $$SELECT i * 0.25::float8 AS a, sqrt(i)::float4 AS b, (i * 7919 % 10007)::numeric AS c, i * 1e20 AS d, i % 3 AS e FROM generate_series(1, 400) AS i$$,
        'ADD UNIQUE (a), ADD UNIQUE (b), ADD UNIQUE (c), ADD UNIQUE (d)'),
    ('names', $$SELECT 'user' || i || '@example.org' AS mail, 'ORD-' || lpad(i::text, 6, '0') AS counted, 'AB-' || 100000 + i * 7919 % 899999 || '-' || chr(65 + i % 26) AS pattern,
        lpad(to_hex(i % 256), 4, '0')::varchar(4) AS hex FROM generate_series(1, 250) AS i$$,
        'ADD UNIQUE (mail), ADD UNIQUE (counted), ADD UNIQUE (pattern), ADD UNIQUE (hex)'),
    ('lists', $$SELECT (ARRAY['sad', 'ok', 'happy'])[i]::mood AS e, i::bit(5) AS bits, i AS x FROM generate_series(1, 20) AS i$$, 'ADD UNIQUE (e), ADD UNIQUE (bits)'),
    ('pairs', $$SELECT i % 20 AS a, i / 20 AS b, int4range(i * 3, i * 3 + 2) AS r, i % 5 AS c FROM generate_series(1, 400) AS i$$, 'ADD UNIQUE (a, b)'),
    ('atoms', $$SELECT CASE i % 9 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN 0 ELSE sqrt(i) END::float8 AS a, CASE WHEN i % 4 > 0 THEN i % 90 * 10 END AS b,
        CASE WHEN i % 10 < 7 THEN 'often' || i % 3 ELSE md5(i::text) END AS c, CASE WHEN i % 5 > 0 THEN i % 3 = 0 END AS d FROM generate_series(1, 400) AS i$$, NULL),
    ('bent', $$SELECT a, b, (a <> b) <> (i * i % 11 < 2) AS c, x, x * x + i * i % 19 AS z, CASE WHEN i % 10 > 2 THEN x + i * 13 % 4 END AS n
        FROM (SELECT i, i * 7919 % 101 < 50 AS a, i * 104729 % 97 < 40 AS b, i * 15485863 % 21 - 10 AS x FROM generate_series(1::bigint, 2000) AS i) AS s$$, NULL),
    ('shifted', $$SELECT x, x + i * 13 % 7 - 3 AS y, x / 100.0 AS z, i % 3 AS c FROM (SELECT i, i * 7919 % 100003 AS x FROM generate_series(1, 2000) AS i) AS s$$, NULL),
    ('layouts', $$SELECT i % 3 AS kind, CASE WHEN i % 11 > 0 THEN jsonb_build_object('n', i, 't', 'text ' || i, 'c', 'c' || i % 4, 'b', i % 2 = 0) || CASE i % 3 WHEN 0 THEN '{}'
        WHEN 1 THEN jsonb_build_object('a', jsonb_build_array(i % 5, 2, '{"x": 1}'::jsonb)) ELSE jsonb_build_object('o', jsonb_build_object('x', i * 0.5), 'z', NULL) END END AS doc
        FROM generate_series(1, 400) AS i$$, NULL),
    ('checked', $$SELECT 'DE' || lpad((98 - (n || '131400')::numeric % 97)::text, 2, '0') || n AS iban, lpad((98 - n::numeric * 100 % 97)::text, 20, n) AS checked
        FROM generate_series(1, 250) AS i, lpad((i * 7919)::text, 18, '0') AS n$$, 'ADD UNIQUE (iban)'),
    ('ordered', $$SELECT i AS id, 1000 - i * 3 + i * i % 3 AS down, timestamp '2024-01-01' + i * interval '5 min' AS at, i / 10 + i * 7919 % 13 AS loose, i % 3 AS c FROM generate_series(1, 1500) AS i$$,
        'ADD PRIMARY KEY (id), ADD UNIQUE (down)'),
    ('loose', $$SELECT i * 3 AS id, i / 10 + i * 7919 % 13 AS a FROM generate_series(1, 1500) AS i$$, 'ADD PRIMARY KEY (id)'),
    ('partly', $$SELECT 'h' || CASE WHEN i % 4 = 0 THEN i % 20 ELSE i END AS handle, i % 100 + i / 100 AS number, i % 5 AS kind, md5((i / 2)::text) AS hash FROM generate_series(1, 400) AS i$$,
        'ADD UNIQUE (handle, kind, number), ADD UNIQUE (hash, kind)'),
    ('statuses', $$SELECT i AS id, 'status ' || i AS name, CASE WHEN i % 3 > 0 THEN i % 2 = 0 END AS final FROM generate_series(1, 20) AS i$$, 'ADD PRIMARY KEY (id), ADD UNIQUE (name)'),
    ('persons', $$SELECT CASE WHEN i % 2 = 0 THEN 'F' ELSE 'M' END AS sex, synth_fake('first_name', i::text, 'de_DE') AS first_name, synth_fake('last_name', i::text, 'de_DE') AS last_name,
        synth_fake('email', i::text) AS email, synth_fake('phone', i::text, 'de_DE') AS phone, synth_fake('city', i::text, 'de_DE') AS city, synth_fake('iban', i::text, 'de_DE') AS iban
        FROM generate_series(1, 300) AS i$$, NULL),
    ('declared', $$SELECT CASE WHEN i % 9 > 0 THEN i % 70 END AS a, (i % 3)::text AS b, CASE WHEN i % 5 > 0 THEN i % 2 = 0 END AS c, date '2020-01-01' + i % 40 AS d FROM generate_series(1, 400) AS i$$,
        $$ADD CHECK (a BETWEEN 0 AND 80), ADD CHECK (b IN ('0', '1', '2')), ADD CHECK (d BETWEEN '2020-01-01' AND '2020-03-01')$$),
    ('few', $$SELECT i AS a, 'x' || i % 4 AS b FROM generate_series(1, 50) AS i$$, NULL);
SELECT format('CREATE TABLE %I AS %s', name, query) FROM wanted UNION ALL SELECT format('ALTER TABLE %I %s', name, keys) FROM wanted WHERE keys IS NOT NULL \gexec
CREATE TABLE models (id serial, name text, source text, method text, options jsonb, ncolumns int, given jsonb, clone text, parts text[]);
INSERT INTO models (name, source, method, options) VALUES ('fuzz', 'fuzz', :'method', CASE WHEN :'method' IN ('vae', 'gan') THEN '{"steps": 3}'
    WHEN :'method' = 'diffusion' THEN '{"steps": 3, "sampling_steps": 2}' ELSE '{}' END::jsonb);
INSERT INTO models (name, source, method, options) SELECT name || ' ' || method, name, method, CASE method WHEN 'diffusion' THEN '{"steps": 3, "sampling_steps": 2}' ELSE '{"steps": 3}' END::jsonb
    FROM (VALUES ('atoms'), ('dependent')) AS w(name), unnest(ARRAY['vae', 'gan', 'diffusion']) AS method ORDER BY 1;
INSERT INTO models (name, source, method, options) SELECT name || ' ' || method, name, method, CASE method WHEN 'tree' THEN '{"min_leaf": 5}' ELSE '{}' END::jsonb
    FROM wanted, unnest(ARRAY['tree', 'copula']) AS method ORDER BY 1;
INSERT INTO models (name, source, method, options) SELECT name || ' refined', name, 'copula', '{"refine": 2}' FROM (VALUES ('bent'), ('shifted')) AS w(name);
INSERT INTO models (name, source, method, options) VALUES ('statuses public', 'statuses', 'tree', '{"public": true}');
INSERT INTO models (name, source, method, options) VALUES ('bent given', 'bent', 'tree', '{"min_leaf": 5, "condition_first": ["x", "a"]}'), ('shifted alone', 'shifted', 'tree', '{"min_leaf": 5, "differences": 0, "dependencies": 0}');
INSERT INTO models (name, source, method, options) VALUES ('declared private', 'declared', 'private', '{}');
SELECT count(synth_fit(quote_ident(source), model => name, method => method, options => options, seed => CASE WHEN method <> 'private' THEN 1 END,
    epsilon => CASE WHEN method = 'private' THEN 2 END)) AS ignored FROM models \gset
SELECT format('CREATE UNLOGGED TABLE %I (LIKE %I INCLUDING ALL)', 'clone of ' || source, source) FROM models GROUP BY source \gexec
ALTER TABLE "clone of children" ADD FOREIGN KEY (parent) REFERENCES parent;
UPDATE models SET ncolumns = (SELECT count(*) FROM gensynth.columns WHERE model = models.name), clone = quote_ident('clone of ' || source),
    parts = (SELECT array_agg(t.name ORDER BY t.name) FROM gensynth.tensors AS t WHERE model = models.name AND length(data) > 12);
-- something that a row of the source has, a range for some, NULL for others, to be given now and then
CREATE FUNCTION condition(source text, i int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(source_row) FROM %I AS source_row OFFSET 12 LIMIT 1', source) INTO r;
    RETURN (SELECT jsonb_build_object(key, CASE WHEN i % 3 = 0 THEN 'null' WHEN i % 3 = 1 AND jsonb_typeof(value) IN ('number', 'string') THEN jsonb_build_object('gte', value) ELSE value END)
        FROM jsonb_each(r) WHERE i % 3 = 0 OR jsonb_typeof(value) NOT IN ('array', 'object') ORDER BY hashtextextended(key, i) LIMIT 1);
END $$;
UPDATE models SET given = condition(source, id);

-- Number k of run i, below n.
CREATE FUNCTION pick(i bigint, k int, n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT (hashint8extended(i, k) & 9223372036854775807) % greatest(n, 1) $$;

CREATE FUNCTION seal(payload bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS
    $$ SELECT 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload $$;

-- Words that numbers trip over, little-endian.
CREATE FUNCTION word(k bigint) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
    SELECT (ARRAY['\x00000000', '\xffffffff', '\xffffff7f', '\x00000080', '\x01000000', '\x0000c07f', '\x0000807f', '\x000080ff',
        '\x0000000000000000', '\xffffffffffffffff', '\xffffffffffffff7f', '\x0000000000000080', '\x000000000000f87f',
        '\x000000000000f07f', '\x000000000000f0ff', '\xa0c8eb85f3cce17f', '\x0100000000000000', '\x000000000000f03f',
        '\xffff', '\x0080', '\x7f', '\x00', '\x0000008000000080', '\x00100000', '\x00000100']::bytea[])[1 + k % 25]
$$;

-- A changed payload: bits, words, pieces.
CREATE FUNCTION spoil(i bigint, payload bytea, way bigint) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    len bigint := length(payload);
    at bigint := pick(i, 10, len);
    word bytea := word(pick(i, 11, 25));
BEGIN
    IF len = 0 THEN
        RETURN word;
    END IF;
    CASE (ARRAY[0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 2, 6, 8, 8, 8])[way + 1]
    WHEN 0 THEN
        FOR k IN 0 .. pick(i, 12, 3) LOOP
            payload := set_bit(payload, pick(i, 20 + k::int, len * 8), pick(i, 30 + k::int, 2)::int);
        END LOOP;
    WHEN 1 THEN
        payload := set_byte(payload, at::int, pick(i, 12, 256)::int);
    WHEN 2 THEN
        at := at - at % length(word);
        payload := substr(overlay(payload PLACING word FROM at::int + 1), 1, len::int);
    WHEN 3 THEN
        payload := substr(payload, 1, at::int);
    WHEN 4 THEN
        payload := payload || substr(payload, at::int + 1);
    WHEN 5 THEN
        payload := decode(repeat(encode(substr(word, 1, 1), 'hex'), len::int), 'hex');
    WHEN 6 THEN
        payload := overlay(payload PLACING substr(payload, pick(i, 13, len)::int + 1, 8) FROM at::int - at::int % 8 + 1);
        payload := substr(payload, 1, len::int);
    WHEN 7 THEN
        -- the same word everywhere from here on
        payload := substr(payload, 1, (at - at % 8)::int)
            || substr(decode(repeat(encode(word, 'hex'), (len / length(word) + 1)::int), 'hex'), 1, (len - at + at % 8)::int);
    WHEN 8 THEN
        -- a number that is a little off
        at := at - at % CASE WHEN len % 8 = 0 THEN 8 WHEN len % 4 = 0 THEN 4 ELSE 1 END;
        payload := set_byte(payload, at::int, (get_byte(payload, at::int) + (ARRAY[1, 255, 2, 254, 7])[1 + pick(i, 12, 5)]) % 256);
    END CASE;
    RETURN payload;
END $$;

-- Change number i of model m, which has so many columns, and tensors that are not empty; returns what it was.
CREATE FUNCTION change(i bigint, m text, ncolumns int, parts text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    way bigint := pick(i, 1, 100);
    t record;
    other record;
    payload bytea;
    size int;
BEGIN
    SELECT * INTO t FROM gensynth.tensors WHERE model = m AND version = 1 AND name = parts[1 + pick(i, 7, cardinality(parts))];
    IF way < 12 THEN
        -- the digest does not fit any more
        LOOP
            payload := spoil(i, t.data, pick(i, 2, 16));
            EXIT WHEN payload <> t.data;
            i := i + 1000003;
        END LOOP;
        UPDATE gensynth.tensors SET data = payload WHERE (model, version, name) = (t.model, t.version, t.name);
        RETURN 'bytes of ' || t.name;
    ELSIF way < 70 THEN
        -- it does, and perhaps the shape
        size := CASE t.type WHEN 'bytes' THEN 1 WHEN 'int4' THEN 4 WHEN 'float4' THEN 4 ELSE 8 END;
        payload := spoil(i, substr(t.data, 13), pick(i, 2, 16));
        payload := substr(payload, 1, length(payload) / size * size);
        UPDATE gensynth.tensors SET data = seal(payload),
            shape = CASE WHEN length(payload) = length(t.data) - 12 THEN shape
                WHEN cardinality(shape) = 1 THEN ARRAY[length(payload) / size]
                ELSE ARRAY[length(payload) / size / greatest(shape[2], 1), shape[2]] END
        WHERE (model, version, name) = (t.model, t.version, t.name);
        RETURN 'sealed ' || t.name;
    ELSIF way < 76 THEN
        UPDATE gensynth.tensors SET shape = (ARRAY['{}', '{0}', '{-1}', '{2147483647}', '{1,2,3}', '{NULL}', '{1,1}', '{{1,2}}',
            '{2147483647,2147483647}', '{65536,65536}', '[5:5]={7}'])[1 + pick(i, 3, 11)]::int[]
        WHERE (model, version, name) = (t.model, t.version, t.name);
        RETURN 'shape of ' || t.name;
    ELSIF way < 79 THEN
        UPDATE gensynth.tensors SET type = (ARRAY['float4', 'float8', 'int4', 'int8', 'bytes', '', 'xml'])[1 + pick(i, 3, 7)],
            shape = CASE WHEN pick(i, 4, 2) = 0 THEN shape ELSE ARRAY[(length(data) - 12) / (1 + pick(i, 5, 8)::int)] END
        WHERE (model, version, name) = (t.model, t.version, t.name);
        RETURN 'type of ' || t.name;
    ELSIF way < 82 THEN
        DELETE FROM gensynth.tensors WHERE (model, version, name) = (t.model, t.version, t.name);
        RETURN 'no ' || t.name;
    ELSIF way < 85 THEN
        SELECT * INTO other FROM gensynth.tensors WHERE model = m AND version = 1 AND name = parts[1 + pick(i, 8, cardinality(parts))];
        UPDATE gensynth.tensors SET data = CASE name WHEN t.name THEN other.data ELSE t.data END,
            shape = CASE name WHEN t.name THEN other.shape ELSE t.shape END,
            type = CASE name WHEN t.name THEN other.type ELSE t.type END
        WHERE model = m AND name IN (t.name, other.name);
        RETURN t.name || ' for ' || other.name;
    ELSIF way < 87 THEN
        DELETE FROM gensynth.tensors WHERE model = m AND name IN (SELECT name FROM gensynth.tensors WHERE model = 'few tree' AND hashtextextended(name, i) % 2 = 0);
        INSERT INTO gensynth.tensors SELECT m, version, name, type, shape, data FROM gensynth.tensors WHERE model = 'few tree' ON CONFLICT DO NOTHING;
        RETURN 'tensors of another model';
    ELSIF way < 93 THEN
        UPDATE gensynth.columns AS c SET type = o.type, base_type = CASE pick(i, 3, 2) WHEN 0 THEN o.base_type ELSE c.base_type END,
            kind = CASE pick(i, 4, 3) WHEN 0 THEN c.kind ELSE o.kind END
        FROM gensynth.columns AS o
        WHERE c.model = m AND c.ordinal = 1 + pick(i, 5, ncolumns) AND o.model = m AND o.ordinal = 1 + pick(i, 6, ncolumns);
        RETURN 'type of column ' || 1 + pick(i, 5, ncolumns);
    ELSIF way < 96 THEN
        UPDATE gensynth.columns SET type = w, base_type = w FROM (SELECT (ARRAY['record', 'anyelement', 'void', 'trigger', 'no_such', '',
            '); DROP TABLE fuzz; --', 'cstring', 'internal', 'public.fuzz', 'numeric(3,1)', 'numeric(1000,-1000)', 'varchar(1)', 'char(1)', 'bit(1)', 'interval(0)',
            'SETOF int', 'xml', 'tsvector', 'box', 'int[][]', 'pg_catalog.int4multirange', 'oid', 'name', '"char"', 'pg_catalog.regclass',
            'even', 'word', 'mood[]', 'fuzz[]', 'aclitem', 'tsrange', 'int8range', 'daterange', 'cidr'])[1 + pick(i, 3, 35)] AS w) AS s
        WHERE model = m AND ordinal = 1 + pick(i, 5, ncolumns);
        RETURN 'type of column ' || 1 + pick(i, 5, ncolumns);
    ELSIF way < 98 THEN
        CASE pick(i, 3, 8)
        WHEN 0 THEN DELETE FROM gensynth.columns WHERE model = m AND ordinal = 1 + pick(i, 5, ncolumns);
        WHEN 1 THEN UPDATE gensynth.columns SET ordinal = -ordinal WHERE model = m AND ordinal = 1 + pick(i, 5, ncolumns);
        WHEN 2 THEN UPDATE gensynth.columns SET kind = repeat('ä', 400) WHERE model = m AND ordinal = 1 + pick(i, 5, ncolumns);
        WHEN 3 THEN UPDATE gensynth.columns SET name = repeat('ä', 400) WHERE model = m;
        WHEN 4 THEN
            DELETE FROM gensynth.columns WHERE model = m;
            INSERT INTO gensynth.columns SELECT m, 1, g, 'c', 'int4', 'int4', 'integer', false, '{}' FROM generate_series(1, pick(i, 4, 3000)) AS g;
        WHEN 5 THEN UPDATE gensynth.constraints SET expression = word, definition = word, met = 'rejection' FROM (SELECT (ARRAY['a', '1', '', '(', 'a = b', '1 / (a - a) > 0', 'public.seal(a)',
            'a IN (SELECT 1)', 'repeat(''('', 100000)', 'NULL', 'count(*) > 0', repeat('(', 5000), 'no_such > 1', '$1 > 2', 'pg_catalog.pg_sleep(9) IS NULL'])[1 + pick(i, 4, 15)] AS word) AS w WHERE model = m;
        WHEN 6 THEN UPDATE gensynth.constraints SET met = (ARRAY['construction', 'rejection', 'database', ''])[1 + pick(i, 4, 4)],
            kind = (ARRAY['check', 'key', 'foreign key', 'generated', 'unique', 'condition', 'not null', ''])[1 + pick(i, 7, 8)] WHERE model = m;
        WHEN 7 THEN UPDATE gensynth.constraints SET columns = (ARRAY['{}', '{NULL}', '{no such}', '{a,a,a}', '{{a},{b}}', '{kind}'])[1 + pick(i, 4, 6)]::text[] WHERE model = m;
        END CASE;
        RETURN 'columns';
    ELSE
        CASE pick(i, 3, 6)
        WHEN 0 THEN UPDATE gensynth.versions SET method = 'no such' WHERE model = m;
        WHEN 1 THEN UPDATE gensynth.versions SET rows = -9223372036854775808 WHERE model = m;
        WHEN 2 THEN UPDATE gensynth.versions SET rows = 9223372036854775807 WHERE model = m;
        WHEN 3 THEN UPDATE gensynth.models SET current = 7 WHERE name = m;
        WHEN 4 THEN UPDATE gensynth.models SET owner = '' WHERE name = m;
        WHEN 5 THEN UPDATE gensynth.tensors SET name = repeat('ä', 500) WHERE model = m AND name = t.name;
        END CASE;
        RETURN 'rows';
    END IF;
END $$;

-- Bytes that this server process has ever mapped.
CREATE FUNCTION mapped() RETURNS bigint LANGUAGE sql AS
    $$ SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmPeak:\s+(\d+)'))[1]::bigint * 1024 $$;

CREATE FUNCTION fuzz(i bigint, big int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    m models;
    what text;
    state text;
    message text;
    before bigint := mapped();
    began timestamptz := clock_timestamp();
    way bigint := pick(i, 61, 10);
    warm bool := false;
BEGIN
    -- the first is the big one, the next six are of deep families
    SELECT * INTO m FROM models WHERE id = CASE WHEN pick(i, 62, 1000) < big THEN 1 WHEN pick(i, 63, 1000) < 15 THEN 2 + pick(i, 64, 6)
        ELSE 8 + pick(i, 64, (SELECT count(*) FROM models) - 7) END;
    BEGIN
        what := change(i, m.name, m.ncolumns, m.parts);
        -- mostly such as a count of the parts does not find
        IF what !~ '^(bytes|sealed|shape|type) ' AND pick(i, 60, 4) > 0 THEN
            UPDATE gensynth.versions SET ncolumns = (SELECT count(*) FROM gensynth.columns WHERE model = m.name),
                ntensors = (SELECT count(*) FROM gensynth.tensors WHERE model = m.name) WHERE model = m.name;
        END IF;
        IF way < 6 THEN
            PERFORM length(r::text) FROM synth_sample(m.name, 20, seed => i, start => 1 + pick(i, 50, 2) * 10000000) AS r;
        END IF;
        IF way BETWEEN 5 AND 7 THEN
            EXECUTE format('SELECT count(length(r::text)) FROM synth_sample(NULL::%I, 12, model => %L, seed => %s) AS r', m.source, m.name, i);
        ELSIF way = 8 THEN
            PERFORM length(r::text) FROM synth_sample(m.name, 5, seed => i, given => m.given) AS r;
        ELSIF way = 9 THEN
            CALL synth_into(m.clone::regclass, 12, model => m.name, seed => i);
            PERFORM count(*) FROM synth_check(m.name, 12);
            PERFORM count(*) FROM synth_columns(m.name), synth_constraints(m.name), synth_training(m.name);
        END IF;
        warm := what ~ '(training|shape|weights|tensors)' AND m.options ? 'steps' AND pick(i, 65, 4) = 0;
        IF warm THEN
            PERFORM synth_fit(quote_ident(m.source), model => m.name, method => m.method, options => m.options || '{"warm_start": 1}');
        END IF;
        IF what = 'rows' THEN
            PERFORM synth_sample(m.name) LIMIT 3;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'GSOK0', MESSAGE = 'no error';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    END;
    -- (threads that train map much that they do not use)
    RETURN concat_ws('|', i, state, CASE WHEN warm THEN 0 ELSE mapped() - before END, (1000 * extract(epoch FROM clock_timestamp() - began))::int, what || ' of ' || m.name, replace(left(message, 100), E'\n', ' '));
END $$;
SQL

# settings timeout: what a session begins with.
settings() {
    echo "SET client_min_messages = error; SET statement_timeout = '$1';"
    # (BLAS maps its memory once)
    echo "SELECT count(*) FROM synth_sample('few copula', 3) \\g /dev/null"
    echo "SELECT 'warm-up ' || fuzz(-i, 300) FROM generate_series(1, 20) AS i \\g /dev/null"
}
: > "$log"
for ((first = seed; first < seed + runs; first += 500)); do
    last=$((first + 499 < seed + runs - 1 ? first + 499 : seed + runs - 1))
    if { settings 300s; echo "SELECT fuzz(i, $big) FROM generate_series($first::bigint, $last) AS i;"; } | sql -v ON_ERROR_STOP=1 > "$work/portion" 2> "$work/errors"; then
        cat "$work/portion" >> "$log"
    else
        # one by one: which was it?
        for ((i = first; i <= last; i++)); do
            # a server that starts anew
            for ((tries = 0; tries < 120; tries++)); do
                if sql -c 'SELECT 1' > "$work/alive" 2>&1; then break; fi
                sleep 0.5
            done
            { settings 60s; echo "SELECT format('SELECT fuzz(%s, $big)', j) FROM generate_series($i::bigint, $last) AS j \\gexec"; } | sql > "$work/portion" 2>&1 || true
            cat "$work/portion" >> "$log"
            got=$(grep -E '^[0-9]+\|' "$log" | tail -n 1 | cut -d '|' -f 1)
            [ "$got" != "$last" ] || break
            i=$((got >= i ? got + 1 : i))
            echo "$i|DIED|0|0||" >> "$log"
        done
    fi
    sql -c 'VACUUM gensynth.tensors, gensynth.versions, gensynth.columns, gensynth.constraints'
done
echo "end|$(sql -c "SELECT count(*) FROM synth_sample('fuzz', 10)")" >> "$log"

n=0
failed=0

# none name pattern: no line of the log may match.
none() {
    n=$((n + 1))
    if grep -E "$2" "$log" > "$work/found"; then
        failed=1
        echo "not ok $n - $1"
        head -n 20 "$work/found" | sed 's/^/# /'
    else
        echo "ok $n - $1"
    fi
}

done=$(grep -c -E '^-?[0-9]+\|' "$log" || true)
if [ "$done" = "$runs" ] && [ "$(tail -n 1 "$log")" = 'end|10' ]; then
    echo "ok 1 - $runs changes, and the server is still there"
else
    failed=1
    echo "not ok 1 - $done of $runs changes"
    tail -n 5 "$log" | sed 's/^/# /'
fi
n=1
none 'all changes were made' '^[0-9]+\|[^|]*\|[^|]*\|[^|]*\|[^|]*$'
none 'changed bytes are data_corrupted' '^[0-9]+\|(X[^X]|XX00[^1]|[^X])[^|]*\|[^|]*\|[^|]*\|bytes of '
none 'no run is stopped after a minute' 'statement timeout'
none 'the server survives every one' 'DIED'
none 'no run takes 100 MB' '^[0-9]+\|[^|]*\|[0-9]{9,}\|'
none 'no allocation is refused' 'invalid memory alloc|out of memory|exceeds the maximum'
none 'no internal error' '^[0-9]+\|XX000\|'
echo "1..$n"
cut -d '|' -f 2 "$log" | sort | uniq -c | sort -rn | head -n 20 | sed 's/^/# /'
exit "$failed"
