# Fits in the background: who they run as, what they meet, how they end, and
# what is seen of them meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(
	extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ],
	allows_streaming => 1);
# one is the launcher of logical replication
$node->append_conf('postgresql.conf',
	"max_worker_processes = 5\nrestart_after_crash = on\n");
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

# The SQLSTATE and message of a statement that fails.
sub failure
{
	my ($status, $out, $err) =
	  $node->psql('postgres', "\\set VERBOSITY verbose\n" . shift);

	return $err =~ /ERROR:\s+(.*)/ ? $1 : "no error: $out$err";
}

# Starts a fit in the background, perhaps as somebody else, and tells its number.
sub job
{
	my ($call, $before) = @_;
	my $out = sql(($before // '') . ";\nSELECT synth_fit_background($call)");

	return (split /\n/, $out)[-1];
}

sub state { return sql('SELECT synth_wait(' . shift . ')'); }

sub told
{
	my ($job, $columns) = @_;

	return sql("SELECT $columns FROM synth_jobs WHERE job = $job");
}

sub wait_for
{
	my ($condition, $name) = @_;

	ok($node->poll_query_until('postgres', "SELECT $condition"), $name);
}

sub columns
{
	return join ', ', map { "(hashint4(i * $_) % 1000)::int AS c$_" } 1 .. shift;
}
my ($few, $many) = (columns(12), columns(40));
sql(qq{
	CREATE EXTENSION gensynth;
	CREATE TABLE t AS SELECT i AS a, 'b' || i % 3 AS b FROM generate_series(1, 200) AS i;
	CREATE TABLE busy AS SELECT $few FROM generate_series(1, 5000) AS i;
	CREATE TABLE wide AS SELECT $many FROM generate_series(1, 20000) AS i;
	CREATE ROLE no_login;
	CREATE ROLE stranger LOGIN;
	CREATE ROLE friend LOGIN IN ROLE no_login;
	CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
	CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend;
	GRANT SELECT ON t TO no_login;
	-- a source that waits until the lock is free
	CREATE FUNCTION pause() RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_lock_shared(1); PERFORM pg_advisory_unlock_shared(1); RETURN true; END';
});
my $paused = q{'SELECT a, b FROM t WHERE pause()'};
my $holder = $node->background_psql('postgres', on_error_stop => 0);
sub hold { $holder->query_safe('SELECT pg_advisory_lock(1)'); }
sub release { $holder->query_safe('SELECT pg_advisory_unlock(1)'); }

# Who it runs as.
my $job = job("'t', seed => 1");
is(state($job), 'done', 'a superuser');
is(told($job, 'role = current_user, model, source, method, version, finished >= started, sqlstate IS NULL'),
	't|t|public.t|tree|1|t|t', 'is told what became of it');
is(sql("SELECT synth_fit('t', model => 'f', seed => 1);
	SELECT count(*) FROM (SELECT type, shape, data FROM gensynth.tensors WHERE model = 't'
		EXCEPT SELECT type, shape, data FROM gensynth.tensors WHERE model = 'f') AS d") =~ /^0$/m,
	1, 'the same model as in the foreground');
$job = job("'t', model => 'n'", 'SET ROLE no_login');
is(state($job), 'done', 'a role without LOGIN, by SET ROLE');
is(told($job, 'role') . sql(q{SELECT owner FROM synth_models WHERE model = 'n'}),
	'no_loginno_login', 'and the model is its own');
$job = job("'SELECT * FROM busy', model => 'no'",
	'GRANT SELECT ON busy TO no_login; CREATE FUNCTION late() RETURNS boolean LANGUAGE plpgsql AS \'BEGIN PERFORM FROM t, busy; RETURN true; END\'; SET ROLE no_login');
is(state($job), 'done', 'with the rights of that role');
sql('REVOKE SELECT ON busy FROM no_login');
$job = job("'SELECT * FROM t WHERE late()', model => 'no'", 'SET ROLE no_login');
is(state($job) . told($job, 'sqlstate'), 'failed42501', 'and with no others');
sql(q{
	CREATE FUNCTION definer() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
		$$SELECT synth_fit_background('t', model => 'defined')$$;
	ALTER FUNCTION definer() OWNER TO no_login;
});
$job = (split /\n/, sql('SET ROLE stranger; SELECT definer()'))[-1];
is(state($job), 'done', 'in a SECURITY DEFINER function');
is(told($job, 'role'), 'no_login', 'as its owner');
like(sql(q{SELECT notes FROM gensynth.versions WHERE model = 'defined'}),
	qr/runs with the rights of role .*no_login/, 'which a note tells');
sql(q{CREATE FUNCTION who() RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN ASSERT session_user || current_user = $$no_loginno_login$$; RETURN true; END'});
$job = job(q{'SELECT a FROM t WHERE who()', model => 'who'}, 'SET SESSION AUTHORIZATION no_login');
is(state($job), 'done', 'by SET SESSION AUTHORIZATION');
$job = sql(q{DO $$BEGIN PERFORM synth_fit_background('t', model => 'do'); END$$; SELECT max(job) FROM synth_jobs});
is(state($job), 'done', 'in a DO block');

# Row-level security, and settings of the session and the role.
sql(q{
	CREATE TABLE secret AS SELECT i AS a FROM generate_series(1, 300) AS i;
	ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE POLICY low ON secret USING (a <= current_setting('my.most', true)::int);
	GRANT SELECT ON secret TO no_login;
	CREATE SCHEMA hidden;
	CREATE TABLE hidden.t AS SELECT i AS a FROM generate_series(1, 77) AS i;
	CREATE ROLE narrow LOGIN;
	ALTER ROLE narrow SET maintenance_work_mem = '1MB';
	GRANT SELECT ON busy TO narrow;
});
is(state(job("'secret'", "SET my.most = 120; SET ROLE no_login")), 'done', 'a table with row-level security');
is(state(job("'t', model => 'h'", 'SET search_path = hidden, public')), 'done', 'a search_path');
is(state(job("'SELECT a FROM secret WHERE a > 100', model => 'iso'",
	'SET default_transaction_isolation = serializable; SET default_transaction_read_only = on; BEGIN READ WRITE')),
	'done', 'in a transaction that may write, by a session whose own may not');
is(sql(q{SELECT string_agg(rows::text, ' ' ORDER BY model) FROM synth_models WHERE model IN ('secret', 'h', 'iso')}),
	'77 200 120', 'are those of the session');
$job = $node->safe_psql('postgres', "SELECT synth_fit_background('busy', model => 'narrow')",
	connstr => $node->connstr('postgres') . ' user=narrow');
is(state($job), 'done', 'a role with less memory');
is(sql(q{SELECT sampled < rows FROM gensynth.versions WHERE model = 'narrow'}), 't', 'learns from fewer rows');
hold();
$job = job("$paused, model => 'timeout'", q{SET statement_timeout = '2s'});
sql('SELECT pg_sleep(2.1)');
release();
is(state($job), 'done', 'statement_timeout is not about the background');

# What a job writes: its row before its number is known, and one change at its end; both are on disk before anybody is
# told, and wait for a lock no longer than 5 s, whatever the session says.
sql(q{
	CREATE TABLE written (what text, number int, sync text, wait text, writer text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO public.written VALUES (TG_OP, NEW.number, current_setting('synchronous_commit'),
			current_setting('lock_timeout'), current_user = (SELECT r.rolname FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
				WHERE c.oid = TG_RELID));
		RETURN NEW;
	END$$;
	CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON gensynth.jobs FOR EACH ROW EXECUTE FUNCTION note();
});
$job = job("'t', model => 'n'", 'SET synchronous_commit = off; SET lock_timeout = 0; SET ROLE no_login');
is(state($job), 'done', 'by a session that does not wait for the disk');
is(sql("SELECT string_agg(concat_ws(' ', what, sync, wait, writer), ',') FROM written WHERE number = $job"),
	'INSERT on 5s true,UPDATE on 5s true', 'a row and one change, of the owner, safely');
sql('DROP TRIGGER note ON gensynth.jobs');
$holder->query_safe('BEGIN; LOCK gensynth.jobs');
like(failure("SELECT synth_fit_background('t')"), qr/^55P03/, 'a lock that somebody holds is an error');
$holder->query_safe('ROLLBACK');

# What is refused.
like(failure("BEGIN; CREATE TABLE own (a int); SELECT synth_fit_background('t')"),
	qr/^25001: .*has written/, 'in a transaction that has written');
like(failure("BEGIN; SAVEPOINT s; CREATE TABLE own (a int); ROLLBACK TO s; SELECT synth_fit_background('t')"),
	qr/^25001/, 'even if that was rolled back to a savepoint');
like(failure("BEGIN READ ONLY; SELECT synth_fit_background('t')"), qr/^25006/, 'in one that is read-only');
like(failure("SELECT synth_fit_background('t', 'no')"), qr/^22023: method/, 'a method that there is not');
like(failure("SELECT synth_fit_background('t', options => '{\"epocs\": 1}')"), qr/^22023: option/, 'an option');
like(failure("SELECT synth_fit_background('nowhere')"), qr/^42P01/, 'a source');
like(failure("SELECT synth_fit_background('SELECT 1')"), qr/^22023/, 'a query without a name');
like(failure("SET ROLE no_login; SELECT synth_fit_background('t')"), qr/^42501/, "another role's model");
like(failure("CREATE TEMP TABLE x AS TABLE t; SELECT synth_fit_background('SELECT * FROM x', model => 'x')"),
	qr/^0A000/, 'a temporary table');
like(failure("SET gensynth.max_jobs = 0; SELECT synth_fit_background('t')"), qr/^53400: .*max_jobs/, 'more than max_jobs');
like(failure("LOAD 'gensynth'; SET ROLE stranger; SET gensynth.max_jobs = 9"), qr/^42501/, 'which not everybody sets');
is(sql("SELECT count(*) FROM synth_jobs WHERE state NOT IN ('done', 'failed')"), '0', 'none of these began');

hold();
my @jobs = map { job("$paused, model => 'm$_'", 'SET gensynth.max_jobs = 9') } 1 .. 3;
like(failure("SELECT synth_fit_background('t')"), qr/^53400/, 'three are more than two');
push @jobs, job("$paused, model => 'm4'", 'SET gensynth.max_jobs = 9');
like(failure("SET gensynth.max_jobs = 9; SELECT synth_fit_background('t')"), qr/^53000/, 'no process is free');
sql("SELECT synth_cancel($jobs[3])");
is(state($jobs[3]), 'cancelled', 'until one ends');

# What is seen, and by whom.
wait_for('count(*) = 3 FROM synth_progress', 'all tell where they are');
is(sql("SELECT string_agg(concat_ws(' ', job IN ($jobs[0], $jobs[1], $jobs[2]), role = current_user, model, phase), ',' ORDER BY job) FROM synth_progress"),
	't t m1 reading,t t m2 reading,t t m3 reading', 'to their owner');
foreach my $who (qw(stranger friend watcher))
{
	my $seen = $who eq 'watcher';

	is(sql("SET ROLE $who; SELECT count(*), count(job), count(model) FROM synth_progress"),
		$seen ? '3|3|3' : '3|0|0', "to $who");
	is(sql("SET ROLE $who; SELECT count(*) > 3, count(*) FILTER (WHERE role = 'no_login') > 0 FROM synth_jobs"),
		$seen ? 't|t' : $who eq 'friend' ? 't|t' : 'f|f', "$who sees jobs");
	is(sql("SET ROLE $who; SELECT count(message) > 0 FROM synth_jobs"), $who eq 'friend' ? 't' : 'f', 'and what errors say');
}
like(failure("SET ROLE stranger; SELECT synth_cancel($jobs[0])"), qr/^42501/, 'a stranger cannot cancel');
like(failure("SET ROLE stranger; SELECT synth_wait($jobs[0])"), qr/^42501/, 'nor wait');
like(failure("SET ROLE watcher; SELECT synth_cancel($jobs[0])"), qr/^42501/, 'nor can who may see');
like(failure("SET ROLE signaller; SELECT synth_cancel($jobs[0])"), qr/^42501/, "nor who may signal, a superuser's");
like(failure("SET ROLE watcher; DELETE FROM synth_jobs WHERE job = 1"), qr/^42501/, 'or forget');
like(failure('SELECT synth_cancel(12345)'), qr/^42704/, 'no such job to cancel');
like(failure('SELECT synth_wait(12345)'), qr/^42704/, 'or to wait for');
like(failure("DELETE FROM synth_jobs WHERE job = $jobs[0]"), qr/^55006/, 'one that runs is not forgotten');
is(sql("SELECT synth_wait($jobs[0], '10 ms')"), 'running', 'a timeout is no error');
like(failure('SET ROLE stranger; SELECT gensynth.jobs_now()'), qr/^42501/, 'the way around is closed');

# How jobs are ended.
is(sql("SET ROLE postgres; SELECT synth_cancel($jobs[0])") . state($jobs[0]), 'tcancelled', 'cancelled');
is(told($jobs[0], 'sqlstate'), '57014', 'with its SQLSTATE');
my ($status, $out, $err) = $node->psql('postgres', "SELECT synth_cancel($jobs[0])");
like("$out $err", qr/^f .*NOTICE:.*not running: it is cancelled/s, 'the second time a notice says so');
sql('SELECT pg_terminate_backend(' . told($jobs[1], 'pid') . ')');
is(state($jobs[1]) . told($jobs[1], 'sqlstate'), 'failed57P01', 'terminated');
release();
is(state($jobs[2]), 'done', 'the third goes on');
is(sql("DELETE FROM synth_jobs WHERE job = $jobs[0] RETURNING job") . sql("SELECT count(*) FROM synth_jobs WHERE job = $jobs[0]"),
	"$jobs[0]0", 'forgotten');

# Whose caller does not wait, or whose process dies before it answers.
$holder->query_safe('BEGIN; LOCK gensynth.jobs');
like(failure("SET statement_timeout = '200ms'; SELECT synth_fit_background('t', model => 'unwanted')"),
	qr/^57014/, 'the call is cancelled');
$holder->query_safe('ROLLBACK');
wait_for(q{count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'gensynth worker'}, 'its process ends');
is(sql(q{SELECT count(*) FROM synth_models WHERE model = 'unwanted'}) .
	sql(q{SELECT count(*) FROM synth_jobs WHERE model = 'unwanted' AND state <> 'cancelled'}), '00', 'and does nothing');
my $locked_out = $node->background_psql('postgres', on_error_stop => 0,
	extra_params => [ '-U', 'stranger' ]);
$locked_out->query_safe('SELECT 1');
sql('GRANT SELECT ON t TO stranger; ALTER ROLE stranger NOLOGIN');
$locked_out->query("SELECT synth_fit_background('t', model => 'x');\n");
like($locked_out->{stderr}, qr/ended before it answered/, 'a role that may not log in any more');
$locked_out->quit;
sql('ALTER ROLE stranger LOGIN');

hold();
$job = job("$paused, model => 'signalled'", 'SET ROLE no_login');
is(sql("SET ROLE signaller; SELECT synth_cancel($job)"), 't', 'but that of another role');
is(state($job), 'cancelled', 'it is');
release();
is(sql("SET ROLE no_login; DELETE FROM synth_jobs WHERE state = 'cancelled'; SELECT count(*) FROM synth_jobs WHERE job = $job"),
	'0', 'and its role forgets it');

# What happens to the source meanwhile.
sql(q{
	CREATE TABLE side AS SELECT 1 AS one;
	CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN PERFORM pause(); RETURN (SELECT one > 0 FROM side); END';
});
my $looks = q{'SELECT a, b FROM t WHERE look()', model => 'look'};
foreach my $change ('ALTER TABLE side RENAME TO aside', 'DROP TABLE side')
{
	hold();
	$job = job($looks);
	wait_for(q{count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory'}, 'it waits');
	sql($change);
	release();
	is(state($job) . told($job, 'sqlstate, version IS NULL'), 'failed42P01|t', $change);
	sql('CREATE TABLE IF NOT EXISTS side AS SELECT 1 AS one');
}
hold();
$job = job($looks);
wait_for(q{count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory'}, 'it waits');
$holder->query_safe('BEGIN; LOCK side');
release();
wait_for(q{count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'relation'}, 'for a lock');
$holder->query("SELECT synth_wait($job);\n");
like($holder->{stderr}, qr/waits for this transaction/, 'who holds it is told so');
$holder->{stderr} = '';
$holder->query_safe('ROLLBACK');
is(state($job), 'done', 'and then goes on');

# Two fits of one model.
hold();
@jobs = map { job("$paused, model => 'twice'") } 1 .. 2;
release();
is(join(' ', map { state($_) } @jobs), 'done done', 'two fits of one model');
is(sql(q{SELECT string_agg(version::text, ' ' ORDER BY version) FROM synth_models WHERE model = 'twice'}), '1 2', 'are two versions');

# A job that looks at itself.
sql(q{CREATE FUNCTION self() RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		ASSERT (SELECT state = 'running' FROM synth_jobs WHERE pid = pg_backend_pid());
		ASSERT (SELECT phase = 'reading' FROM synth_progress WHERE pid = pg_backend_pid());
		RETURN true;
	END$$});
is(state(job(q{'SELECT a FROM t WHERE self()', model => 'self'})), 'done', 'a job sees itself run');
is(sql(q{SELECT count(*) FROM pg_extension WHERE extconfig @> ARRAY['gensynth.jobs'::regclass::oid]}), '0', 'jobs are not dumped');

# What a fit tells, after a subtransaction was aborted and an ANALYZE, and
# that nothing is told after an error.
sql(q{
	CREATE FUNCTION disturb(i int) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		IF i = 5000 THEN
			BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
		ELSIF i = 15000 THEN ANALYZE t;
		ELSIF i = 9999 THEN PERFORM pause();
		ELSIF i = 19999 THEN PERFORM pg_advisory_lock_shared(2);
		END IF;
		RETURN i;
	END$$;
});
hold();
$holder->query_safe('SELECT pg_advisory_lock(2)');
my $fit = $node->background_psql('postgres', on_error_stop => 0);
$fit->query_until(qr/begun/, "\\echo begun\nSET statement_timeout = 0;\nSELECT synth_fit('SELECT disturb(i) AS a FROM generate_series(1, 30000) AS i', model => 'disturbed');\n");
wait_for(q{phase = 'reading' AND done = 8192 AND total IS NULL AND job IS NULL AND model = 'disturbed' FROM synth_progress},
	'after a subtransaction aborted');
release();
wait_for(q{phase = 'reading' AND done = 16384 FROM synth_progress}, 'and after an ANALYZE');
sql(q{SELECT pg_cancel_backend(pid) FROM synth_progress});
wait_for('count(*) = 0 FROM synth_progress', 'nothing is told after an error');
$holder->query_safe('SELECT pg_advisory_unlock(2)');
$fit->quit;
($status, $out, $err) = $node->psql('postgres',
	"SET statement_timeout = '200ms'; SELECT synth_fit('SELECT i AS a FROM generate_series(1, 1000000000000) AS i', model => 'x');
	SELECT count(*) FROM synth_progress", on_error_stop => 0);
like("$out $err", qr/^0 .*statement timeout/s, 'nor after a timeout');
is(sql(q{COPY (SELECT (synth_fit('t')).model, (SELECT count(*) FROM pg_stat_progress_copy)) TO STDOUT}),
	"t\t1", 'the COPY around a fit is told on');

# Of a table as many rows as are known of it; of a network more.
sql(q{
	CREATE TABLE watched AS SELECT i AS a FROM generate_series(1, 200) AS i;
	ANALYZE watched;
	ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
	CREATE POLICY slow ON watched USING (pause());
	GRANT SELECT ON watched TO no_login;
});
hold();
$job = job("'watched'", 'SET ROLE no_login');
wait_for("source = 'public.watched' AND phase = 'reading' AND total = 200 AND epoch IS NULL AND loss IS NULL FROM synth_progress WHERE job = $job",
	'of a table the total is known');
release();
is(state($job), 'done', 'and it goes on');
$job = job(q{'busy', method => 'vae', model => 'endless', options => '{"steps": 1000000000}'});
wait_for("phase = 'network' AND done > 0 AND total = 1000000000 AND fraction = done / 1e9::float8 AND epoch > 0 AND loss IS NOT NULL
	AND eta > now() FROM synth_progress WHERE job = $job", 'a network tells steps, epochs and loss');
sql("SELECT synth_cancel($job)");
is(state($job), 'cancelled', 'until it is cancelled');

# A fill.
sql('CREATE TABLE filled (LIKE t); CREATE FUNCTION wait_full() RETURNS trigger LANGUAGE plpgsql AS
	\'BEGIN IF (SELECT count(*) = 30 FROM filled) THEN PERFORM pause(); END IF; RETURN NULL; END\';
	CREATE TRIGGER w AFTER INSERT ON filled FOR EACH STATEMENT EXECUTE FUNCTION wait_full()');
hold();
$fit = $node->background_psql('postgres', on_error_stop => 0);
$fit->query_until(qr/begun/, "\\echo begun\nCALL synth_into('filled', 100, 't', batch_size => 10);\n");
wait_for(q{source = 'public.filled' AND model = 't' AND phase = 'filling' AND done = 20 AND total = 100 AND fraction = 0.2
	AND eta > started FROM synth_progress}, 'a fill tells its rows');
release();
$fit->query_safe('SELECT 1');
$fit->quit;

# Servers that are stopped meanwhile.
my @ends = ('fast', 'failed', 'immediate', 'lost');
while (my ($mode, $state) = splice @ends, 0, 2)
{
	$job = job(q{'SELECT i AS a FROM generate_series(1, 1000000000000) AS i', model => 't'});
	# one that has not begun when the server stops is lost
	wait_for("phase = 'reading' FROM synth_progress WHERE job = $job", "it has begun: $mode");
	eval { $holder->quit };
	$node->restart if $mode eq 'fast';
	if ($mode eq 'immediate')
	{
		$node->stop('immediate');
		$node->start;
	}
	is(state($job), $state, "the server is stopped: $mode");
	$holder = $node->background_psql('postgres', on_error_stop => 0);
}
is(sql(q{
	UPDATE gensynth.jobs SET started = started - interval '31 days', finished = finished - interval '31 days' WHERE number > 1;
	SELECT synth_wait(synth_fit_background('t', model => 'last'));
	SELECT count(*) FROM synth_jobs}), "done\n2", 'what ended long ago is forgotten');
$holder->quit;

# A standby shows what there is, and begins nothing.
$node->backup('standby');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'standby', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM synth_jobs'), '2', 'a standby shows jobs');
($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\nSELECT synth_fit_background('t')");
like($err, qr/25006/, 'and begins none');
$standby->stop;

$node->stop;
done_testing();
