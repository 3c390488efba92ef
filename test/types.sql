-- Every type comes back: values that enough rows hold exactly as they are and
-- nothing beside them, whatever the threshold.
BEGIN;
SELECT plan(106);
SET LOCAL client_min_messages = warning;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'it''s "odd"');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN pair AS int[] CHECK (array_length(VALUE, 1) = 2);
CREATE DOMAIN short_stay AS interval CHECK (VALUE < '10 days');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN years AS int4range CHECK (upper(VALUE) <= 120);

-- Fits a column that holds each value in seven rows, and tells what sampling
-- lost and what it made up.
CREATE FUNCTION lost_and_new(type text, literals text[], threshold int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	DROP TABLE IF EXISTS round_trip;
	EXECUTE format('CREATE TABLE round_trip (v %s)', type);
	EXECUTE format('INSERT INTO round_trip SELECT l::%s FROM unnest($1) l, generate_series(1, 7)', type)
		USING literals;
	PERFORM synth_fit('round_trip', seed => 1,
		options => jsonb_build_object('rare_threshold', threshold));
	-- the text tells -0 from 0, and one scale from another
	SELECT string_agg(how || ' ' || COALESCE(v, 'NULL'), ', ' ORDER BY how, v) INTO result
	FROM (
		(SELECT 'lost' AS how, v::text FROM round_trip
		 EXCEPT SELECT 'lost', v::text FROM synth_sample(NULL::round_trip, 3000, seed => 2))
		UNION ALL
		(SELECT 'new', v::text FROM synth_sample(NULL::round_trip, 3000, seed => 2)
		 EXCEPT SELECT 'new', v::text FROM round_trip)
		UNION ALL
		SELECT 'jsonb', r::text FROM synth_sample('round_trip', 100, seed => 2) WITH ORDINALITY s (r, i)
		JOIN (SELECT to_jsonb(t), i FROM synth_sample(NULL::round_trip, 100, seed => 2) WITH ORDINALITY t (v, i)) t (j, i) USING (i)
		WHERE r <> jsonb_build_object('v', j -> 'v')) d;
	RETURN COALESCE(result, 'as it was');
END $$;

CREATE FUNCTION round_trip(type text, VARIADIC literals text[]) RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT is(lost_and_new(type, literals, 5), 'as it was', type)
	UNION ALL
	SELECT is(lost_and_new(type, literals, 1), 'as it was', type || ', threshold 1')
$$;

SELECT round_trip('bool', 't', 'f', NULL);
SELECT round_trip('int2', '-32768', '0', '7', '32767');
SELECT round_trip('int4', '-2147483648', '0', '7', '2147483647');
SELECT round_trip('int8', '-9223372036854775808', '-1', '9007199254740993', '9007199254740995',
	'9223372036854775806', '9223372036854775807');
SELECT round_trip('float4', '0', '-0', '0.1', '1.5e-45', '3.4028235e38', 'NaN', 'Infinity', '-Infinity');
SELECT round_trip('float8', '0', '-0', '0.1', '4.9e-324', '1.7976931348623157e308', '0.30000000000000004',
	'-1.7976931348623157e308', 'NaN', 'Infinity', '-Infinity');
SELECT round_trip('numeric', '0', '1.5', '2.25', '-17.1234567890123456789',
	'123456789012345678901234567890', '1e-30', '1e400', 'NaN', 'Infinity', '-Infinity', NULL);
SELECT round_trip('numeric', '0', '1.5', '-2.25', '100', '0.001', 'NaN', NULL);
SELECT round_trip('numeric(6,2)', '0', '-9999.99', '9999.99', '12.30', 'NaN');
SELECT round_trip('numeric(40,4)', '123456789012345678901234567890.1234', '-0.0001', '5');
SELECT round_trip('money', '-92233720368547758.08', '0', '12.34', '92233720368547758.07');
SELECT round_trip('text', '', ' ', 'abc', 'line' || chr(10) || 'feed', E'\\N', 'ÄÖ ☃ 𝄞', 'NULL', NULL);
SELECT round_trip('varchar(5)', '', 'a', 'abcde', 'ÄÖÜßé');
SELECT round_trip('char(5)', '', 'a', 'a b', 'abcde');
SELECT round_trip('name', 'a', repeat('n', 63));
SELECT round_trip('"char"', 'a', '', '\', '"');
SELECT round_trip('date', '2024-02-29', '4713-01-01 BC', '5874897-12-31', 'infinity', '-infinity');
SELECT round_trip('time', '00:00', '24:00', '12:34:56.789012');
SELECT round_trip('timetz', '00:00+15:59', '24:00-15:59', '12:34:56.789012+05:30');
SELECT round_trip('timestamp', '2024-02-29 12:34:56.789012', '4713-01-01 BC', '294276-12-31 23:59:59.999999',
	'1600-01-01', 'infinity', '-infinity');
SELECT round_trip('timestamptz', '2024-02-29 12:34:56.789012+02', '4713-01-01+00 BC',
	'294276-12-31 23:59:59.999999+00', '2300-01-01', 'infinity', '-infinity');
SELECT round_trip('interval', '1 mon', '-1 mons +2 days -00:00:01.5', '0', '36:00', '1 day 12:00',
	'178956970 years 7 mons 2147483647 days 2562047788:00:54.775807',
	'-178956970 years -7 mons -2147483647 days -2562047788:00:54.775807');
SELECT round_trip('uuid', '00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
SELECT round_trip('mood', 'sad', 'happy', 'it''s "odd"', NULL);
SELECT round_trip('inet', '0.0.0.0/0', '10.1.2.3/8', '255.255.255.255', '::/0', 'fe80::1/64',
	'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
SELECT round_trip('cidr', '10.0.0.0/8', '192.168.100.128/25', '::1/128', '2001:db8::/32');
SELECT round_trip('macaddr', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '08:00:2b:01:02:03');
SELECT round_trip('macaddr8', '00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff', '08:00:2b:01:02:03:04:05');
SELECT round_trip('bit(9)', '000000000', '111111111', '101010101');
SELECT round_trip('varbit', '', '1', '0110');
SELECT round_trip('bytea', '\x', '\x00', '\x00ff7f80', '\x27275c');
SELECT round_trip('json', '{"b": 1,  "a": [null, true]}', '"x"', '1.50', 'null', '{"a":1,"a":2}');
SELECT round_trip('jsonb', '{"b": 1, "a": [null, true]}', '"x"', '1.50', 'null', '[]', '{"": {"": "☃"}}');
SELECT round_trip('int[]', '{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={7,8}', NULL);

SELECT round_trip('text[]', '{}', '{"",NULL,"NULL","a b"}', '{{"x\"","y\\"},{"{","}"}}');
SELECT round_trip('jsonb[]', '{"{\"a\": 1}",null,"[]"}', '{"\"x\""}');
SELECT round_trip('numeric[]', '{1.50,NaN,Infinity}', '{123456789012345678901234567890}');
SELECT round_trip('date[]', '{2024-02-29,infinity}', '{4713-01-01 BC}');
SELECT round_trip('mood[]', '{sad,NULL}', '{happy,ok}');
SELECT round_trip('posint[]', '{1,2}', '{3}');
SELECT round_trip('int4range', 'empty', '(,)', '[1,1]', '[1,10)', '(,5)', '[7,)', '[-2147483648,2147483647)');
SELECT round_trip('int8range', '[-9223372036854775808,9223372036854775807)', '[5,6)', '(,5)', NULL);
SELECT round_trip('numrange', 'empty', '[1.5,2.5]', '(1.5,2.5)', '[3,)', '[-Infinity,5)', '[5,Infinity]',
	'[-Infinity,Infinity]', '[123456789012345678901234567890.5,223456789012345678901234567890.5]', '[1,NaN]');
SELECT round_trip('daterange', 'empty', '[2024-01-01,2024-02-01)', '[-infinity,2024-01-01)', '[2024-01-01,infinity)',
	'[infinity,)', '(,)', '[4713-01-01 BC,5874897-12-31)');
SELECT round_trip('tsrange', '["2024-01-01 10:00","2024-01-01 11:30:00.000001")', '["2024-01-01","2024-01-01"]',
	'(,infinity]', '[-infinity,)', '["4713-01-01 BC","294276-12-31")');
SELECT round_trip('tstzrange', '["2024-01-01 10:00+02","2024-01-01 11:30+02")', '(,"2024-01-01 10:00+02")', 'empty');
SELECT round_trip('point', '(0,0)', '(1.5,-2)', '(NaN,1)', '(Infinity,1e-300)', '(0.30000000000000004,0)');
SELECT round_trip('posint', '1', '2147483647', NULL);
SELECT round_trip('pair', '{1,2}', '{3,NULL}');
SELECT round_trip('short_stay', '1 day', '09:30', '-1 mons');
SELECT round_trip('email', 'a@b', 'x.y@z.org');
SELECT round_trip('years', '[1,120)', '[18,66)');

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') THEN
		CREATE EXTENSION IF NOT EXISTS citext;
	END IF;
END $$;
SELECT t FROM pg_extension, round_trip('citext', 'Abc', 'd', '') t WHERE extname = 'citext'
UNION ALL
SELECT skip('citext is not installed', 2) WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citext');

SELECT * FROM finish();
ROLLBACK;
