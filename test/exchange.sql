-- Models as bytes: synth_export and synth_import, by role and method, and what is not a model.
BEGIN;
SELECT plan(46);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
\ir lib/as_role.sql

CREATE ROLE exchange_owner;
CREATE ROLE exchange_reader;
CREATE ROLE exchange_backup;
GRANT pg_read_all_data TO exchange_backup;
GRANT CREATE ON SCHEMA public TO exchange_owner;

CREATE FUNCTION rows_of(model text) RETURNS text LANGUAGE sql AS
	$$ SELECT md5(string_agg(r::text, ',')) FROM synth_sample(model, 500, seed => 7) AS r $$;

SET LOCAL ROLE exchange_owner;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE visits (id int PRIMARY KEY, mood mood NOT NULL, cost numeric(8,2) CHECK (cost >= 0), name text, seen date, doc jsonb);
INSERT INTO visits SELECT i, (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood, i % 97 * 1.25, 'Nàme ' || i, date '2020-01-01' + i % 400,
	jsonb_build_object('k', i % 5) FROM generate_series(1, 600) AS i;
SELECT model FROM synth_fit('visits', seed => 1, options => '{"constraints": ["cost < 200"]}') \g /dev/null
SELECT model FROM synth_fit('SELECT mood, cost, seen FROM visits', model => 'c', method => 'copula', seed => 1) \g /dev/null
SELECT model FROM synth_fit('SELECT mood, cost, seen FROM visits', model => 'v', method => 'vae', seed => 1, options => '{"steps": 3}') \g /dev/null
SELECT model FROM synth_fit('SELECT mood, cost, seen FROM visits', model => 'g', method => 'gan', seed => 1, options => '{"steps": 3}') \g /dev/null
SELECT model FROM synth_fit('SELECT mood, cost, seen FROM visits', model => 'd', method => 'diffusion', seed => 1, options => '{"steps": 3, "sampling_steps": 2}') \g /dev/null
SELECT synth_grant('visits', 'exchange_reader') \g /dev/null
RESET ROLE;

-- there and back
CREATE TABLE exports AS SELECT m AS model, synth_export(m) AS data, rows_of(m) AS before FROM unnest(ARRAY['visits', 'c', 'v', 'g', 'd']) AS m;
SELECT is(synth_import(data, model || '2'), model || '2', model || ': imported') FROM exports;
SELECT is(rows_of(model || '2'), before, model || ': the same rows') FROM exports;
SELECT is((SELECT count(*) FROM synth_models WHERE owner = current_user), 5::bigint, 'models of whoever imports');
SELECT results_eq($$SELECT method, source, rows, fitted_at, bytes, epsilon FROM synth_models WHERE model = 'visits'$$,
	$$SELECT method, source, rows, fitted_at, bytes, epsilon FROM synth_models WHERE model = 'visits2'$$, 'that tell where they came from');
SELECT results_eq($$SELECT * FROM synth_columns('visits')$$, $$SELECT * FROM synth_columns('visits2')$$, 'the same columns');
SELECT results_eq($$SELECT * FROM synth_constraints('visits')$$, $$SELECT * FROM synth_constraints('visits2')$$, 'and conditions');
SELECT is((SELECT count(*) FROM gensynth.grants WHERE model = 'visits2'), 0::bigint, 'granted to nobody');
SELECT is(rows_of('visits2'), (SELECT before FROM exports WHERE model = 'visits'), 'and again');
SELECT is(synth_import(synth_export('visits2'), 'visits3'), 'visits3', 'what was imported can be exported');
SELECT is(synth_import(synth_export('public.visits'), 'visits2'), 'visits2', 'of the same name: a new version');
SELECT is((SELECT string_agg(version || ' ' || current, ', ' ORDER BY version) FROM synth_models WHERE model = 'visits2'), '1 false, 2 true', 'the current one');
SELECT synth_import(data, 'visits2') FROM exports, generate_series(1, 3) WHERE model = 'visits' \g /dev/null
SELECT is((SELECT count(*) FROM synth_models WHERE model = 'visits2'), 3::bigint, 'old versions go, as with synth_fit');
SELECT is(md5(synth_export('visits2', 3)) = md5(synth_export('visits2')), false, 'a version can be chosen');
SELECT throws_ok($$SELECT synth_export('visits2', 99)$$, '42704', 'model "visits2" has no version 99');
SELECT throws_ok($$SELECT synth_export('visit')$$, '42704', 'model "visit" does not exist');
SELECT throws_ok($$SELECT synth_export(NULL)$$, '22004');
SELECT throws_ok($$SELECT synth_import(NULL)$$, '22004');
SELECT throws_ok($$SELECT synth_import(data, '') FROM exports$$, '42602');
SELECT throws_ok($$SELECT synth_import(data, repeat('x', 256)) FROM exports$$, '42622');

-- who may: parameters are for whoever may read the tables that hold them, imports for all
GRANT SELECT ON exports TO PUBLIC;
SELECT is(as_role('exchange_owner', $$SELECT synth_export('visits')$$), '42501', 'the owner of a model may not read its parameters');
SELECT is(as_role('exchange_reader', $$SELECT synth_export('visits')$$), '42501', 'nor who was granted it');
SELECT is(as_role('exchange_backup', $$SELECT synth_export('visits')$$), 'no error', 'whoever may read all data may');
GRANT USAGE ON SCHEMA gensynth TO exchange_reader;
GRANT SELECT ON gensynth.tensors, gensynth.versions, gensynth.columns TO exchange_reader;
SELECT is(as_role('exchange_reader', $$SELECT synth_export('visits')$$), '42501', 'some of the tables do not do');
GRANT SELECT ON gensynth.constraints TO exchange_reader;
SELECT is(as_role('exchange_reader', $$SELECT synth_export('visits')$$), 'no error', 'all of them do');
REVOKE USAGE ON SCHEMA gensynth FROM exchange_reader;
SELECT is(as_role('exchange_reader', $$SELECT synth_export('visits')$$), '42501', 'with the schema');
SELECT is(as_role('exchange_reader', $$SELECT synth_import(data) FROM exports WHERE model = 'visits'$$), '42501', 'nobody else makes a new version');
SELECT is(as_role('exchange_reader', $$SELECT synth_import(data, 'mine') FROM exports WHERE model = 'visits'$$), 'no error', 'but a model of his own');
SELECT is((SELECT owner FROM gensynth.models WHERE name = 'mine'), 'exchange_reader', 'that is his');

-- bytes that are not a model, or damaged, or of another version
CREATE FUNCTION sealed(d bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT substr(d, 1, 12) || sha256(substr(d, 45)) || substr(d, 45) $$;
CREATE FUNCTION head(d bytea) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT convert_from(substr(d, 49, ('x' || encode(substr(d, 45, 4), 'hex'))::bit(32)::int), 'UTF8')::jsonb $$;
-- with another head
CREATE FUNCTION headed(d bytea, h text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT sealed(substr(d, 1, 44) || int4send(octet_length(h)) || convert_to(h, 'UTF8') || substr(d, 49 + ('x' || encode(substr(d, 45, 4), 'hex'))::bit(32)::int)) $$;
-- SQLSTATE of an import, which is undone
CREATE FUNCTION import(d bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_import(d, 'damaged');
	PERFORM count(*) FROM synth_sample('damaged', 20);
	RAISE EXCEPTION USING ERRCODE = 'GSOK0';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT data AS d FROM exports WHERE model = 'visits' \gset
SELECT is(import(headed(:'d', head(:'d')::text)), 'GSOK0', 'the means of these tests do no harm by themselves');
SELECT is((SELECT string_agg(DISTINCT import(d), ' ') FROM unnest(ARRAY['', 'gensynth', '\x00', 'PGDMP', substr(:'d'::bytea, 1, 47), substr(:'d'::bytea, 1, 1000),
	substr(:'d'::bytea, 2), :'d'::bytea || '\x00', set_byte(:'d', 0, 71)]::bytea[]) AS d), 'XX001', 'cut, longer, or other bytes');
SELECT is((SELECT string_agg(DISTINCT import(set_byte(:'d', at, get_byte(:'d', at) # (1 << at % 8))), ' ')
	FROM (SELECT (12 + i * 7919 % (octet_length(:'d'::bytea) - 12)) AS at FROM generate_series(0, 200) AS i) AS s), 'XX001', 'any bit that is another');
SELECT is(import(set_byte(:'d', 11, 2)), '0A000', 'a later format');
SELECT is((SELECT string_agg(DISTINCT import(sealed(overlay(:'d'::bytea PLACING l FROM 45))), ' ') FROM unnest(ARRAY['\xffffffff', '\x7fffffff', '\x80000000', '\x3fffffff']::bytea[]) AS l),
	'XX001', 'lengths that are not there');
SELECT is(import(headed(:'d', jsonb_set(head(:'d'), '{encoding}', '"LATIN1"')::text)), '0A000', 'another encoding');
-- heads that were made on purpose: some error, whatever it is, but none of ours, and no crash
CREATE TABLE heads AS SELECT i, path, value FROM (VALUES
	('{models}', '[]'), ('{models}', '{}'), ('{models}', '7'), ('{models,0}', '7'), ('{models,0}', '[]'), ('{models,0,version}', '[]'), ('{models,0,version,model}', '7'),
	('{models,0,version,method}', '"no such"'), ('{models,0,version,ncolumns}', '-1'), ('{models,0,version,ncolumns}', '1e9'), ('{models,0,version,rows}', '"x"'),
	('{models,0,version,notes}', '"{"'), ('{models,0,version,options}', 'null'), ('{models,0,version,owners}', '{"steps": [{}]}'), ('{models,0,columns}', '[]'),
	('{models,0,columns}', '7'), ('{models,0,columns,0}', '7'), ('{models,0,columns,0,ordinal}', '99999999999'), ('{models,0,columns,0,base_type}', '"no_such"'),
	('{models,0,columns,1}', 'null'), ('{models,0,constraints}', '{}'), ('{models,0,constraints,0,expression}', '"public.rows_of(''visits'') IS NULL"'),
	('{models,0,tensors}', '[]'), ('{models,0,tensors}', '{}'), ('{models,0,tensors,0,at}', '-1'), ('{models,0,tensors,0,at}', '2147483647'), ('{models,0,tensors,0,bytes}', '-1'),
	('{models,0,tensors,0,bytes}', '2147483647'), ('{models,0,tensors,0,shape}', '[2147483647, 2147483647]'), ('{models,0,tensors,0,shape}', 'null'),
	('{models,0,tensors,0,name}', 'null'), ('{models,0,tensors,1,at}', '0')) AS c(path, value), LATERAL (SELECT 1) AS s(i);
SELECT is((SELECT string_agg(path || ' ' || value || ' ' || state, E'\n') FROM (SELECT *, import(headed(:'d', jsonb_set(head(:'d'), path::text[], value::jsonb)::text)) AS state FROM heads) AS s
	WHERE state IN ('GSOK0', 'XX000')), NULL, 'heads that were made on purpose');
SELECT is(import(sealed(set_byte(:'d'::bytea, 60, 0))), 'XX001', 'a zero within it');
SELECT is(import(headed(:'d', repeat('[', 100000))), '54001', 'a deep one');
SELECT is(import(headed(:'d', '{"a": "\u0000"}')), '22P05', 'one with what is no text');

SELECT * FROM finish();
ROLLBACK;
