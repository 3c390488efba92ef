#!/bin/bash
# What the last release left on disk, as script/freeze.sh kept it: its objects
# become those of this version by ALTER EXTENSION UPDATE, and its models, of each
# method, sample, are granted, exported and learned again as before; so does a
# dump of it that is restored here.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"
cd "$(dirname "$0")/.."

this=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" gensynth.control)
# the script that leads here tells where from
last=$(basename gensynth--*--"$this".sql | sed "s/^gensynth--\(.*\)--$this.sql$/\1/")
frozen=test/releases/gensynth--$last.sql
installed=$("${PG_CONFIG:-pg_config}" --sharedir)/extension/gensynth--$last.sql
updated=gensynth_upgrade_updated
restored=gensynth_upgrade_restored
new=gensynth_upgrade_new

if [ ! -w "$(dirname "$installed")" ]; then
    echo "1..0 # SKIP the old install script cannot be put where the server looks for it"
    exit
fi
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

clean() {
    for database in "$updated" "$restored" "$new"; do
        dropdb --if-exists "$database" 2> /dev/null || true
    done
    sql -d postgres -c 'DROP ROLE IF EXISTS gensynth_upgrade_owner, gensynth_upgrade_reader, gensynth_upgrade_stranger' 2> /dev/null || true
}
trap 'clean; rm -f "$installed"' EXIT

# All that an extension has: what it is, who may use it, what is said of it,
# and what is dumped of it.
objects() {
    sql -d "$1" << 'SQL'
SET search_path = pg_catalog;
CREATE TEMP VIEW members AS SELECT classid, objid FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'gensynth');
SELECT pg_describe_object(classid, objid, 0), obj_description(objid, classid::regclass::name) FROM members ORDER BY 1;
SELECT pg_get_functiondef(objid), proacl FROM members JOIN pg_proc ON pg_proc.oid = objid AND prokind <> 'a' ORDER BY 1;
SELECT oid::regclass, relkind, relacl, reloptions, relrowsecurity, CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END
    FROM members JOIN pg_class ON pg_class.oid = objid ORDER BY 1;
SELECT attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attacl, attstorage,
        pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
    FROM members JOIN pg_attribute ON attrelid = objid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE classid = 'pg_class'::regclass ORDER BY 1, 2;
SELECT conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid) FROM members JOIN pg_constraint ON conrelid = objid ORDER BY 1, 2;
SELECT pg_get_indexdef(indexrelid) FROM members JOIN pg_index ON indrelid = objid ORDER BY 1;
SELECT pg_get_triggerdef(pg_trigger.oid), tgenabled FROM members JOIN pg_trigger ON tgrelid = objid WHERE NOT tgisinternal ORDER BY 1;
SELECT enumtypid::regtype, enumlabel FROM members JOIN pg_enum ON enumtypid = objid ORDER BY 1, enumsortorder;
SELECT nspname, nspacl FROM members JOIN pg_namespace ON pg_namespace.oid = objid;
SELECT c::regclass, w FROM pg_extension, unnest(extconfig, extcondition) AS u(c, w) WHERE extname = 'gensynth' ORDER BY 1;
SELECT extversion FROM pg_extension WHERE extname = 'gensynth';
SQL
}

# A statement as a role; of an error its SQLSTATE.
as() { sql -d "$1" -c '\set VERBOSITY sqlstate' -c "SET ROLE gensynth_upgrade_$2" -c "$3" 2>&1 || true; }

# Rows of all models, as numbers of rows and digests.
rows() {
    sql -d "$1" -c "SELECT model, version, method, (SELECT count(*) || ' ' || md5(string_agg(r::text, ',' ORDER BY i))
        FROM (SELECT r, row_number() OVER () AS i FROM synth_sample(model, 1000, seed => 7) AS r) AS s)
        FROM synth_models WHERE current ORDER BY model"
}

clean
cp "$frozen" "$installed"
createdb "$new"
sql -d "$new" -c 'CREATE EXTENSION gensynth'
sql -d postgres -c 'CREATE ROLE gensynth_upgrade_owner' -c 'CREATE ROLE gensynth_upgrade_reader' -c 'CREATE ROLE gensynth_upgrade_stranger'

# the release itself: a dump makes the version that is the default
createdb "$updated"
gzip -dc "test/releases/$last.sql.gz" | sed "s/^CREATE EXTENSION IF NOT EXISTS gensynth .*[^;]/& VERSION '$last'/" | sql -d "$updated" > /dev/null
is "$(sql -d "$updated" -c "SELECT extversion FROM pg_extension WHERE extname = 'gensynth'")" "$last" "there is $last"
is "$(objects "$updated" | md5sum)" "$(createdb "$restored" && sql -d "$restored" -c "CREATE EXTENSION gensynth VERSION '$last'" && objects "$restored" | md5sum)" \
    'with its objects'
before=$(rows "$updated")
sql -d "$updated" -c 'ALTER EXTENSION gensynth UPDATE'
is "$(objects "$updated")" "$(objects "$new")" "updated to $this, all is as if it had been created"

dropdb "$restored"
createdb "$restored"
gzip -dc "test/releases/$last.sql.gz" | sql -d "$restored" > /dev/null
is "$(sql -d "$restored" -c "SELECT extversion FROM pg_extension WHERE extname = 'gensynth'")" "$this" 'a dump of it makes this one'

is "$(rows "$updated" | cut -d '|' -f 1-3 | paste -s -d ' ')" \
    'copula|1|copula diffusion|1|diffusion gan|1|gan private|1|private tree|2|tree vae|1|vae' 'there is a model of each method'
is "$(rows "$updated" | grep -c '|1000 ')" 6 'each makes rows'
is "$before" "$(rows "$updated")" 'before the update, too'
is "$(rows "$restored")" "$(rows "$updated")" 'restored, the same'
for database in "$updated" "$restored"; do
    is "$(as "$database" reader "SELECT count(*) FROM synth_sample('tree', 10)")" 10 "$database: the grant holds"
    is "$(as "$database" stranger "SELECT count(*) FROM synth_sample('copula', 10)")" 10 "$database: that to all"
    is "$(as "$database" stranger "SELECT count(*) FROM synth_sample('tree', 10)")" 'ERROR:  42501' "$database: and that there is none"
    is "$(as "$database" owner "SELECT version FROM synth_fit('visits', model => 'tree')")" 3 "$database: its owner learns it again"
    is "$(sql -d "$database" -c "SELECT synth_import(bytes, model || ' again') FROM exported ORDER BY model" | paste -s -d ' ')" 'private again tree again' \
        "$database: exports come in"
done

# Formats that are not read say so, with the way on.
message() { sql -d "$updated" -c "$1" 2>&1 | sed -n 's/^\(ERROR\|HINT\): *//p' | paste -s -d '|'; }
sql -d "$updated" -c "UPDATE gensynth.versions SET format = 0 WHERE model IN ('vae', 'private')" -c "UPDATE gensynth.versions SET format = 1000 WHERE model = 'gan'"
is "$(message "SELECT count(*) FROM synth_sample('vae', 10)")" \
    "version 1 of model \"vae\" is of format 0, and this version of gensynth reads formats from 1 on|Learn it again: SELECT synth_fit('SELECT ward, age FROM visits', 'vae', model => 'vae')." \
    'a format that is too old names the command'
is "$(message "SELECT synth_export('private')" | sed 's/.*|//')" \
    "Learn it again: SELECT synth_fit('public.visits', 'private', model => 'private', epsilon => 1)." 'also that of a private fit'
is "$(as "$updated" owner "$(message "SELECT count(*) FROM synth_sample('vae', 10)" | sed "s/.*again: SELECT \(.*\)\./SELECT version FROM \1/; s/model => 'vae'/&, options => '{\"steps\": 5}'/")")" 2 \
    'which makes the next version'
is "$(sql -d "$updated" -c "SELECT count(*) FROM synth_sample('vae', 10)")" 10 'that is read'
is "$(message "SELECT count(*) FROM synth_sample('gan', 10)" | sed 's/.*|//')" 'Install the version of gensynth that learned it, or a later one.' 'one that is too new the version'
is "$(sql -d "$updated" -c "SELECT count(*) FROM synth_models WHERE model IN ('gan', 'private')")" 2 'both are still listed'
is "$(sql -d "$updated" -c "SELECT synth_drop('gan')" -c "SELECT count(*) FROM gensynth.tensors WHERE model = 'gan'" | tail -n 1)" 0 'and can be dropped'

echo "1..$n"
exit "$failed"
