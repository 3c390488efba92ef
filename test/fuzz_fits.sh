#!/bin/bash
# Random tables and random options: each is fitted, and what was fitted is sampled as documents, as rows (twice the
# same), checked, and now and then filled into a clone.  There may be errors, but none that says internal error or
# corrupted data, no crash, and never the canary that a single row holds.  Prints TAP.
#
#   FUZZ_RUNS=150    how many tables
#   FUZZ_SEED=1      the first of the numbers that stand for them, each for one table at all times
#   FUZZ_LOG=file    keeps the results, a line each
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

runs=${FUZZ_RUNS:-150}
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
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 20);

-- A type, a value of row g of n for a random number r, and a value that shall never be seen.
CREATE TABLE kinds (id serial PRIMARY KEY, type text, value text, canary text);
INSERT INTO kinds (type, value, canary) VALUES
    ('bool', 'g % 2 = r % 2', NULL), ('int2', '(g * r) % 300', NULL), ('int4', 'g * r % 1000', '987654321'),
    ('int8', 'CASE WHEN g % 2 = 0 THEN 9223372036854775807 - g ELSE g - 9223372036854775807 END', NULL),
    ('int8', 'g % 7', '987654321987'), ('money', 'g * r / 100.0', NULL), ('float4', 'sqrt(g * r)', NULL), ('float8', 'g * 1.7e305 * CASE g % 2 WHEN 0 THEN 1 ELSE -1 END', NULL),
    ('float8', 'CASE g % 9 WHEN 0 THEN ''NaN''::float8 WHEN 1 THEN ''-Infinity'' ELSE g / 7.0 END', '987654321.5'), ('numeric', 'g * 1e20 + r', NULL),
    ('numeric(10,2)', 'g / 3.0', '9876543.21'), ('date', '''2020-01-01''::date + g % 200', '''9876-05-04'''), ('date', 'CASE g % 5 WHEN 0 THEN ''infinity''::date ELSE ''4713-01-01 BC''::date + g * 1000 END', NULL),
    ('time', '''00:00''::time + g * interval ''7 min''', NULL), ('timetz', '''00:00+01''::timetz', NULL), ('timestamp', '''2024-01-01''::timestamp + g * r * interval ''1 min''', '''9876-05-04 03:02'''),
    ('timestamptz', '''2024-01-01''::timestamptz + g * interval ''1 day''', NULL), ('interval', 'g * interval ''1 hour''', NULL), ('uuid', 'md5(g::text)::uuid', NULL),
    ('mood', '(ARRAY[''sad'', ''ok'', ''happy''])[1 + g % 3]::mood', NULL), ('inet', '''10.0.0.0''::inet + g', NULL), ('cidr', '''10.0.0.0/8''::cidr', NULL), ('macaddr', '''08:00:2b:01:02:03''::macaddr', NULL),
    ('text', '''v'' || g % 4', '''Zxqcanary'''), ('text', '''Note '' || md5(g::text)', '''Zxqcanary Zxqcanary'''), ('text', 'repeat(''again '', g % 30)', 'repeat(''Zxqcanary '', 40)'), ('text', 'chr(200 + g % 50) || ''é😀''', NULL), ('text', '''''', NULL),
    ('varchar(12)', 'left(md5(g::text), 1 + g % 12)', '''Zxqcanary'''), ('char(3)', 'chr(65 + g % 26)', NULL), ('even', 'g * 2', '98765432'), ('word', '''w'' || g % 60', '''Zxqcanary'''),
    ('int[]', 'ARRAY[g, g % 5, r]', 'array_fill(987654321, ARRAY[9])'), ('even[]', 'ARRAY[g * 2]', NULL), ('text[]', 'ARRAY[''a'' || g % 3, NULL]', 'ARRAY[''Zxqcanary a'', ''Zxqcanary b'', ''Zxqcanary c'', ''Zxqcanary d'', ''Zxqcanary e'']'), ('mood[]', 'ARRAY[''ok'']::mood[]', NULL),
    ('jsonb', 'jsonb_build_object(''a'', g, ''b'', ''x'' || g % 5)', 'jsonb_build_array(''Zxqcanary'', 987654321)'), ('json', 'to_json(g)', NULL), ('jsonb', '''[]''', 'jsonb_build_object(''Zxqcanary'', 1)'),
    ('int4range', 'int4range(g, g + 1 + r % 5)', NULL), ('tstzrange', 'tstzrange(''2024-01-01''::timestamptz + g * interval ''1 h'', NULL)', NULL), ('span', 'span(g, g + 0.5)', NULL), ('point', 'point(g, r)', NULL),
    ('bytea', 'decode(md5(g::text), ''hex'')', NULL), ('bit(5)', 'g::bit(5)', NULL), ('varbit', 'g::bit(9)::varbit', NULL), ('int4', 'NULL', NULL), ('text', '''same''', NULL), ('int4', '1 + g % 20', NULL);

CREATE FUNCTION any_of(variadic text[]) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1[1 + floor(random() * cardinality($1))::int]';
CREATE FUNCTION options(method text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    o jsonb := '{}';
BEGIN
    IF method IN ('vae', 'gan', 'diffusion') THEN o := '{"steps": 3}'; END IF;
    IF random() < 0.3 THEN o := o || jsonb_build_object('rare_threshold', any_of('1', '2', '5', '9')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('max_rows', any_of('100', '1000')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('differences', any_of('0', '1')::int); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('dependencies', any_of('0', '1')::int); END IF;
    IF random() < 0.1 THEN o := o || jsonb_build_object('refine', 1); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('on_violation', any_of('error', 'drop', 'ignore')); END IF;
    IF random() < 0.2 THEN o := o || jsonb_build_object('constraints', jsonb_build_array(any_of('c1 IS NULL OR c1 IS NOT NULL', 'c1 = c2', 'length(c1) < 5', '1 / (length(c2) - 3) > 0', 'c1 > c2', 'abs(c2) < 100', 'random() > c1', 'public.secret(c1)'))); END IF;
    RETURN o;
END $$;

-- One table; all that it leaves is undone.
CREATE FUNCTION fuzz(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    columns int := 1 + floor(random() * 6);
    rows int := (ARRAY[3, 5, 6, 30, 100, 300])[1 + floor(random() * 6)::int];
    threshold int;
    k kinds;
    r int;
    definition text := '';
    expressions text := '';
    canaries text := '';
    canary boolean;
    method text := any_of('auto', 'auto', 'auto', 'tree', 'copula', 'copula', 'vae', 'gan', 'diffusion');
    chosen jsonb := options(method);
    name text := any_of('t', 'Odd "name"', 'select', 'ünï');
    seen text := '';
    leaks int;
    differ int;
BEGIN
    threshold := coalesce((chosen->>'rare_threshold')::int, 5);
    FOR c IN 1 .. columns LOOP
        SELECT * INTO k FROM kinds OFFSET floor(random() * (SELECT count(*) FROM kinds)) LIMIT 1;
        r := 1 + floor(random() * 1000);
        canary := random() < 0.5 AND k.canary IS NOT NULL;
        definition := definition || format(', c%s %s', c, k.type) || CASE WHEN canary THEN '' ELSE
            any_of('', '', '', '', ' NOT NULL', ' UNIQUE', ' PRIMARY KEY', ' UNIQUE NULLS NOT DISTINCT', ' CHECK (c' || c || '::text <> ''x'')', format(' CHECK (c%s IS NOT NULL)', c),
                CASE WHEN k.type = 'int4' THEN ' REFERENCES parent' ELSE '' END) END;
        expressions := expressions || format(CASE WHEN random() < 0.2 THEN ', CASE WHEN g %% 3 > 0 THEN (%s)::%s END' ELSE ', (%s)::%s' END,
            regexp_replace(k.value, '\mr\M', r::text, 'g'), k.type);
        canaries := canaries || ', ' || CASE WHEN canary THEN format('CASE WHEN g = 2 THEN (%s)::%s ELSE c%s END', k.canary, k.type, c) ELSE 'c' || c END;
    END LOOP;
    seen := format('%s %s(%s) of %s rows AS%s; %s', method, name, substr(definition, 3), rows, expressions, chosen);
    BEGIN
        EXECUTE format('CREATE TABLE %I (%s)', name, substr(definition, 3));
        EXECUTE format('INSERT INTO %I SELECT %s FROM (SELECT g, %s FROM generate_series(1, %s) AS g) AS s(g%s)', name, substr(canaries, 3), substr(expressions, 3), rows,
            (SELECT string_agg(', c' || c, '' ORDER BY c) FROM generate_series(1, columns) AS c));
    EXCEPTION WHEN OTHERS THEN
        RETURN 'no table ' || SQLSTATE;
    END;
    BEGIN
        PERFORM synth_fit(quote_ident(name), method => method, model => 'm', seed => n, options => chosen);
        EXECUTE format('SELECT count(*) FILTER (WHERE s::text ~ ''Zxq|canary|98765432|9876543.21|9876-05-04'') FROM synth_sample(''m'', 60, seed => 1) AS s') INTO leaks;
        IF leaks > 0 AND threshold > 1 THEN RETURN 'LEAK ' || seen; END IF;
        EXECUTE format('SELECT count(*) FROM (SELECT s::text FROM synth_sample(NULL::%1$I, 40, model => ''m'', seed => 7) AS s EXCEPT ALL
            SELECT s::text FROM synth_sample(NULL::%1$I, 40, model => ''m'', seed => 7) AS s) AS d', name) INTO differ;
        IF differ > 0 THEN RETURN 'DIFFER ' || seen; END IF;
        PERFORM synth_check('m', 40);
        IF random() < 0.3 THEN
            EXECUTE format('CREATE TABLE clone (LIKE %I INCLUDING ALL)', name);
            CALL synth_into('clone', 20, model => 'm', seed => 3);
        END IF;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ999';
    EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
        RETURN 'sampled';
    WHEN internal_error OR data_corrupted OR index_corrupted THEN
        RETURN 'BROKEN ' || SQLSTATE || ' ' || SQLERRM || ' ' || seen;
    WHEN OTHERS THEN
        RETURN 'error ' || SQLSTATE;
    END;
END $$;
CREATE FUNCTION fuzz_undone(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    PERFORM setseed(n % 1000003 / 1000003.0);
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
is "$([ $(($(grep -c ' sampled' "$log") * 4)) -gt "$runs" ] && echo t)" t 'many were sampled'
cut -d ' ' -f 2-4 "$log" | sed 's/^sampled.*/sampled/' | sort | uniq -c | sort -rn | head -n 20 | sed 's/^/# /'

echo "1..$n"
exit "$failed"
