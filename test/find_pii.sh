#!/bin/bash
# synth_find_pii on Synthea, Chinook, Adult and the shoppers, which stand beside
# the project (../shared/data); skipped where they are missing.
#
# The labels below were written by reading the tables' columns, before anything
# was found.  What an organisation, a payer or an invoice has of addresses and
# phones is of that kind whoever it belongs to.  Composers and artists, who are
# persons, bands and orchestras, count as neither found nor missed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

data=../shared/data
if [ ! -d "$data/synthea" ] || [ ! -d "$data/chinook" ]; then
    echo "1..0 # SKIP no real tables in $data"
    exit 0
fi

labels() {
    cat << 'LABELS'
synthea.patients	birthdate	birth_date
synthea.patients	ssn	us_ssn
synthea.patients	drivers	driver_licence
synthea.patients	passport	passport
synthea.patients	first	first_name
synthea.patients	last	last_name
synthea.patients	maiden	last_name
synthea.patients	gender	sex
synthea.patients	birthplace	city
synthea.patients	address	street_address
synthea.patients	city	city
synthea.patients	state	state
synthea.patients	zip	postcode
synthea.patients	lat	latitude
synthea.patients	lon	longitude
synthea.organizations	address	street_address
synthea.organizations	city	city
synthea.organizations	state	state_code
synthea.organizations	zip	postcode
synthea.organizations	lat	latitude
synthea.organizations	lon	longitude
synthea.organizations	phone	phone_national
synthea.providers	name	full_name
synthea.providers	gender	sex
synthea.providers	address	street_address
synthea.providers	city	city
synthea.providers	state	state_code
synthea.providers	zip	postcode
synthea.providers	lat	latitude
synthea.providers	lon	longitude
synthea.payers	address	street_address
synthea.payers	city	city
synthea.payers	state_headquartered	state_code
synthea.payers	zip	postcode
synthea.payers	phone	phone_national
synthea.payer_transitions	owner_name	full_name
chinook.customer	first_name	first_name
chinook.customer	last_name	last_name
chinook.customer	address	street_address
chinook.customer	city	city
chinook.customer	state	state_code
chinook.customer	country	country
chinook.customer	postal_code	postcode
chinook.customer	phone	phone
chinook.customer	fax	phone
chinook.customer	email	email
chinook.employee	first_name	first_name
chinook.employee	last_name	last_name
chinook.employee	birth_date	birth_date
chinook.employee	address	street_address
chinook.employee	city	city
chinook.employee	state	state_code
chinook.employee	country	country
chinook.employee	postal_code	postcode
chinook.employee	phone	phone
chinook.employee	fax	phone
chinook.employee	email	email
chinook.invoice	billing_address	street_address
chinook.invoice	billing_city	city
chinook.invoice	billing_state	state_code
chinook.invoice	billing_country	country
chinook.invoice	billing_postal_code	postcode
LABELS
}

database=gensynth_find_pii
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"; }
trap 'dropdb --if-exists "$database" 2> /dev/null || true' EXIT
dropdb --if-exists "$database" 2> /dev/null || true
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' -f test/lib/chinook.sql -f test/lib/synthea.sql > /dev/null
for table in artist album media_type genre track employee customer invoice invoice_line playlist playlist_track; do
    sql -c "\\copy chinook.$table FROM '$data/chinook/$table.csv' CSV HEADER"
done
for table in patients organizations providers payers encounters conditions; do
    sql -c "\\copy synthea.$table FROM '$data/synthea/$table.csv' CSV HEADER"
done
# The other tables of Synthea, and those without persons, as texts, numbers and
# dates.
sql << SQL
CREATE TABLE synthea.payer_transitions (patient uuid, memberid text, start_date timestamptz, end_date timestamptz, payer uuid, secondary_payer text,
    plan_ownership text, owner_name text);
\\copy synthea.payer_transitions FROM '$data/synthea/payer_transitions.csv' CSV HEADER
CREATE SCHEMA plain;
CREATE TABLE plain.adult (age int, workclass text, fnlwgt int, education text, education_num int, marital_status text, occupation text,
    relationship text, race text, sex text, capital_gain int, capital_loss int, hours_per_week int, native_country text, income text);
\\copy plain.adult FROM '$data/adult_train.csv' CSV HEADER
CREATE TABLE plain.shoppers (administrative int, administrative_duration float8, informational int, informational_duration float8, product_related int,
    product_related_duration float8, bounce_rates float8, exit_rates float8, page_values float8, special_day float8, month text, operating_systems int,
    browser int, region int, traffic_type int, visitor_type text, weekend text, revenue text);
\\copy plain.shoppers FROM '$data/shoppers_train.csv' CSV HEADER
CREATE TABLE labels (relation text, "column" text, kind text);
\\copy labels FROM stdin
$(labels)
\\.
CREATE TABLE found AS
SELECT * FROM synth_find_pii('synthea') UNION ALL SELECT * FROM synth_find_pii('chinook');
CREATE VIEW judged AS
SELECT COALESCE(l.relation, f.relation::text) AS relation, COALESCE(l."column", f."column") AS "column", l.kind AS label, f.kind, f.level, f.evidence
FROM labels l FULL JOIN found f ON f.relation::text = l.relation AND f."column" = l."column"
WHERE COALESCE(f.relation::text, '') || '.' || COALESCE(f."column", '') NOT IN ('chinook.artist.name', 'chinook.track.composer');
SQL
# What was missed, or is something else.
sql -F ' ' -c "SELECT '#', relation, \"column\", label, kind, level, evidence FROM judged
    WHERE label IS DISTINCT FROM CASE WHEN level = 'sure' THEN kind END ORDER BY relation, \"column\""
is "$(sql -c "SELECT avg((level = 'sure' AND label = kind)::int) >= 0.95 FROM judged WHERE label IS NOT NULL")" t 'at least 95 % of the personal columns are found for sure'
is "$(sql -c "SELECT avg((label IS NOT NULL AND label = kind)::int) >= 0.9 FROM judged WHERE level = 'sure'")" t 'at least 90 % of those that are sure are personal'
is "$(sql -c "SELECT relation, \"column\", kind FROM synth_find_pii('plain') WHERE level = 'sure'")" '' 'nothing is sure in Adult and among the shoppers'

echo "1..$n"
exit $failed
