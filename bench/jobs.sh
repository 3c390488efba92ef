#!/bin/bash
# bench/jobs.sh [--inside]
#
# Fits in the background, of the table that bench/tables.sh makes:
#
#   call		milliseconds from the call to the job's number: median of 20
#   wake		milliseconds from a job's end until synth_wait returns: median of 20
#   cancel		milliseconds from synth_cancel to the end of the process, in
#				each phase of each method, CANCELS times at random moments;
#				phases that were over when they were seen are not counted
#   seen		milliseconds from a phase's begin until another session, which
#				looks every 10 ms, sees it: the longest
#   cost		CPU time of telling over that of the fit, of which there are two
#				figures.  The bound: how often the process changed its public
#				status, times what one change costs whose memory is in no cache,
#				over the fit's CPU time.  The pairs: fits with what is told and
#				with track_activities off, which tells nothing, in turns, for
#				SECONDS_EACH (30) of each method: the median of their ratio, and the
#				interval that holds the true median with 95 %.  CPU time, so that
#				a loaded machine says the same; but it, too, differs from fit to
#				fit by some percent, so the pairs alone tell less than the bound
#
# PARTS names some of these, METHODS some methods; ROWS is how many rows of the
# table are learned.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
make_table
methods=${METHODS:-tree copula vae gan diffusion private}
parts=" ${PARTS:-call wake cancel seen cost} "
wanted() { [[ $parts == *" $1 "* ]]; }
psql -c "DELETE FROM $table WHERE ctid IN (SELECT ctid FROM $table OFFSET ${ROWS:-1000000000})" -c "VACUUM ANALYZE $table"

psql <<'SQL'
CREATE TABLE called (ms float8);
CREATE TABLE woken (ms float8);
CREATE TABLE cancelled (method text, phase text, ms float8);
CREATE TABLE cost (method text, told float8, silent float8, changes int8);

CREATE FUNCTION ms_since(t timestamptz) RETURNS float8 LANGUAGE sql VOLATILE
	RETURN 1000 * extract(epoch FROM clock_timestamp() - t);

CREATE FUNCTION cpu() RETURNS float8 LANGUAGE C AS 'gensynth', 'gs_probe_cpu';
CREATE FUNCTION told() RETURNS int8 LANGUAGE C AS 'gensynth', 'gs_probe_told';
CREATE FUNCTION cost_of_telling(n int) RETURNS float8 LANGUAGE C STRICT AS 'gensynth', 'gs_probe_cost';

-- Arguments that differ between methods.
CREATE FUNCTION budget(method text) RETURNS float8 LANGUAGE sql RETURN CASE WHEN method = 'private' THEN 1 END;
CREATE FUNCTION options(method text, steps int) RETURNS jsonb LANGUAGE sql
	RETURN CASE WHEN method IN ('vae', 'gan', 'diffusion') THEN jsonb_build_object('steps', steps) ELSE '{}' END
		|| CASE WHEN method = 'private' THEN '{}' ELSE '{"refine": 1}'::jsonb END;

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

CREATE PROCEDURE wake_often(n int) LANGUAGE plpgsql AS $$
DECLARE
	j int;
	ms float8;
BEGIN
	CREATE TABLE small AS SELECT i AS a FROM generate_series(1, 100) AS i;
	COMMIT;
	FOR i IN 1 .. n LOOP
		j := synth_fit_background('small', model => 'woken');
		PERFORM synth_wait(j);
		ms := ms_since((SELECT finished FROM synth_jobs WHERE job = j));
		INSERT INTO woken VALUES (ms);
		COMMIT;
	END LOOP;
END $$;

CREATE FUNCTION phase_of(j int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_stat_clear_snapshot();
	RETURN (SELECT phase FROM synth_progress WHERE job = j);
END $$;

-- Waits for a phase, and so many seconds more, and cancels; NULL if it was over.
CREATE FUNCTION cancel_in(j int, wanted text, delay float8, OUT ms float8) LANGUAGE plpgsql AS $$
DECLARE
	process int := (SELECT pid FROM synth_jobs WHERE job = j);
	seen text;
	t timestamptz;
BEGIN
	LOOP
		EXIT WHEN phase_of(j) = wanted;
		IF (SELECT state <> 'running' FROM synth_jobs WHERE job = j) THEN
			RETURN;
		END IF;
		PERFORM pg_sleep(0.0005);
	END LOOP;
	PERFORM pg_sleep(delay);
	seen := phase_of(j);
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

-- A phase that was over when it was to be cancelled is cancelled earlier next.
CREATE PROCEDURE cancel_often(source text, m text, n int) LANGUAGE plpgsql AS $$
DECLARE
	p text;
	ms float8;
	j int;
	longest float8;
BEGIN
	FOREACH p IN ARRAY '{reading,learning columns,order,trees,network,calibrating,refining,storing}'::text[] LOOP
		CONTINUE WHEN p IN ('order', 'trees') AND m <> 'tree' OR p IN ('network', 'calibrating') AND m NOT IN ('vae', 'gan', 'diffusion')
			OR p = 'refining' AND m = 'private';
		longest := 0.5;
		FOR i IN 1 .. 3 * n LOOP
			EXIT WHEN (SELECT count(*) >= n FROM cancelled AS c WHERE c.method = m AND c.phase = p);
			j := synth_fit_background(source, m, model => 'cancelled', epsilon => budget(m),
				options => options(m, CASE WHEN p = 'network' THEN 100000 ELSE 50 END));
			ms := cancel_in(j, p, longest * random());
			PERFORM synth_cancel(j), synth_wait(j);
			IF ms IS NULL THEN
				longest := longest / 4;
			ELSE
				INSERT INTO cancelled VALUES (m, p, ms);
			END IF;
			COMMIT;
		END LOOP;
	END LOOP;
END $$;

CREATE PROCEDURE compare_often(source text, m text, seconds float8) LANGUAGE plpgsql AS $$
DECLARE
	used float8[];
	begun timestamptz := clock_timestamp();
	start float8;
	changes int8;
	tells boolean;
	pairs int := 0;
BEGIN
	-- the first pair warms up
	WHILE pairs < 3 OR ms_since(begun) < 1000 * seconds LOOP
		FOR k IN 1 .. 2 LOOP
			tells := pairs % 2 = k % 2;
			PERFORM set_config('track_activities', tells::text, true);
			start := cpu();
			changes := CASE WHEN tells THEN -told() ELSE changes END;
			PERFORM synth_fit(source, m, model => 'cost', seed => CASE WHEN m <> 'private' THEN 1 END, epsilon => budget(m),
				options => options(m, 50));
			changes := CASE WHEN tells THEN changes + told() ELSE changes END;
			used[CASE WHEN tells THEN 1 ELSE 2 END] := cpu() - start;
		END LOOP;
		IF pairs > 0 THEN
			INSERT INTO cost VALUES (m, used[1], used[2], changes);
		END IF;
		pairs := pairs + 1;
		COMMIT;
	END LOOP;
END $$;

-- The order statistics between which the median is with 95 %, or the ends.
CREATE FUNCTION interval_of(ratios float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %% (%s to %s)', round(100 * (percentile_cont(0.5) WITHIN GROUP (ORDER BY r) - 1)::numeric, 2),
		round(100 * (sorted[greatest(k, 1)] - 1)::numeric, 2), round(100 * (sorted[least(n + 1 - k, n)] - 1)::numeric, 2))
	FROM (SELECT r, array_agg(r) OVER (ORDER BY r ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS sorted,
			count(*) OVER () AS n, floor(count(*) OVER () / 2.0 - 0.98 * sqrt(count(*) OVER ()))::int AS k
		FROM unnest(ratios) AS r) AS s
	GROUP BY sorted, n, k
$$;
SQL

report() { PGOPTIONS='-c client_min_messages=error' psql -tA -c "$1" -c "$2"; }

wanted call && report "CALL call_often('$table', 20)" "
SELECT format('call to number: %s ms (%s to %s)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1),
	round(min(ms)::numeric, 1), round(max(ms)::numeric, 1)) FROM called"

wanted wake && report "CALL wake_often(20)" "
SELECT format('end to the return of synth_wait: %s ms (%s to %s)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1),
	round(min(ms)::numeric, 1), round(max(ms)::numeric, 1)) FROM woken"

for method in $methods; do
    wanted cancel && report "CALL cancel_often('$table', '$method', ${CANCELS:-5})" "
SELECT format('cancel to end, %s, %s: %s ms, at most %s, of %s', method, phase,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1), round(max(ms)::numeric, 1), count(ms))
FROM cancelled WHERE method = '$method' GROUP BY method, phase ORDER BY phase"
    wanted cost && report "CALL compare_often('$table', '$method', ${SECONDS_EACH:-30})" "
SELECT format('cost of progress, %s: at most %s %% (%s changes of %s us, %s s of CPU time); %s pairs: %s', method,
	round((100 * sum(changes) * each / sum(told))::numeric, 3), round(avg(changes)), round((1e6 * each)::numeric, 2),
	round(avg(told)::numeric, 2), count(*), interval_of(array_agg(told / silent)))
FROM cost, cost_of_telling(300) AS each WHERE method = '$method' GROUP BY method, each"
done

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
        -c "SELECT count(synth_fit('$table', '$method', model => 'seen', epsilon => budget('$method'), options => options('$method', 100)))" 2>&1 |
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
