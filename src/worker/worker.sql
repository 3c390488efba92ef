/* src/worker/worker.sql: work in the background, and how far it is. */

-- Not dumped: a job is of this server.
CREATE TABLE gensynth.jobs (
	number		int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	role		text NOT NULL,
	model		text NOT NULL,
	source		text NOT NULL,
	method		text NOT NULL,
	options		jsonb NOT NULL,
	pid			int NOT NULL,
	state		text NOT NULL DEFAULT 'running',
	started		timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished	timestamptz,
	version		int,
	sqlstate	text,
	message		text,
	detail		text,
	hint		text
);
COMMENT ON TABLE gensynth.jobs IS 'one row for each fit in the background; see synth_jobs';
COMMENT ON COLUMN gensynth.jobs.state
	IS 'running, done, failed or cancelled; whether a process still runs, its lock tells';
REVOKE ALL ON gensynth.jobs FROM PUBLIC;

CREATE FUNCTION synth_fit_background(source text, method text DEFAULT 'auto', model text DEFAULT NULL,
	columns text[] DEFAULT NULL, exclude text[] DEFAULT NULL, seed bigint DEFAULT NULL,
	epsilon float8 DEFAULT NULL, delta float8 DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS int
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_fit_background';
COMMENT ON FUNCTION synth_fit_background(text, text, text, text[], text[], bigint, float8, float8, jsonb)
	IS 'learns a model in a process of its own, and returns the number of the job';

-- Who may call it may see what it shows.
CREATE FUNCTION gensynth.jobs_now(OUT job int, OUT role text, OUT model text, OUT source text, OUT method text,
	OUT options jsonb, OUT pid int, OUT state text, OUT started timestamptz, OUT finished timestamptz,
	OUT version int, OUT sqlstate text, OUT message text, OUT detail text, OUT hint text)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'gensynth_jobs_now';
COMMENT ON FUNCTION gensynth.jobs_now() IS 'jobs that the caller may see; use the view synth_jobs';

-- One's own and those of roles that one is a member of; all for superusers
-- and, but for what errors say, pg_read_all_stats.
CREATE VIEW synth_jobs AS SELECT j.* FROM gensynth.jobs_now() j;
COMMENT ON VIEW synth_jobs IS 'fits in the background: those that run, and what became of others; DELETE forgets one that has ended';
GRANT SELECT, DELETE ON synth_jobs TO PUBLIC;

CREATE FUNCTION gensynth.forget_job() RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'gensynth_forget_job';
COMMENT ON FUNCTION gensynth.forget_job() IS 'deletes from synth_jobs';
REVOKE ALL ON FUNCTION gensynth.forget_job() FROM PUBLIC;
CREATE TRIGGER forget_job INSTEAD OF DELETE ON synth_jobs
	FOR EACH ROW EXECUTE FUNCTION gensynth.forget_job();

CREATE FUNCTION synth_cancel(job int) RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_cancel';
COMMENT ON FUNCTION synth_cancel(int) IS 'cancels a fit in the background; false if it was not running';

CREATE FUNCTION synth_wait(job int, timeout interval DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'synth_wait';
COMMENT ON FUNCTION synth_wait(int, interval)
	IS 'waits until a fit in the background has ended, or for so long, and returns its state';

CREATE FUNCTION gensynth.progress(OUT pid int, OUT job int, OUT role text, OUT source text, OUT model text,
	OUT phase text, OUT done bigint, OUT total bigint, OUT fraction float8, OUT epoch float8, OUT loss float8,
	OUT started timestamptz, OUT eta timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10
AS 'MODULE_PATHNAME', 'gensynth_progress';
COMMENT ON FUNCTION gensynth.progress() IS 'what is learned and filled at the moment; use the view synth_progress';

-- What a role must not see is NULL, as in pg_stat_activity.
CREATE VIEW synth_progress WITH (security_barrier) AS
SELECT p.pid, p.job, p.role, COALESCE(p.source, j.source) AS source, COALESCE(j.model, p.model) AS model,
	p.phase, p.done, p.total, p.fraction, p.epoch, p.loss, p.started, p.eta
FROM gensynth.progress() p
LEFT JOIN gensynth.jobs j ON j.number OPERATOR(pg_catalog.=) p.job;
COMMENT ON VIEW synth_progress IS 'how far each fit and each synth_into of this database is';
GRANT SELECT ON synth_progress TO PUBLIC;
