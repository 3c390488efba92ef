#!/bin/bash
# bench/jobs.sh [--inside]
#
# Fits in the background, of the table that bench/tables.sh makes:
#
#   call		milliseconds from the call to the job's number: median of 20
#   cancel		milliseconds from synth_cancel to the end of the process, in
#				each phase of each method, CANCELS times at random moments;
#				phases that were over when they were seen are not counted
#   seen		milliseconds from a phase's begin until another session, which
#				looks every 10 ms, sees it: the longest
#   cost		CPU time of fits with what is told over that of as many with
#				track_activities off, which tells nothing, in turns: RUNS pairs
#
# PARTS names some of these, METHODS some methods; ROWS is how many rows of the
# table are learned.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
make_table
methods=${METHODS:-tree copula vae gan diffusion}
parts=" ${PARTS:-call cancel seen cost} "
wanted() { [[ $parts == *" $1 "* ]]; }
psql -c "DELETE FROM $table WHERE ctid IN (SELECT ctid FROM $table OFFSET ${ROWS:-1000000000})" -c "VACUUM ANALYZE $table"

psql <<'SQL'
CREATE TABLE called (ms float8);
CREATE TABLE cancelled (method text, phase text, ms float8);
CREATE TABLE cost (method text, told float8, silent float8);

CREATE FUNCTION ms_since(t timestamptz) RETURNS float8 LANGUAGE sql VOLATILE
	RETURN 1000 * extract(epoch FROM clock_timestamp() - t);

-- CPU time of this process, all its threads included, in clock ticks.
CREATE FUNCTION ticks() RETURNS int8 LANGUAGE sql VOLATILE AS
	$$SELECT f[12]::int8 + f[13]::int8 FROM string_to_array(substring(pg_read_file('/proc/self/stat') FROM '\) (.*)'), ' ') AS f$$;

CREATE PROCEDURE call_often(source text, n int) LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz;
	ms float8;
	j int;
BEGIN
	FOR i IN 1 .. n LOOP
		t := clock_timestamp();
		j := synth_fit_background(source, model => 'called');
		ms := ms_since(t);
		PERFORM synth_cancel(j), synth_wait(j);
		INSERT INTO called VALUES (ms);
		COMMIT;
	END LOOP;
END $$;

-- Waits for a phase, and a moment more, and cancels; false if it was over.
CREATE FUNCTION cancel_in(j int, wanted text, OUT ms float8) LANGUAGE plpgsql AS $$
DECLARE
	process int := (SELECT pid FROM synth_jobs WHERE job = j);
	seen text;
	t timestamptz;
BEGIN
	LOOP
		PERFORM pg_stat_clear_snapshot();
		SELECT phase INTO seen FROM synth_progress WHERE job = j;
		EXIT WHEN seen = wanted;
		IF (SELECT state <> 'running' FROM synth_jobs WHERE job = j) THEN
			RETURN;
		END IF;
		PERFORM pg_sleep(0.0005);
	END LOOP;
	PERFORM pg_sleep(0.3 * random() ^ 2);
	PERFORM pg_stat_clear_snapshot();
	SELECT phase INTO seen FROM synth_progress WHERE job = j;
	t := clock_timestamp();
	PERFORM synth_cancel(j);
	LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = process);
		PERFORM pg_sleep(0.0005);
	END LOOP;
	IF seen = wanted THEN
		ms := ms_since(t);
	END IF;
END $$;

CREATE PROCEDURE cancel_often(source text, methods text[], n int) LANGUAGE plpgsql AS $$
DECLARE
	m text;
	p text;
	ms float8;
	j int;
BEGIN
	FOREACH m IN ARRAY methods LOOP
		FOREACH p IN ARRAY '{reading,learning columns,order,trees,network,calibrating,refining,storing}'::text[] LOOP
			CONTINUE WHEN p IN ('order', 'trees') AND m <> 'tree' OR p = 'network' AND m IN ('tree', 'copula');
			FOR i IN 1 .. n LOOP
				j := synth_fit_background(source, m, model => 'cancelled', options => CASE
					WHEN m IN ('vae', 'gan', 'diffusion') AND p <> 'network' THEN '{"steps": 100, "refine": 1}' ELSE '{"refine": 1}' END::jsonb);
				ms := cancel_in(j, p);
				PERFORM synth_cancel(j), synth_wait(j);
				INSERT INTO cancelled VALUES (m, p, ms);
				COMMIT;
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

CREATE PROCEDURE compare_often(source text, methods text[], n int) LANGUAGE plpgsql AS $$
DECLARE
	m text;
	on_first boolean;
	used float8[];
	t int8;
BEGIN
	FOREACH m IN ARRAY methods LOOP
		FOR i IN 0 .. n LOOP
			on_first := i % 2 = 0;
			FOR k IN 1 .. 2 LOOP
				PERFORM set_config('track_activities', CASE WHEN on_first = (k = 1) THEN 'on' ELSE 'off' END, true);
				t := ticks();
				PERFORM synth_fit(source, m, model => 'cost', seed => 1, options => CASE
					WHEN m IN ('vae', 'gan', 'diffusion') THEN '{"steps": 200}' ELSE '{}' END::jsonb);
				used[CASE WHEN on_first = (k = 1) THEN 1 ELSE 2 END] := ticks() - t;
			END LOOP;
			IF i > 0 THEN		-- the first pair warms up
				INSERT INTO cost VALUES (m, used[1], used[2]);
			END IF;
			COMMIT;
		END LOOP;
	END LOOP;
END $$;
SQL

report() { PGOPTIONS='-c client_min_messages=error' psql -tA -c "$1" -c "$2"; }

wanted call && report "CALL call_often('$table', 20)" "
SELECT format('call to number: %s ms (%s to %s)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1),
	round(min(ms)::numeric, 1), round(max(ms)::numeric, 1)) FROM called"

wanted cancel && report "CALL cancel_often('$table', '{${methods// /,}}', ${CANCELS:-5})" "
SELECT format('cancel to end, %s, %s: %s ms, at most %s, of %s', method, phase,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1), round(max(ms)::numeric, 1), count(ms))
FROM cancelled GROUP BY method, phase HAVING count(ms) > 0 ORDER BY method, phase"

wanted cost && report "CALL compare_often('$table', '{${methods// /,}}', ${RUNS:-9})" "
SELECT format('cost of progress, %s: %s %%, of %s s', method, round(100 * (sum(told) / sum(silent) - 1)::numeric, 2),
	round(sum(silent)::numeric / 100, 1)) FROM cost GROUP BY method ORDER BY method"

wanted seen || exit 0
# A phase's begin is told to the client that fits, by a debug message; the
# times of both clients are of one clock.
stamp() { while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done; }
for method in $methods; do
    log=$(mktemp)
    while [ ! -e "$log.end" ]; do
        echo 'SELECT phase FROM synth_progress;'
        sleep 0.01
    done | psql -tA | stamp > "$log.seen" &
    psql -c 'SET client_min_messages = debug1' \
        -c "SELECT count(synth_fit('$table', '$method', model => 'seen', options => CASE WHEN '$method' IN ('tree', 'copula') THEN '{}' ELSE '{\"steps\": 100}' END::jsonb))" 2>&1 |
        stamp > "$log.begun"
    : > "$log.end"
    wait
    awk -v method="$method" '
        NR == FNR { time = $1; sub(/^[^ ]+ /, ""); if ($0 != "") { n++; at[n] = time; phase[n] = $0 } next }
        /phase: / { time = $1; sub(/.*phase: /, ""); begun++
            for (i = 1; i <= n && (at[i] < time || phase[i] != $0); i++);
            if (i <= n && $0 != last) { ms = 1000 * (at[i] - time); if (ms > most) most = ms; seen++ }
            last = $0 }
        END { printf "phase to seen, %s: %.0f ms at most, of %d\n", method, most, seen }' "$log.seen" "$log.begun"
    rm -f "$log" "$log".*
done
