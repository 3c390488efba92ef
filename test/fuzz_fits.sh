#!/bin/bash
# Random tables and random options: each is fitted, and what was fitted is sampled as documents, as rows (twice the
# same), checked, and now and then filled into a clone.  There may be errors, but none that says internal error or
# corrupted data, no crash, and never the canary that a single row holds.  Prints TAP.
#
#   FUZZ_RUNS=120    how many tables
#   FUZZ_SEED=1      the first of the numbers that stand for them, each for one table at all times
#   FUZZ_LOG=file    keeps the results, a line each
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

runs=${FUZZ_RUNS:-120}
seed=${FUZZ_SEED:-1}
database=gensynth_fuzz_fits
work=$(mktemp -d)
log=${FUZZ_LOG:-$work/log}
trap 'dropdb --if-exists "$database" 2> /dev/null; rm -rf "$work"' EXIT

sql() { psql -X -q -A -t -d "$database" "$@"; }

dropdb --if-exists "$database" 2> /dev/null
createdb "$database"
sql -v ON_ERROR_STOP=1 << 'SQL'
SET client_min_messages = error;
CREATE EXTENSION gensynth;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE DOMAIN word AS text CHECK (VALUE ~ '^\w*$');
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TYPE odd AS ENUM ('', ' ', 'a"b', 'ü');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN moods AS mood[];
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 20);

-- A type, a value of row g of n for a random number r, and a value that shall never be seen.
CREATE TABLE kinds (id serial PRIMARY KEY, type text, value text, canary text);
INSERT INTO kinds (type, value, canary) VALUES
    ('bool', 'g % 2 = r % 2', NULL), ('int2', '(g * r) % 300', NULL), ('int4', 'g * r % 1000', '987654321'), ('int4', 'g', NULL), ('int4', 'g * 7919 % 10007', '-987654321'),
    ('int8', 'CASE WHEN g % 2 = 0 THEN 9223372036854775807 - g ELSE g - 9223372036854775807 END', NULL),
    ('int8', 'g % 7', '987654321987'), ('int8', '10000000019 * g + r', NULL), ('money', 'g * r / 100.0', NULL), ('money', '92233720368547758.07::money - g::text::money', NULL),
    ('float4', 'sqrt(g * r)', NULL), ('float4', 'g * 0.1', NULL), ('float8', 'g * 1.7e305 * CASE g % 2 WHEN 0 THEN 1 ELSE -1 END', NULL), ('float8', 'g * 4.9e-324::float8', NULL), ('float8', 'g * 0.25 - 3', NULL), ('float8', 'exp((g % 700)::float8)', NULL),
    ('float8', 'CASE g % 9 WHEN 0 THEN ''NaN''::float8 WHEN 1 THEN ''-Infinity'' ELSE g / 7.0 END', '987654321.5'), ('numeric', 'g * 1e20 + r', NULL),
    ('numeric(10,2)', 'g / 3.0', '9876543.21'), ('numeric', '(10::numeric ^ (g % 130)) * CASE g % 2 WHEN 0 THEN 1 ELSE -1 END', NULL), ('numeric', 'CASE g % 4 WHEN 0 THEN ''NaN''::numeric WHEN 1 THEN ''Infinity'' ELSE g END', NULL), ('numeric(5,-2)', 'g * 100', NULL), ('numeric', '1e-30 * g', NULL),
    ('date', '''2020-01-01''::date + g % 200', '''9876-05-04'''), ('date', 'CASE g % 5 WHEN 0 THEN ''infinity''::date ELSE ''4713-01-01 BC''::date + g * 1000 END', NULL), ('date', '''2020-01-01''::date + g * g % 50', NULL), ('date', '''5874897-12-31''::date - g', NULL),
    ('time', '''00:00''::time + g * interval ''7 min''', NULL), ('time', 'CASE g % 3 WHEN 0 THEN ''24:00''::time ELSE ''00:00'' END', NULL), ('timetz', '''00:00+01''::timetz', NULL), ('timetz', '(''00:00:01.5'' || CASE g % 2 WHEN 0 THEN ''+15:59'' ELSE ''-15'' END)::timetz', NULL),
    ('timestamp', '''2024-01-01''::timestamp + g * r * interval ''1 min''', '''9876-05-04 03:02'''),
    ('timestamp', 'CASE g % 3 WHEN 0 THEN ''-infinity''::timestamp WHEN 1 THEN ''294276-12-31 23:59:59'' ELSE ''4713-01-01 BC'' END', NULL), ('timestamptz', '''2024-01-01''::timestamptz + g * interval ''1 day''', NULL), ('timestamp(0)', '''2024-01-01''::timestamp + g * interval ''1.7 s''', NULL),
    ('interval', 'g * interval ''1 hour''', NULL), ('interval', 'make_interval(months => g % 5 - 2, days => g, secs => -g * 0.001)', NULL), ('interval', '''178000000 years''::interval - g * interval ''1 us''', NULL), ('uuid', 'md5(g::text)::uuid', NULL),
    ('mood', '(ARRAY[''sad'', ''ok'', ''happy''])[1 + g % 3]::mood', NULL), ('odd', '(ARRAY['''', '' '', ''a"b'', ''ü''])[1 + g % 4]::odd', NULL), ('inet', '''10.0.0.0''::inet + g', NULL), ('inet', 'CASE g % 2 WHEN 0 THEN ''::''::inet + g ELSE ''255.255.255.255'' END', NULL),
    ('cidr', '''10.0.0.0/8''::cidr', NULL), ('macaddr', '''08:00:2b:01:02:03''::macaddr', NULL), ('macaddr8', '(''08:00:2b:01:02:03:04:'' || lpad(to_hex(g % 256), 2, ''0''))::macaddr8', NULL),
    ('text', '''v'' || g % 4', '''Zxqcanary'''), ('text', '''Note '' || md5(g::text)', '''Zxqcanary Zxqcanary'''), ('text', 'repeat(''again '', g % 30)', 'repeat(''Zxqcanary '', 40)'), ('text', 'chr(200 + g % 50) || ''é😀''', NULL), ('text', '''''', NULL), ('text', 'repeat('' '', g % 4)', NULL),
    ('text', '''user'' || g || ''@example.org''', '''Zxqcanary@example.org'''), ('text', '''ORD-'' || lpad(g::text, 6, ''0'')', '''Zxqcanary-0001'''), ('text', '''AB-'' || 100000 + g * 7919 % 899999 || ''-'' || chr(65 + g % 26)', '''Zxqcanary-123456-X'''),
    ('text', '''http://x.org/'' || g % 9 || ''?q='' || md5(g::text) || ''#%41''', '''http://x.org/Zxqcanary'''),
    ('text', 'E''line\n'' || g || E''\t\\x "quoted" ''''%s''''''', NULL), ('text', 'repeat(chr(1 + g % 31), g % 9)', NULL), ('text', 'chr(1488 + g % 20) || chr(8238) || ''e'' || chr(769) || g', NULL), ('text', 'repeat(md5(g::text), 40)', NULL),
    ('text', 'g::text', '''98765432109'''), ('text', '(g * r / 100.0)::text', NULL), ('text', '(''2020-01-01''::date + g)::text', '''9876-05-04'''),
    ('varchar(12)', 'left(md5(g::text), 1 + g % 12)', '''Zxqcanary'''), ('varchar(3)', 'chr(128512 + g % 5) || ''ab''', NULL), ('char(3)', 'chr(65 + g % 26)', NULL), ('char(9)', '''k'' || g', '''Zxqcanary'''), ('name', '''n'' || g', '''Zxqcanary'''),
    ('text', '''Word '' || g % 30 || '' and more of it''', '''Zxqcanary'''),
    ('int4', 'to_char(date ''2020-01-01'' + g % 300, ''YYYYMMDD'')::int', '98760504'), ('int2', 'to_char(time ''00:00'' + g * interval ''7 min'', ''HH24MI'')::int2', NULL), ('numeric', 'to_char(date ''2020-01-01'' + g % 1300, ''YYYYMM'')::numeric', NULL),
    ('text', 'CASE g % 9 WHEN 0 THEN ''n/a'' ELSE to_char(date ''2020-01-01'' + g * r % 3000, ''DD/MM/YYYY'') END', '''04/05/9876'''), ('varchar(20)', 'to_char(timestamp ''2024-01-01'' + g * r * interval ''1 min'', ''FMMM/FMDD/YYYY FMHH24:MI'')', NULL),
    ('numeric(10,2)', 'g * r % 900 + 0.99 - 0.04 * (g % 2)', '98765.43'), ('float8', 'g * r % 5000 + 0.95', '98765.43'), ('int8', '1000 * (g * r % 500) + CASE g % 9 WHEN 0 THEN 7 * g ELSE 0 END', NULL), ('int4', '1000 + 7919 * (g % 30)', '987654321'),
    ('even', 'g * 2', '98765432'), ('word', '''w'' || g % 60', '''Zxqcanary'''), ('moods', 'ARRAY[''ok'', ''sad'']', NULL),
    ('int[]', 'ARRAY[g, g % 5, r]', 'array_fill(987654321, ARRAY[9])'), ('int[]', 'CASE g % 3 WHEN 0 THEN ''{}'' WHEN 1 THEN ''{{1,2},{3,4}}''::int[] ELSE ''[5:6]={7,NULL}'' END', NULL), ('even[]', 'ARRAY[g * 2]', NULL),
    ('text[]', 'ARRAY[''a'' || g % 3, NULL]', 'ARRAY[''Zxqcanary a'', ''Zxqcanary b'', ''Zxqcanary c'', ''Zxqcanary d'', ''Zxqcanary e'']'), ('mood[]', 'ARRAY[''ok'']::mood[]', NULL), ('date[]', 'ARRAY[''2020-01-01''::date + g, ''infinity'']', NULL),
    ('float8[]', 'ARRAY[g / 3.0, ''NaN'']', NULL), ('jsonb[]', 'ARRAY[''{"a": 1}''::jsonb, to_jsonb(g)]', NULL),
    ('jsonb', 'jsonb_build_object(''a'', g, ''b'', ''x'' || g % 5)', 'jsonb_build_array(''Zxqcanary'', 987654321)'), ('json', 'to_json(g)', NULL), ('jsonb', '''[]''', 'jsonb_build_object(''Zxqcanary'', 1)'),
    ('jsonb', 'jsonb_build_object(''k'' || g % 3, jsonb_build_array(g, NULL, true, jsonb_build_object(''d'', g::text, ''é"'', g * 1e300)))', 'jsonb_build_object(''k'', jsonb_build_array(''Zxqcanary''))'),
    ('jsonb', '(repeat(''['', 1 + g % 40) || repeat('']'', 1 + g % 40))::jsonb', NULL), ('json', '(''{"a": "'' || g || ''", "a":  '' || g % 3 || ''}'')::json', '''{"Zxqcanary": 1}''::json'),
    ('int4range', 'int4range(g, g + 1 + r % 5)', NULL), ('int4range', 'CASE g % 3 WHEN 0 THEN ''empty'' WHEN 1 THEN int4range(NULL, g) ELSE int4range(g * 3, g * 3 + 2) END', NULL), ('int8range', 'int8range(9223372036854775000 + g, 9223372036854775800)', NULL),
    ('daterange', 'daterange(''2020-01-01''::date + g * 3, ''2020-01-01''::date + g * 3 + 1 + g % 3)', NULL), ('numrange', 'numrange(g / 3.0, g, ''[]'')', NULL), ('tstzrange', 'tstzrange(''2024-01-01''::timestamptz + g * interval ''1 h'', NULL)', NULL), ('span', 'span(g, g + 0.5)', NULL),
    ('point', 'point(g, r)', NULL), ('point', 'point(1e308 * (g % 2), ''NaN'')', NULL),
    ('bytea', 'decode(md5(g::text), ''hex'')', NULL), ('bytea', '''''', NULL), ('bit(5)', 'g::bit(5)', NULL), ('bit(64)', 'g::bit(64)', NULL), ('varbit', 'g::bit(9)::varbit', NULL), ('int4', 'NULL', NULL), ('text', '''same''', NULL), ('int4', '1 + g % 20', NULL), ('int4', '1 + g * g % 20', NULL),
    ('oid', 'g', NULL), ('"char"', 'chr(65 + g % 9)', NULL), ('tsvector', '(''a'' || g)::tsvector', NULL), ('int4multirange', '''{[1,2)}''', NULL), ('box', 'box(point(g, g), point(0, 0))', NULL), ('pair', 'ROW(g, ''a'')::pair', NULL), ('regclass', '''parent''', NULL);

CREATE FUNCTION any_of(variadic text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1[1 + floor(random() * cardinality($1))::int]; END';
CREATE FUNCTION options(method text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    o jsonb := '{}';
BEGIN
    IF method IN ('vae', 'gan') THEN o := '{"steps": 3}'; END IF;
    IF method = 'diffusion' THEN o := '{"steps": 3, "sampling_steps": 2}'; END IF;
    IF method = 'tree' AND random() < 0.5 THEN o := o || '{"min_leaf": 5}'; END IF;
    IF random() < 0.3 THEN o := o || jsonb_build_object('rare_threshold', any_of('1', '2', '3', '5', '9')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('max_rows', any_of('100', '1000')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('differences', any_of('0', '1')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('dependencies', any_of('0', '1')::int); END IF;
    IF random() < 0.1 THEN o := o || jsonb_build_object('refine', 1); END IF;
    IF random() < 0.1 AND method = 'tree' THEN o := o || '{"condition_first": ["c1"]}'; END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('on_violation', any_of('error', 'drop', 'ignore')); END IF;
    RETURN o;
END $$;

-- What a table may have beside its columns, of which c and d are two; what does not fit is left out.
CREATE FUNCTION extra(c text, d text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN replace(replace(any_of('ADD UNIQUE (%c)', 'ADD UNIQUE (%c)', 'ADD UNIQUE (%c)', 'ADD PRIMARY KEY (%c)', 'ADD UNIQUE NULLS NOT DISTINCT (%c)', 'ADD UNIQUE (%c, %d)', 'ADD PRIMARY KEY (%c, %d)', 'ALTER %c SET NOT NULL', 'ADD UNIQUE (%c) DEFERRABLE',
        'ADD CHECK (%c::text <> ''x'')', 'ADD CHECK (%c IS NOT NULL)', 'ADD CHECK (%c <= %d)', 'ADD CHECK (%c <> %d)', 'ADD CHECK (%c > 0)', 'ADD CHECK (length(%c) < 50)', 'ADD CHECK (%c = %d OR %c IS NULL)', 'ADD CHECK (%c + %d >= 0)', 'ADD CHECK (%c IN (%c, %d))',
        'ADD FOREIGN KEY (%c) REFERENCES parent', 'ADD FOREIGN KEY (%c) REFERENCES parent', 'ADD EXCLUDE USING gist (%c WITH &&)', 'ADD made int GENERATED ALWAYS AS (%c + 1) STORED', 'ADD made text GENERATED ALWAYS AS (%c || ''-'' || %d) STORED',
        'ADD made int GENERATED ALWAYS AS (length(%c)) STORED', 'ADD made numeric GENERATED ALWAYS AS (%c * 1.5 / %d) STORED', 'ADD made int GENERATED ALWAYS AS IDENTITY', 'ADD made serial', 'ADD made bool GENERATED ALWAYS AS (%c IS NULL) STORED'), '%c', c), '%d', d);
END $$;

-- One table; all that it leaves is undone.
CREATE FUNCTION fuzz(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    columns int := 1 + floor(random() * 5);
    rows int := any_of('6', '12', '12', '30', '30', '60', '150')::int;
    k kinds;
    r int;
    definition text := '';
    expressions text := '';
    canaries text := '';
    looks text := 'false';
    method text := any_of('auto', 'auto', 'tree', 'tree', 'tree', 'tree', 'copula', 'copula', 'copula', 'copula');
    chosen jsonb;
    name text := any_of('t', 'Odd "name"', 'select', 'ünï');
    wish text;
    seen text := '';
    given jsonb;
    leaks int;
    differ int;
BEGIN
    -- a hundred times as slow as the others
    IF random() < 0.01 THEN
        method := any_of('vae', 'vae', 'vae', 'gan', 'gan', 'gan', 'diffusion');
    END IF;
    chosen := options(method);
    FOR c IN 1 .. columns LOOP
        SELECT * INTO k FROM kinds OFFSET floor(random() * (SELECT count(*) FROM kinds)) LIMIT 1;
        IF k.type IN ('oid', '"char"', 'tsvector', 'int4multirange', 'box', 'pair', 'regclass') AND random() < 0.9 THEN
            -- such as cannot be learned, seldom
            SELECT * INTO k FROM kinds OFFSET floor(random() * 100) LIMIT 1;
        END IF;
        r := 1 + floor(random() * 1000);
        definition := definition || format(', c%s %s', c, k.type);
        expressions := expressions || format(CASE WHEN random() < 0.2 THEN ', CASE WHEN g %% 3 > 0 THEN (%s)::%s END' ELSE ', (%s)::%s' END,
            regexp_replace(k.value, '\mr\M', r::text, 'g'), k.type);
        IF random() < 0.5 AND k.canary IS NOT NULL THEN
            canaries := canaries || format(', CASE WHEN g = 2 THEN (%s)::%s ELSE c%s END', k.canary, k.type, c);
            -- a number may hold the digits of another one by chance: only the same one counts; of texts any part does
            looks := looks || format(CASE WHEN k.canary ~ 'Zxq' THEN ' OR s->>''c%1$s'' ~ ''Zxq|canary''' WHEN k.canary ~ 'array_fill' THEN ' OR s->''c%1$s'' @> ''[987654321]'''
                ELSE ' OR s->''c%1$s'' = to_jsonb((%2$s)::%3$s)' END, c, k.canary, k.type);
        ELSE
            canaries := canaries || ', c' || c;
        END IF;
    END LOOP;
    BEGIN
        EXECUTE format('CREATE TABLE %I (%s)', name, substr(definition, 3));
        EXECUTE format('INSERT INTO %I SELECT %s FROM (SELECT g, %s FROM generate_series(1, %s) AS g) AS s(g%s)', name, substr(canaries, 3), substr(expressions, 3), rows,
            (SELECT string_agg(', c' || c, '' ORDER BY c) FROM generate_series(1, columns) AS c));
    EXCEPTION WHEN OTHERS THEN
        RETURN 'no table ' || SQLSTATE || ' ' || SQLERRM || definition || expressions;
    END;
    FOR i IN 1 .. 1 + columns LOOP
        wish := extra('c' || 1 + floor(random() * columns), 'c' || 1 + floor(random() * columns));
        BEGIN
            EXECUTE format('ALTER TABLE %I %s', name, wish);
            seen := seen || wish || ', ';
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    seen := format('%s %s(%s) of %s rows AS%s with %s; %s%s', method, name, substr(definition, 3), rows, expressions, substr(canaries, 3), seen, chosen);
    BEGIN
        IF random() > 0.15 THEN
            RAISE EXCEPTION 'without' USING ERRCODE = 'ZZ997';
        END IF;
        wish := any_of('c1 IS NULL OR c1 IS NOT NULL', 'c1 = c2', 'length(c1) < 5', '1 / (length(c2) - 3) > 0', 'c1 > c2', 'abs(c2) < 100', 'c1 IS NOT NULL AND c1 = c1', 'c1 >= c2 OR c1 < c2', 'random() > c1', 'public.secret(c1)');
        PERFORM synth_fit(quote_ident(name), method => method, model => 'm', seed => n, options => chosen || jsonb_build_object('constraints', jsonb_build_array(wish)));
        seen := seen || ' ' || wish;
    EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
        RETURN 'BROKEN ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen || wish;
    WHEN OTHERS THEN
        BEGIN
            PERFORM synth_fit(quote_ident(name), method => method, model => 'm', seed => n, options => chosen);
        EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
            RETURN 'BROKEN ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
        WHEN OTHERS THEN
            RETURN 'no fit ' || SQLSTATE || ' ' || SQLERRM;
        END;
    END;
    BEGIN
        EXECUTE format('SELECT count(*) FILTER (WHERE %s) FROM synth_sample(''m'', 40, seed => 1) AS s', looks) INTO leaks;
        IF leaks > 0 AND coalesce((chosen->>'rare_threshold')::int, 5) > 1 THEN RETURN 'LEAK ' || seen; END IF;
        EXECUTE format('SELECT count(*) FROM (SELECT s::text FROM synth_sample(NULL::%1$I, 20, model => ''m'', seed => 7) AS s EXCEPT ALL
            SELECT s::text FROM synth_sample(NULL::%1$I, 20, model => ''m'', seed => 7) AS s) AS d', name) INTO differ;
        IF differ > 0 THEN RETURN 'DIFFER ' || seen; END IF;
        PERFORM synth_check('m', 20);
        BEGIN
            EXECUTE format('SELECT jsonb_build_object(''c1'', CASE WHEN random() < 0.3 AND c1 IS NOT NULL THEN jsonb_build_object(''gte'', c1) ELSE to_jsonb(c1) END)
                FROM %I OFFSET %s LIMIT 1', name, floor(random() * rows)) INTO given;
            PERFORM synth_sample('m', 5, given => given);
        EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
            seen := format('given %s, %s', given, seen);
            RAISE;
        WHEN OTHERS THEN
            -- a key, or what is too rare to be given
            NULL;
        END;
        BEGIN
            EXECUTE format('SELECT count(*) FILTER (WHERE %s) FROM (SELECT jsonb_build_object(''c1'', d->''c1'') AS s FROM synth_complete($1, ''{c1}'', seed => 5) AS d) AS q', looks)
                INTO leaks USING quote_ident(name);
            IF leaks > 0 THEN RETURN 'LEAK completed ' || seen; END IF;
            PERFORM synth_complete(quote_ident(name), '{c1}', seed => 6, fill_nulls => true);
            PERFORM synth_complete(quote_ident(name), '{c1}', seed => 6, model => 'm');
        EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
            seen := format('completed, %s', seen);
            RAISE;
        WHEN OTHERS THEN
            -- not of every type, method or condition
            NULL;
        END;
    EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
        RETURN 'BROKEN ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
    WHEN OTHERS THEN
        RETURN 'error ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
    END;
    BEGIN
        IF random() < 0.3 THEN
            EXECUTE format('CREATE TABLE clone (LIKE %I INCLUDING ALL)', name);
            CALL synth_into('clone', 10, model => 'm', seed => 3);
            RETURN 'sampled filled';
        END IF;
        RETURN 'sampled';
    EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
        RETURN 'BROKEN ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
    WHEN OTHERS THEN
        RETURN 'sampled unfilled ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
    END;
END $$;
CREATE FUNCTION fuzz_undone(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    PERFORM setseed((hashint8extended(n, 0) & 4294967295) / 4294967296.0);
    outcome := fuzz(n);
    RAISE EXCEPTION '%', outcome USING ERRCODE = 'ZZ998';
EXCEPTION WHEN SQLSTATE 'ZZ998' THEN
    RETURN SQLERRM;
END $$;
SQL

# in portions, so that a transaction's locks do not pile up
: > "$log"
for ((first = seed; first < seed + runs; first += 100)); do
    last=$((first + 99 < seed + runs - 1 ? first + 99 : seed + runs - 1))
    sql -c 'SET client_min_messages = error' -c "SELECT n || ' ' || fuzz_undone(n) FROM generate_series($first, $last) AS n" >> "$log" 2>&1 || echo "CRASH between $first and $last" >> "$log"
done
is "$(grep -c ' ' "$log")" "$runs" "$runs tables, none of which was too much for the server"
is "$(grep -E 'LEAK|DIFFER|BROKEN|CRASH|ERROR|FATAL|closed' "$log" | head -n 5 | cut -c 1-1000)" '' 'no leak, no other row, no internal error'
is "$([ $(($(grep -c '^[0-9]* sampled' "$log") * 5)) -gt $((runs * 4)) ] && echo t)" t 'most were sampled'
cut -d ' ' -f 2-4 "$log" | sort | uniq -c | sort -rn | head -n 20 | sed 's/^/# /'

echo "1..$n"
exit "$failed"
