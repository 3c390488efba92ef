#!/bin/bash
# run.sh DIRECTORY ['schema ...']: inside script/cluster.sh, fits databases made up by make.sql (bank, race, shop, hosp, ev)
# with defaults, writes each into another schema, and tells which rules.sql hold in the source and in the copy.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$1; S=${2:-bank race shop hosp ev}; mkdir -p $out
createdb t; P="psql -Xq -d t"
$P -c 'CREATE EXTENSION gensynth'
$P -c "SET client_min_messages=warning" -f $here/make.sql 2>&1 | grep -v setseed
for s in bank race shop hosp ev; do
for i in $(psql -XqAt -d t -c "select format('create index on %s(%I)', conrelid::regclass, attname) from pg_constraint join pg_attribute on attrelid=conrelid and attnum=conkey[1] where contype='f' and connamespace='$s'::regnamespace" | tr ' ' '~'); do $P -c "${i//\~/ }"; done
case " $S " in *" $s "*) ;; *) continue;; esac
echo "== $s"
$P << END
SET client_min_messages = warning;
SELECT relation, role, owner, order_by FROM synth_schema_plan('{$s}');
SELECT sum(seconds)::numeric(8,2) FROM synth_fit_schema('{$s}', seed => 1);
CREATE SCHEMA made_$s;
CALL synth_schema_into('made_$s', '$s', seed => 1);
END
for t in $(psql -XqAt -d t -c "select relname from pg_class where relkind='r' and relnamespace='$s'::regnamespace"); do $P -c "\\copy (select * from $s.$t) to '$out/$s.$t.real.csv' csv header" -c "\\copy (select * from made_$s.$t) to '$out/$s.$t.made.csv' csv header"; done
done
$P -c analyze -f $here/rules.sql
