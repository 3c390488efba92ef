#!/bin/bash
# bench/mask.sh [--inside]
#
# Masking: pseudonyms and generated values a second of one core; synth_find_pii
# of 100 tables; ROWS rows (a million) of 15 columns, three of them generated,
# with four indexes, masked in place in both modes, beside VACUUM FULL of the
# same table, and UPDATE of as many columns. Seconds by the clock, and of CPU
# time of the backend. Memory is that of the backend at its highest, at a tenth
# of the rows and at all. Needs `make` in the source tree.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
rows=${ROWS:-1000000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
serial=(/usr/lib/"$(gcc -print-multiarch)"/openblas-serial)
libs=(-lopenblas -lm -pthread)
[ ! -d "${serial[0]}" ] || libs=(-L"${serial[0]}" "-Wl,-rpath,${serial[0]}" "${libs[@]}")

echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg); $(nproc) CPUs"
plain=$(for source in $(grep -L '"postgres.h"' src/mask/*.c); do echo "${source%.c}.o"; done)
# shellcheck disable=SC2086 # a list of files
gcc -std=gnu99 -O2 -Isrc -o "$dir/mask" bench/mask.c $plain build/dictionary_data.o src/text/check_digit.o src/numeric/*.o "${libs[@]}" || exit 2
"$dir/mask" "${SECONDS_EACH:-0.5}" | awk -F '\t' '{printf "%-18s %-12s %5.2f million a second\n", $1, $2, $3 / 1e6}'

# A statement's seconds, CPU seconds and the backend's memory, in a session of
# its own.
measure() { # name statement
    psql -A -t -v what="$1" << SQL
SET client_min_messages = warning;
SELECT pg_backend_pid() AS pid, clock_timestamp() AS begun \gset
\setenv PID :pid
\o /dev/null
$2;
\o
SELECT round(extract(epoch FROM clock_timestamp() - :'begun'), 1) AS took \gset
\setenv TOOK :took
\setenv WHAT :what
\! awk '{cpu = (\$14 + \$15) / 100} END {printf "%-44s %6.1f s, %5.1f s of CPU", ENVIRON["WHAT"], ENVIRON["TOOK"], cpu}' /proc/\$PID/stat
\! awk '/VmHWM|RssAnon/ {m[\$1] = \$2} END {printf ", %d MB of its own at the end\n", m["RssAnon:"] / 1024}' /proc/\$PID/status
SQL
}

psql << 'SQL'
CREATE SCHEMA many;
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        EXECUTE format('CREATE TABLE many.t%s AS SELECT i AS id, ''first'' || i AS first_name, ''Walker'' AS last_name, ''user'' || i || ''@mail.test'' AS email,
            ''+1212555'' || lpad((i %% 10000)::text, 4, ''0'') AS phone, i || '' Main Street'' AS address, ''Berlin'' AS city, ''NY'' AS state, now() AS created,
            md5(i::text) AS token, (i * 7919 %% 100000)::numeric AS amount, ''some words of a note that is longer, like this one '' || i AS note,
            jsonb_build_object(''a'', i, ''contact'', jsonb_build_object(''mail'', ''x'' || i || ''@y.test'')) AS doc FROM generate_series(1, 3000) AS i', i);
    END LOOP;
END $$;
ANALYZE;
SELECT synth_key() \g /dev/null
SQL
measure 'synth_find_pii, 100 tables of 13 columns' "SELECT count(*) FROM synth_find_pii('many')"
psql -c 'SET client_min_messages = error' -c 'DROP SCHEMA many CASCADE'

make_person() { # rows
    psql << SQL
DROP TABLE IF EXISTS person;
CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ssn text UNIQUE, first text, last text, email text, phone text, address text, city text,
    state text, zip text, birth date, income int, full_name text GENERATED ALWAYS AS (first || ' ' || last) STORED,
    mail_domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED, income_group int GENERATED ALWAYS AS (income / 1000) STORED);
INSERT INTO person (ssn, first, last, email, phone, address, city, state, zip, birth, income)
SELECT lpad((i % 900 + 1)::text, 3, '0') || '-' || lpad((i / 900 % 99 + 1)::text, 2, '0') || '-' || lpad((i / 89100 + 1)::text, 4, '0'), 'First' || i % 5000,
    'Last' || i % 30011, 'person' || i || '@mail' || i % 7 || '.test', '+1212' || lpad(i::text, 7, '0'), i % 999 || ' Main Street', 'City' || i % 400, 'NY',
    lpad((i % 99999)::text, 5, '0'), date '1940-01-01' + i % 22000, i::bigint * 7919 % 200000
FROM generate_series(1, $1) AS i;
CREATE INDEX ON person (email);
CREATE INDEX ON person (last, first);
VACUUM ANALYZE person;
CHECKPOINT;
SQL
}
kinds='"first": "first_name", "last": "last_name", "email": "email"'
for n in $((rows / 10)) "$rows"; do
    make_person "$n"
    measure "VACUUM FULL, $n rows" 'VACUUM FULL person'
    measure 'three kinds' "CALL synth_mask('person', '{first,last,email}', '{$kinds}')"
    measure 'two columns of pseudonyms' "CALL synth_mask('person', '{ssn,phone}', '{\"ssn\": \"pseudonym\", \"phone\": \"pseudonym\"}')"
    measure 'all five again' "CALL synth_mask('person', '{ssn,phone,first,last,email}', '{\"ssn\": \"pseudonym\", \"phone\": \"pseudonym\", $kinds}')"
    measure 'VACUUM FULL, values in no order now' 'VACUUM FULL person'
done
# What an index has costs more: a new place in it for each row.
three="CALL synth_mask('person', '{phone,address,city}', '{\"phone\": \"phone\", \"address\": \"street_address\", \"city\": \"city\"}', mode => 'update')"
make_person "$rows"
measure "UPDATE of three columns of no index, $rows rows" "UPDATE person SET phone = phone || '1', address = upper(address), city = upper(city)"
make_person "$rows"
measure 'mode update, three kinds in these' "$three"
make_person "$rows"
measure 'UPDATE of three columns of two indexes' "UPDATE person SET first = upper(md5(first)), last = upper(md5(last)), email = md5(email) || '@example.com'"
make_person "$rows"
measure 'mode update, three kinds in these' "CALL synth_mask('person', '{first,last,email}', '{$kinds}', mode => 'update')"
echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg)"
