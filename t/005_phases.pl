# Fits that end in each of their phases: cancelled, terminated, killed, out of
# time.  Whatever phase it is, the job's state is right, and the models are what
# they were.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

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
	SELECT synth_fit('t', seed => 1);
	-- Waits for a process that fits to come to a phase; false if it ends before.
	CREATE FUNCTION reaches(process int, wanted text) RETURNS boolean LANGUAGE plpgsql AS \$\$
	DECLARE
		seen text;
		before text;
	BEGIN
		LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT phase INTO seen FROM synth_progress WHERE pid = process;
			IF seen = wanted THEN
				RETURN true;
			ELSIF seen IS NULL AND (before IS NOT NULL OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = process)) THEN
				RETURN false;
			END IF;
			before := seen;
			PERFORM pg_sleep(0.001);
		END LOOP;
	END\$\$;
});

# What there is of models.
sub models
{
	return sql(q{SELECT string_agg(md5(x), ' ' ORDER BY x) FROM (
		SELECT m::text AS x FROM gensynth.models AS m UNION ALL SELECT v::text FROM gensynth.versions AS v
		UNION ALL SELECT c::text FROM gensynth.columns AS c UNION ALL SELECT t::text FROM gensynth.tensors AS t
		UNION ALL SELECT c::text FROM gensynth.constraints AS c) AS rows});
}
my $before = models();
my $network = q{method => 'vae', options => '{"steps": 1000000000}'};

# Phases, and fits that come to them.  'storing' waits for whoever has the row
# of the model; the others are stopped where they are, for what they are sent
# to reach them there.
my @phases = (
	[ 'reading', q{'SELECT i AS a FROM generate_series(1, 1000000000000) AS i'} ],
	[ 'learning columns', q{'wide'} ],
	[ 'order', q{'wide'} ],
	[ 'trees', q{'wide'} ],
	[ 'network', "'busy', $network" ],
	[ 'calibrating', q{'busy', method => 'vae', options => '{"steps": 10}'} ],
	[ 'refining', q{'busy', method => 'copula', options => '{"refine": 1}'} ],
	[ 'storing', q{'t'} ]);
my $holder;

sub hold
{
	$holder = $node->background_psql('postgres', on_error_stop => 0);
	$holder->query_safe(q{BEGIN; SELECT FROM gensynth.models WHERE name = 't' FOR UPDATE});
}

# Whether a process is stopped in a phase.
sub stopped
{
	my ($process, $phase) = @_;

	return 0 if sql("SELECT reaches($process, '$phase')") ne 't';
	kill 'STOP', $process;
	return 1 if sql("SELECT phase FROM synth_progress WHERE pid = $process") eq $phase;
	kill 'CONT', $process;
	return 0;
}

# A job that is in a phase, and its process.
sub job_in
{
	my ($phase, $call) = @_;

	foreach (1 .. 50)
	{
		my ($job, $process) = split /\|/,
		  sql("SELECT synth_fit_background($call, model => 't') AS job \\gset\nSELECT job, pid FROM synth_jobs WHERE job = :job");

		return ($job, $process) if stopped($process, $phase);
		sql("SELECT synth_cancel($job), synth_wait($job)");
		# it may have been done before it was cancelled
		$before = models();
	}
	die "no fit could be stopped while $phase";
}

foreach (@phases)
{
	my ($phase, $call) = @$_;

	foreach my $how ('synth_cancel', 'pg_terminate_backend')
	{
		hold() if $phase eq 'storing';
		my ($job, $process) = job_in($phase, $call);
		sql('SELECT ' . ($how eq 'synth_cancel' ? "synth_cancel($job)" : "pg_terminate_backend($process)"));
		kill 'CONT', $process;
		is(sql("SELECT synth_wait($job); SELECT sqlstate FROM synth_jobs WHERE job = $job"),
			$how eq 'synth_cancel' ? "cancelled\n57014" : "failed\n57P01", "$phase: $how");
		is(models(), $before, 'the models are what they were');
		$holder->quit if $phase eq 'storing';
	}
}

# In the foreground, where statement_timeout holds.  A fit may not come to the
# phase in time, or have left it: what it made is rolled back.
foreach (@phases)
{
	my ($phase, $call) = @$_;
	my $told = '';

	hold() if $phase eq 'storing';
	foreach my $seconds (2, 5, 10, 20, 40, 80)
	{
		my $fit = $node->background_psql('postgres', on_error_stop => 0);
		my $process = $fit->query_safe('SELECT pg_backend_pid()');

		$fit->query_until(qr/begun/, "\\echo begun\nBEGIN;\nSET statement_timeout = '${seconds}s';\nSELECT synth_fit($call, model => 't');\n");
		my $is_stopped = stopped($process, $phase);
		sleep $seconds if $is_stopped;
		kill 'CONT', $process;
		$fit->query(';');
		$told = $fit->{stderr};
		$fit->quit;
		last if $is_stopped;
	}
	like($told, qr/canceling statement due to statement timeout/, "$phase: statement_timeout");
	$holder->quit if $phase eq 'storing';
	is(models(), $before, 'the models are what they were');
	is(sql('SELECT count(*) FROM synth_progress'), '0', 'and nothing is told');
}

# kill -9, after which the server begins anew.  The one that answers may still
# be the one that has not noticed: another checkpointer tells that it is over.
my $pid_of_checkpointer = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};
foreach (@phases)
{
	my ($phase, $call) = @$_;

	hold() if $phase eq 'storing';
	my ($job, $process) = job_in($phase, $call);
	my $checkpointer = sql($pid_of_checkpointer);

	kill 'KILL', $process;
	ok($node->poll_query_until('postgres', "SELECT ($pid_of_checkpointer) <> $checkpointer"), 'the server is there again');
	eval { $holder->quit } if $phase eq 'storing';
	is(sql("SELECT synth_wait($job)"), 'lost', "$phase: kill -9");
	is(models(), $before, 'the models are what they were');
}
is(sql(q{DELETE FROM synth_jobs WHERE state = 'lost'; SELECT count(*) FILTER (WHERE state = 'lost') FROM synth_jobs}),
	'0', 'they can be forgotten');
my $newest = q{SELECT max(version) FROM synth_models WHERE model = 't'};
my $version = sql($newest);
is(sql(q{SELECT synth_wait(synth_fit_background('t'))}) . sql($newest),
	'done' . ($version + 1), 'the next fit is the next version');

$node->stop;
done_testing();
