-- Columns whose values are all different: what comes back is made anew.
BEGIN;
SELECT plan(72);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN code AS text CHECK (VALUE ~ '^[A-Z]{2}-[0-9]{4}$');
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0 AND VALUE <> 50);
CREATE DOMAIN slot AS tsrange CHECK (upper(VALUE) - lower(VALUE) <= '2 hours' AND NOT isempty(VALUE));
CREATE DOMAIN three AS int[] CHECK (array_length(VALUE, 1) = 3);
CREATE DOMAIN quadrant AS point CHECK (VALUE[0] >= 0 AND VALUE[1] <= VALUE[0]);

-- A table of 600 rows, g from 1, and its model.
CREATE FUNCTION learn(type text, expression text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS source;
	EXECUTE format('CREATE TABLE source AS SELECT (%s)::%s AS v FROM generate_series(1, 600) g',
		expression, type);
	PERFORM synth_fit('source', seed => 3);
END $$;

-- How many of 1,000 values are copies, and whether they vary.  JSON is the same
-- however it is written.
CREATE FUNCTION copies(type text, expression text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM learn(type, expression);
	PERFORM count(*) FROM synth_sample('source', 1000, seed => 4);
	EXECUTE format('SELECT format(''%%s of %%s, %%s'', count(*) FILTER (WHERE %1$s IN (SELECT %1$s FROM source)), count(*),
			CASE WHEN count(DISTINCT %1$s) >= 100 THEN ''varied'' ELSE ''the same'' END)
		FROM synth_sample(NULL::source, 1000, seed => 4)',
		CASE type WHEN 'json' THEN 'v::jsonb' ELSE 'v::text' END) INTO result;
	RETURN result;
END $$;

CREATE FUNCTION is_made_anew(type text, expression text) RETURNS text
LANGUAGE sql AS $$
	SELECT is(copies(type, expression), '0 of 1000, varied', type || ' as ' || expression)
$$;

-- Ordered values stay between the fifth from either end.
CREATE FUNCTION is_protected(type text, expression text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	outside bigint;
BEGIN
	PERFORM learn(type, expression);
	PERFORM count(*) FROM synth_sample('source', 2000, seed => 4);
	EXECUTE 'SELECT count(*) FROM synth_sample(NULL::source, 2000, seed => 4)
		WHERE v < (SELECT v FROM source ORDER BY v OFFSET 4 LIMIT 1)
			OR v > (SELECT v FROM source ORDER BY v DESC OFFSET 4 LIMIT 1)' INTO outside;
	RETURN is(outside, 0::bigint, type || ' within its protected ends');
END $$;

SELECT is_made_anew('text', $$'Name ' || md5(g::text)$$);
SELECT is_made_anew('text', $$repeat(md5(g::text) || ' ', 300)$$);
SELECT is_made_anew('text', $$repeat(chr(200 + g % 50), 300) || md5(g::text)$$);
SELECT is_made_anew('varchar(12)', $$substr(md5(g::text), 1, 12)$$);
SELECT is_made_anew('char(12)', $$substr(md5(g::text), 1, 12)$$);
SELECT is_made_anew('name', $$'relation_' || g * 7919$$);
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') THEN
		CREATE EXTENSION IF NOT EXISTS citext;
	END IF;
END $$;
SELECT is_made_anew('citext', $$'Rel' || md5(g::text)$$) FROM pg_extension WHERE extname = 'citext'
UNION ALL
SELECT skip('citext is not installed', 1) WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citext');
SELECT is_made_anew('code', $$'AB-' || (3000 + g)$$);
SELECT is_made_anew('uuid', $$md5(g::text)$$);
SELECT is_made_anew('bytea', $$decode(md5(g::text), 'hex')$$);
SELECT is_made_anew('bytea', $$decode(repeat(md5(g::text), 300), 'hex')$$);
SELECT is_made_anew('bit(40)', $$(g * 7919)::bit(40)$$);
SELECT is_made_anew('bit(9000)', $$(g * 7919)::bit(9000)$$);
SELECT is_made_anew('varbit', $$(g * 7919)::bit(64)$$);
SELECT is_made_anew('json', $$json_build_object('id', g, 'key', md5(g::text), 'of', ARRAY[g, g + 1])$$);
SELECT is_made_anew('jsonb', $$jsonb_build_object('id', g, 'key', md5(g::text), 'of', ARRAY[g, g + 1])$$);
SELECT is_made_anew('jsonb', $$jsonb_build_object('text', repeat(md5(g::text), 400))$$);
SELECT is_made_anew('int[]', $$ARRAY[g, g * 2, -g]$$);
SELECT is_made_anew('three', $$ARRAY[g, g * 2, -g]$$);
SELECT is_made_anew('text[]', $$ARRAY['name' || g, md5(g::text)]$$);
SELECT is_made_anew('text[]', $$ARRAY[ARRAY['name' || g, md5(g::text)], ARRAY['x', 'y' || g]]$$);
SELECT is_made_anew('varchar(8)[]', $$ARRAY[substr(md5(g::text), 1, 8)]$$);
SELECT is_made_anew('date[]', $$ARRAY['2020-01-01'::date + g, CASE WHEN g = 7 THEN 'infinity' ELSE '2021-01-01'::date + g END]$$);
SELECT is_made_anew('time[]', $$ARRAY[time '00:00' + g * interval '11.1 s', '24:00']$$);
SELECT is_made_anew('timestamptz[]', $$ARRAY['2020-01-01'::timestamptz + g * interval '1.2345 h', NULL]$$);
SELECT is_made_anew('timetz[]', $$ARRAY['00:00+02'::timetz + g * interval '11.1 s', '23:00-11:30']$$);
SELECT is_made_anew('interval[]', $$ARRAY[g * interval '1.1 s', g * interval '1 day', '1 mon']$$);
SELECT is_made_anew('uuid[]', $$ARRAY[md5(g::text)::uuid, md5((g + 1000)::text)::uuid]$$);
SELECT is_made_anew('bytea[]', $$ARRAY[decode(md5(g::text), 'hex')]$$);
SELECT is_made_anew('bit(40)[]', $$ARRAY[(g * 7919)::bit(40)]$$);
SELECT is_made_anew('numeric[]', $$ARRAY[g / 7.0, 1e30 * g, CASE WHEN g = 3 THEN 'NaN'::numeric ELSE g END]$$);
SELECT is_made_anew('float8[]', $$ARRAY[g / 7.0, CASE WHEN g = 3 THEN float8 'Infinity' ELSE sqrt(g) END]$$);
SELECT is_made_anew('float4[]', $$ARRAY[g / 7.0, CASE WHEN g % 3 = 0 THEN float8 'NaN' ELSE sqrt(g) END]$$);
SELECT is_made_anew('money[]', $$ARRAY[(g / 7.0)::money, g::money]$$);
SELECT is_made_anew('mood[]', $$(SELECT array_agg((enum_range(NULL::mood))[1 + (g / (3 ^ i)::int) % 3]) FROM generate_series(0, 6) i)$$);
SELECT is_made_anew('bool[]', $$(SELECT array_agg(g & (1 << i) <> 0) FROM generate_series(0, 9) i)$$);
SELECT is_made_anew('inet[]', $$ARRAY['10.0.0.0'::inet + g, '10.0.0.0'::inet + 2 * g]$$);
SELECT is_made_anew('inet[]', $$ARRAY['2001:db8::1'::inet + g * 281474976710656]$$);
SELECT is((SELECT count(*) FROM synth_sample(NULL::source, 1000, seed => 1) WHERE v[1] <<= '2001:db8::/32'), 1000::bigint,
	'addresses of family 6 stay in their network');
-- few are possible
SELECT is_made_anew('int[]', $$ARRAY[g * 7919 % 10, g * 7919 / 10 % 10, g * 7919 / 100 % 10, g * 7919 / 1000 % 10]$$);
SELECT is_made_anew('jsonb', $$jsonb_build_object('a', g % 30, 'bb', g * 7919 % 100, 'c', 'x')$$);
SELECT is_made_anew('json', $$json_build_object('bb', g % 30, 'a', g * 7919 % 100, 'c', 'x')$$);
SELECT is_made_anew('cidr[]', $$ARRAY['10.0.0.0/8'::cidr, network(set_masklen('10.0.0.0'::inet + 1013 * g, 20 + g % 8))]$$);
SELECT is_made_anew('macaddr[]', $$ARRAY[('08:00:2b:01:' || to_char(g / 100, 'fm00') || ':' || to_char(g % 100, 'fm00'))::macaddr]$$);
SELECT is_made_anew('point[]', $$ARRAY[point(g, g / 7.0)]$$);
SELECT is_made_anew('int4range[]', $$ARRAY[int4range(g, g * 3), '(,5)']$$);
SELECT is_made_anew('numrange[]', $$ARRAY[numrange(g, g * 3.5, '[]'), 'empty']$$);
SELECT is_made_anew('tstzrange[]', $$ARRAY[tstzrange('2020-01-01'::timestamptz + g * interval '7 h', 'infinity'), tstzrange('2020-01-01', '2020-01-02'::timestamptz + g * interval '1 s')]$$);
SELECT is_made_anew('jsonb[]', $$ARRAY[jsonb_build_object('a', g), to_jsonb('x' || g), to_jsonb(ARRAY[g, g + 1]), 'null']$$);
SELECT is_made_anew('posint[]', $$ARRAY[g, g + 1, 2 * g]$$);
SELECT is_made_anew('code[]', $$ARRAY['AB-' || (3000 + g), 'CD-0001']$$);

SELECT is_protected('int2', 'g * 10');
SELECT is_protected('int8', $$CASE g % 3 WHEN 0 THEN 1 ELSE -1 END * 9223372036854775800 + CASE g % 3 WHEN 0 THEN -g ELSE g END$$);
SELECT is_protected('float4', 'g / 7.0');
SELECT is_protected('float8', $$CASE WHEN g % 2 = 0 THEN -1 ELSE 1 END * (1.79e308 - g * 1e300)$$);
SELECT is_protected('numeric', 'round(g / 7.0, 7)');
SELECT is_protected('numeric(4,1)', 'g / 7.0');
SELECT is_protected('money', 'g / 7.0');
SELECT is_protected('even', 'g * 2 + 50');
SELECT is_protected('date', $$'4713-01-01 BC'::date + g * 3570000$$);
SELECT is_protected('time', $$time '00:00' + g * interval '11.1 s'$$);
SELECT is_protected('timestamp', $$'4713-01-01 BC'::timestamp + g * interval '498 years 1.000001 s'$$);
SELECT is_protected('timestamptz', $$'1970-01-01'::timestamptz + g * interval '1.2345 h'$$);
SELECT is_protected('interval', $$g * interval '1.1 h'$$);
SELECT is_protected('inet', $$'10.0.0.0'::inet + 37 * g$$);
SELECT is_protected('macaddr', $$('08:00:2b:01:' || to_char(g / 100, 'fm00') || ':' || to_char(g % 100, 'fm00'))::macaddr$$);
SELECT is_protected('macaddr8', $$('f8:00:2b:01:00:00:' || to_char(g / 100, 'fm00') || ':' || to_char(g % 100, 'fm00'))::macaddr8$$);

-- Labels of an enum in arrays stay what they are when others are added.
SELECT learn('mood[]', $$(SELECT array_agg(CASE WHEN (g / (3 ^ i)::int) % 3 = 0 THEN mood 'sad' ELSE 'ok' END) FROM generate_series(0, 6) i)$$);
ALTER TYPE mood ADD VALUE 'angry';
SELECT set_eq('SELECT DISTINCT unnest(v) FROM synth_sample(NULL::source, 1000, seed => 4)', ARRAY['sad', 'ok']::mood[],
	'labels of an enum in arrays, after another was added');

-- Wide numerics are numbers again where they are many.
SELECT learn('numeric(33,3)', $$1e27 * g + g / 1000.0$$);
SELECT ok(bool_and(v >= 4.99e27 AND v <= 5.97e29 AND scale(v) = 3 AND v::numeric(33,3) = v), 'numerics of 33 digits')
FROM synth_sample(NULL::source, 2000, seed => 4);
SELECT learn('numeric(30)', $$1e30 - g$$);
SELECT ok(bool_and(v::numeric(30) = v), 'numerics at the end of their precision')
FROM synth_sample(NULL::source, 2000, seed => 4);

-- Ranges keep which bounds they have, and points their parts.
SELECT learn('slot', $$tsrange('2024-01-01'::timestamp + g * interval '9 h', '2024-01-01'::timestamp + g * interval '9 h' + (1 + g % 8) * interval '15 min')$$);
SELECT ok(bool_and(lower_inc(v) AND NOT upper_inc(v) AND upper(v) - lower(v) <= '2 hours'
	AND extract(minute FROM upper(v)) IN (0, 15, 30, 45)), 'ranges of a domain, in steps of 15 minutes')
FROM synth_sample(NULL::source, 2000, seed => 4);
SELECT learn('quadrant', $$point(g / 7.0, g / 7.0 - (g % 19))$$);
SELECT is(count(v), 2000::bigint, 'points of a domain') FROM synth_sample(NULL::source, 2000, seed => 4);

SELECT * FROM finish();
ROLLBACK;
